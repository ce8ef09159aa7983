from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pytest
import torch
from qwen3_oracle import Oracle
from qwen3_streams import Lab, cut

from wavescribe.engines.base import Samples
from wavescribe.engines.qwen3.mel import raw_seconds
from wavescribe.engines.qwen3.script import Script
from wavescribe.engines.qwen3.special_tokens import TAIL, head
from wavescribe.engines.qwen3.stepper import StepRequest
from wavescribe.engines.qwen3.stream_cache import StreamCache

KINDS = ("speech", "noise", "rising", "gaps")
BUDGET = 6


LONGEST = {"2 s": 26.3, "1 s": 17.3, "odd": 17.3}
"""Seconds of a stream that is cut so: past three, two and two windows' ends."""


def steps_of(samples: Samples, pieces: str) -> Iterator[Samples]:
    """The audio so far at each step; odd pieces have any length up to three seconds."""
    clip = samples[: round(LONGEST[pieces] * 16_000)]
    if pieces != "odd":
        yield from cut(clip, float(pieces.split()[0]))
        return
    random = np.random.default_rng(23)
    end = 0
    while end < len(clip):
        end = min(len(clip), end + int(random.integers(100, 48_000)))
        yield clip[:end]


def request(samples: Samples) -> StepRequest:
    return StepRequest(samples, Script(budget=BUDGET))


def check_against_oracle(lab: Lab, oracle: Oracle, cache: StreamCache, clip: Samples) -> None:
    answer = lab.stepper.step([(cache, request(clip))])[0]
    expected = oracle.transcribe(clip, head(), TAIL, budget=BUDGET)
    assert list(answer.tokens) == expected.tokens
    assert float((torch.stack(answer.logits) - expected.logits).abs().max()) <= 1e-5


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pieces", list(LONGEST))
def test_every_step_equals_the_one_shot_model_on_the_audio_so_far(
    kind: str, pieces: str, lab: Lab, oracle: Oracle, sounds: Mapping[str, Samples]
) -> None:
    cache = lab.cache()
    for clip in steps_of(sounds[kind], pieces):
        check_against_oracle(lab, oracle, cache, clip)


def drop_some(cache: StreamCache, random: np.random.Generator) -> None:
    """Lose entries of every kind by chance."""
    for entries in (cache.seconds, cache.windows):
        for index in [each for each in entries if random.random() < 0.4]:
            del entries[index]
    if random.random() < 0.3:
        cache.drop_pages()
    if cache.committed and random.random() < 0.3:
        del cache.committed[int(random.integers(len(cache.committed))) :]
        cache.table.crop(cache.committed_tokens)
    if random.random() < 0.3:
        cache.written = tuple(random.integers(1000, 2000, 5).tolist())
    if random.random() < 0.3:
        cache.final = cache.final[: int(random.integers(0, len(cache.final) + 1))]
    if random.random() < 0.15:
        cache.clear()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pieces", list(LONGEST))
def test_dropping_any_cache_entry_changes_nothing(
    kind: str, pieces: str, lab: Lab, oracle: Oracle, sounds: Mapping[str, Samples]
) -> None:
    random = np.random.default_rng(11)
    cache = lab.cache()
    for clip in steps_of(sounds[kind], pieces):
        check_against_oracle(lab, oracle, cache, clip)
        drop_some(cache, random)


def test_other_audio_under_the_same_cache_is_heard_afresh(
    lab: Lab, oracle: Oracle, sounds: Mapping[str, Samples]
) -> None:
    cache = lab.cache()
    for kind in KINDS:
        check_against_oracle(lab, oracle, cache, sounds[kind][: 10 * 16_000])


def test_a_shorter_clip_under_the_same_cache_is_heard_afresh(
    lab: Lab, oracle: Oracle, sounds: Mapping[str, Samples]
) -> None:
    cache = lab.cache()
    for seconds in (17, 9, 16, 3):
        check_against_oracle(lab, oracle, cache, sounds["speech"][: seconds * 16_000])


@pytest.mark.parametrize("size", [160, 777, 1234, 16_001, 32_000])
def test_streamed_features_are_those_of_the_whole_clip_to_the_bit(size: int, sounds: Mapping[str, Samples]) -> None:
    clip = sounds["speech"][: 5 * 16_000 + 333]
    known: list[object] = []
    for end in [*range(size, len(clip), size), len(clip)]:
        seconds = raw_seconds(clip[:end], known)  # type: ignore[arg-type]  # what the last call gave
        known = [second for second in seconds if second.is_final]
    whole = raw_seconds(clip)
    assert len(seconds) == len(whole)
    assert all(torch.equal(a.values, b.values) for a, b in zip(seconds, whole, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_a_frozen_floor_is_a_function_of_the_audio_alone(kind: str, lab: Lab, sounds: Mapping[str, Samples]) -> None:
    stepper = lab.with_policy("frozen")
    steady, forgetful = lab.cache(), lab.cache()
    for clip in cut(sounds[kind], 2.0):
        forgetful.clear()
        steady_answer = stepper.step([(steady, request(clip))])[0]
        assert stepper.step([(forgetful, request(clip))])[0].tokens == steady_answer.tokens


def test_a_frozen_floor_never_encodes_a_finished_window_again(lab: Lab, sounds: Mapping[str, Samples]) -> None:
    stepper = lab.with_policy("frozen")
    cache = lab.cache()
    for clip in cut(sounds["rising"], 2.0):
        before = dict(cache.windows)
        stepper.step([(cache, request(clip))])
        assert all(cache.windows[index] is window for index, window in before.items())


def test_between_steps_only_the_head_and_finished_windows_are_in_the_pages(
    lab: Lab, sounds: Mapping[str, Samples]
) -> None:
    cache = lab.cache()
    for clip in cut(sounds["noise"], 2.0):
        lab.stepper.step([(cache, request(clip))])
        finished = (len(clip) - 40) // 128_000
        assert cache.table.length == 9 + 104 * finished
        assert lab.pool.free == lab.pool.pages - len(cache.table.pages)
        assert len(cache.seconds) <= 8
    cache.clear()
    assert lab.pool.free == lab.pool.pages
