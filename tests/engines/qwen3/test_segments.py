from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from qwen3_oracle import Oracle
from qwen3_segmented import SegmentedStream
from qwen3_streams import Lab

from wavescribe.engines.base import Samples
from wavescribe.engines.qwen3.script import Script
from wavescribe.engines.qwen3.segments import RollOver, find_cut, split_clip
from wavescribe.engines.qwen3.special_tokens import TAIL, head
from wavescribe.engines.qwen3.stepper import StepAnswer, StepRequest
from wavescribe.engines.qwen3.streams import Streams

SECOND = 16_000
RULE = RollOver(least_seconds=4, cap_seconds=12)
BUDGET = 5


def spelled(answer: StepAnswer) -> str:
    return " ".join(str(token) for token in answer.tokens)


def run(
    lab: Lab, samples: Samples, packets: Iterator[int], rule: RollOver, step_seconds: float = 2.0
) -> tuple[SegmentedStream, list[int], list[int]]:
    """Stream audio in packets; the lengths of its steps, and the most samples and pages held."""
    streams = Streams(lab.stepper, lab.pool)
    stream = SegmentedStream(spelled, rule, step_seconds)
    steps: list[int] = []
    held = [0, 0]
    start = 0
    while start < len(samples):
        packet = next(packets)
        stream.push(samples[start : start + packet])
        start += packet
        if start >= len(samples):
            stream.end()
        while (due := stream.due()) is not None:
            steps.append(len(due.samples))
            answer = streams.step([("a", StepRequest(due.samples, Script(budget=BUDGET)))])[0]
            assert isinstance(answer, StepAnswer)
            stream.accept(answer)
            held = [max(held[0], stream.held_samples), max(held[1], lab.pool.pages - lab.pool.free)]
    streams.leave("a")
    return stream, steps, held


def every(packet: int) -> Iterator[int]:
    while True:
        yield packet


def with_pauses(noise_of: Callable[[float, int], Samples]) -> Samples:
    quiet = np.zeros(SECOND // 2, dtype=np.float32)
    return np.concatenate(
        [noise_of(5.5, 1), quiet, noise_of(14.0, 2), quiet, noise_of(3.0, 3), quiet, noise_of(2.2, 4)]
    )


def test_the_transcript_is_the_concatenation_of_the_segments_transcribed_alone(
    lab: Lab, oracle: Oracle, noise_of: Callable[[float, int], Samples]
) -> None:
    samples = with_pauses(noise_of)
    stream, steps, _ = run(lab, samples, every(3217), RULE)
    parts = list(split_clip(samples, RULE))
    assert len(parts) >= 3
    assert sum(len(part) for _, part in parts) == len(samples)
    alone = [oracle.transcribe(part, head(), TAIL, budget=BUDGET).tokens for _, part in parts]
    assert stream.texts == [" ".join(map(str, tokens)) for tokens in alone]
    assert stream.transcript == " ".join(stream.texts)
    assert len(steps) > len(parts)


@pytest.mark.parametrize("packet", [160, 40_000, 10**7])
def test_steps_and_segments_do_not_depend_on_packets(
    packet: int, lab: Lab, noise_of: Callable[[float, int], Samples]
) -> None:
    samples = with_pauses(noise_of)[: 20 * SECOND]
    reference, steps, _ = run(lab, samples, every(3200), RULE)
    other, other_steps, _ = run(lab, samples, every(packet), RULE)
    assert other_steps == steps
    assert other.texts == reference.texts


def test_a_pause_ends_a_segment_after_its_least_length(noise_of: Callable[[float, int], Samples]) -> None:
    samples = noise_of(10.0, 1) + np.float32(0.01)
    samples[2 * SECOND : 3 * SECOND] = 0.0
    samples[6 * SECOND : 7 * SECOND] = 0.0
    cut = find_cut(samples, RULE)
    assert cut is not None
    assert 6 * SECOND < cut.position < 7 * SECOND
    assert cut.known_at <= round(6.5 * SECOND)
    assert find_cut(samples[: cut.known_at], RULE) == cut
    assert find_cut(samples[: cut.known_at - 1], RULE) is None


def test_the_cap_cuts_at_the_quietest_place(noise_of: Callable[[float, int], Samples]) -> None:
    samples = np.full(13 * SECOND, 0.5, dtype=np.float32)
    samples[int(10.3 * SECOND) : int(10.4 * SECOND)] = 0.2
    cut = find_cut(samples, RULE)
    assert cut is not None
    assert cut.position == pytest.approx(10.35 * SECOND, abs=1)
    assert cut.known_at == 12 * SECOND


def test_memory_stays_the_same_over_many_segments(lab: Lab, noise_of: Callable[[float, int], Samples]) -> None:
    rule = RollOver(cap_seconds=4, least_seconds=4, pause_seconds=0, search_seconds=1)
    early = run(lab, noise_of(12.0, 5), every(8000), rule, 4.0)[2]
    late = run(lab, noise_of(120.0, 5), every(8000), rule, 4.0)[2]
    assert late[0] <= early[0] + 8000
    assert late[1] <= early[1]
