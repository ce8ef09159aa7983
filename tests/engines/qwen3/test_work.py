from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from qwen3_segmented import SegmentedStream
from qwen3_streams import Lab
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from wavescribe.bench import qwen_steps
from wavescribe.engines.qwen3.configuration import SHAPES
from wavescribe.engines.qwen3.script import Script
from wavescribe.engines.qwen3.segments import RollOver
from wavescribe.engines.qwen3.stepper import StepAnswer, Stepper, StepRequest
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


def test_counted_operations_are_those_that_torch_counts(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    found: Counter[str] = Counter()

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            with FlopCounterMode(display=False) as counter:
                result = call(*arguments)
            found.update({str(name): value for name, value in counter.get_flop_counts()["Global"].items()})
            return result

        return run

    for network, name in (
        ("encoder", "convolve"),
        ("encoder", "encode"),
        ("decoder", "forward"),
        ("decoder", "greedy"),
    ):
        part = getattr(lab.model, network)
        monkeypatch.setattr(part, name, counted(getattr(part, name)))
    stepper, cache = Stepper(lab.model, lab.pool), lab.cache()
    steps = [StepRequest(periodic(end), Script(budget=4, exact_length=True)) for end in (5, 7)]
    shape, work = lab.model.shape, stepper.work
    with sdpa_kernel(SDPBackend.MATH):  # as products of matrices, which torch counts on a CPU, too
        stepper.step([(cache, steps[0])])
        stepper.step([(cache, steps[1])])
    # New tokens of the passes with a causal mask, under which torch counts all pairs; the second one has the draft.
    masked = [9 + 65 + 6, 91 + 6 + 4]
    left_out = sum(n * (n - 1) // 2 for n in masked)
    assert found.total() == replace(work, text_pairs=work.text_pairs + left_out).operations(shape)


def test_the_documented_work_of_a_step_is_what_is_counted(
    toy_weights: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qwen_steps, "AGES", (30,))
    monkeypatch.setattr(qwen_steps, "KEPT", ((8, 32), (2, 32)))
    page = (Path(__file__).parents[3] / "docs" / "qwen3-asr.md").read_text()
    rows = {row.split("|")[1].strip(): row for row in page.splitlines() if row.startswith("|")}
    for count in qwen_steps.count_steps():
        row = next(row for name, row in rows.items() if name.startswith(count.recipe.removesuffix(" s")))
        tokens = [f"{value:,.0f}" for value in count.tokens()]
        small, large = ([f"{value:,.0f}" for value in count.gigaflop(SHAPES[size])] for size in ("0.6B", "1.7B"))
        for figures in (tokens, small, large):
            assert ", ".join(dict.fromkeys(figures)) in row


@pytest.mark.parametrize("writes_tag", [False, True])
def test_only_what_the_model_chooses_is_scored(lab: Lab, writes_tag: bool) -> None:
    opening = () if writes_tag else (11528, 6364, 151704)
    given = tuple(range(2000, 2030))
    script = Script(opening=opening, given=given, budget=5, writes_tag=writes_tag, exact_length=True)
    tag = (11528, 6364, 151704) if writes_tag else ()
    said = (3000, 3001, 3002, 3003, 3004)
    step = StepRequest(periodic(3), script, spoken=(*opening, *tag, *given, *said))
    cache = lab.cache()
    first = lab.stepper.step([(cache, step)])[0]
    assert lab.stepper.work.scored == len(first.logits) == len(tag) + len(said)
    before = lab.stepper.work.copy()
    second = lab.stepper.step([(cache, step)])[0]
    spent = lab.stepper.work.minus(before)
    assert second.tokens == first.tokens == (*opening, *tag, *given, *said)
    assert spent.passes == 1
    # The draft is verified; what would follow it is scored with it.
    assert spent.scored == len(tag) + len(said) + 1


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
