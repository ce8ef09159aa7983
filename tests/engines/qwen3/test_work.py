from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from qwen3_streams import Lab

from wavescribe.engines.qwen3.configuration import SHAPES
from wavescribe.engines.qwen3.script import Script
from wavescribe.engines.qwen3.segmented_stream import SegmentedStream
from wavescribe.engines.qwen3.segments import RollOver
from wavescribe.engines.qwen3.stepper import StepAnswer, StepRequest
from wavescribe.engines.qwen3.streams import Streams
from wavescribe.engines.qwen3.work import Work, convolution_operations

SECOND = 16_000
CYCLE = 30
"""Seconds after which the audio, its quiet place included, comes again."""


def periodic(seconds: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    random = np.random.default_rng(1)
    cycle = (random.standard_normal(CYCLE * SECOND) * 0.1).astype(np.float32)
    cycle[-800:] *= 0.01
    cycle[:800] *= 0.01
    return np.tile(cycle, -(-seconds // CYCLE))[: seconds * SECOND]


def work_of_steps(lab: Lab, seconds: int) -> list[Work]:
    """The work of each step of a stream; the answer is as long as speech would make it."""
    streams = Streams(lab.stepper, lab.pool)
    stream = SegmentedStream(lambda answer: "", RollOver(pause_seconds=0), 2.0)
    stream.push(periodic(seconds))
    stream.end()
    spent: list[Work] = []
    while (due := stream.due()) is not None:
        length = 3 * len(due.samples) // SECOND
        script = Script(budget=length, exact_length=True)
        before = lab.stepper.work.copy()
        step = StepRequest(due.samples, script, spoken=tuple(range(1000, 1000 + length)))
        answer = streams.step([("a", step)])[0]
        assert isinstance(answer, StepAnswer)
        stream.accept(answer)
        spent.append(lab.stepper.work.minus(before))
    return spent


@pytest.mark.slow
def test_the_work_of_a_step_is_the_same_at_thirty_seconds_and_at_fifteen_minutes(lab: Lab) -> None:
    spent = work_of_steps(lab, 930)
    shape = SHAPES["0.6B"]
    cycle = next(index for index in range(10, 20) if spent[index].audio_tokens < spent[index - 1].audio_tokens / 2)
    steps = len(spent) // 31
    first, last = spent[steps : 2 * steps], spent[29 * steps : 30 * steps]
    assert 10 < cycle < 20  # a segment of 32 s has 16 steps
    assert first == last  # tokens, pairs, scored rows and passes, step by step
    assert [work.operations(shape) for work in first] == [work.operations(shape) for work in last]
    assert max(work.operations(shape) for work in spent) <= 1.05 * max(work.operations(shape) for work in spent[:steps])


def test_no_step_works_more_than_the_bound_of_a_segment(lab: Lab) -> None:
    spent = work_of_steps(lab, 66)
    shape = SHAPES["0.6B"]
    late = spent[16:]
    assert max(work.audio_tokens for work in late) <= 104 + 26
    assert max(work.text_tokens for work in late) <= 104 + 26 + 6 + 3 * 32 + 12
    assert max(work.operations(shape) for work in late) <= 300e9


def test_counted_operations_are_those_of_the_published_shapes(
    lab: Lab, toy_weights: Mapping[str, torch.Tensor]
) -> None:
    shape = SHAPES["0.6B"]
    projection = 2 * 13 * 7680 * 896
    assert convolution_operations(shape) - projection == pytest.approx(4.21e9, rel=0.01)
    second = Work(seconds_convolved=1, audio_tokens=13, audio_pairs=13 * 104)
    assert second.operations(shape) == pytest.approx(8.95e9, rel=0.02)
    assert Work(text_tokens=1).operations(shape) == pytest.approx(0.88e9, rel=0.01)
    assert Work(scored=1).operations(shape) == pytest.approx(0.31e9, rel=0.01)
    assert Work(text_pairs=1).operations(shape) == pytest.approx(0.23e6, rel=0.01)
    assert Work(seconds_convolved=1, audio_tokens=13, audio_pairs=13 * 104).operations(SHAPES["1.7B"]) == pytest.approx(
        12.4e9, rel=0.02
    )


def test_a_step_counts_the_tokens_that_it_computes(lab: Lab) -> None:
    clip = periodic(10)
    cache = lab.cache()
    lab.stepper.step([(cache, StepRequest(clip, Script(budget=4, exact_length=True)))])
    work = lab.stepper.work
    assert work.seconds_convolved == 10
    assert work.audio_tokens == 130
    assert work.audio_pairs == 104**2 + 26**2
    prompt = 9 + 130 + 6
    assert work.text_tokens == prompt + 3
    assert work.text_pairs == prompt * (prompt + 1) // 2 + sum(prompt + index for index in (1, 2, 3))
    assert (work.scored, work.passes) == (4, 4)
