from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from qwen3_oracle import Oracle
from qwen3_streams import Lab

from wavescribe.engines.base import Samples
from wavescribe.engines.qwen3.geometry import frame_count, token_count
from wavescribe.engines.qwen3.mel import raw_seconds
from wavescribe.engines.qwen3.script import Script
from wavescribe.engines.qwen3.special_tokens import TAIL, head
from wavescribe.engines.qwen3.stepper import StepRequest
from wavescribe.engines.qwen3.work import Work

FRAME = 160
EDGES = [seconds * 16_000 + frames * FRAME for seconds in (1, 2, 8, 16, 24, 32, 40) for frames in (-1, 0, 1)]
LENGTHS = [4_800, 7_999, 8_001, 12_345, *EDGES, 128_039, 128_040, 128_041, 333_333]


def features(samples: Samples) -> torch.Tensor:
    seconds = raw_seconds(samples)
    floor = max(second.highest for second in seconds) - 8.0
    return torch.cat([second.normalised(floor) for second in seconds], dim=1)


@pytest.mark.parametrize("length", LENGTHS)
def test_features_and_audio_tokens_equal_the_oracles(
    length: int, oracle: Oracle, lab: Lab, noise_of: Callable[[float, int], Samples]
) -> None:
    clip = noise_of(length / 16_000, length)
    expected, mask = oracle.features(clip)
    assert torch.equal(features(clip), expected[0])
    assert frame_count(length) == int(mask.sum())
    hearing = lab.stepper._hearing
    with torch.inference_mode():
        heard = hearing.hear([(lab.cache(), clip)], Work())[0]
    tokens = torch.cat([*heard.finished, heard.rest])
    found = oracle.audio_tokens(clip)
    assert tokens.shape == found.shape == (token_count(frame_count(length)), 96)
    assert float((tokens - found).abs().max()) <= 1e-5


@pytest.mark.parametrize("length", LENGTHS)
def test_scores_and_greedy_tokens_equal_the_oracles(
    length: int, oracle: Oracle, lab: Lab, noise_of: Callable[[float, int], Samples]
) -> None:
    clip = noise_of(length / 16_000, length)
    answer = lab.stepper.step([(lab.cache(), StepRequest(clip, Script(budget=10)))])[0]
    expected = oracle.transcribe(clip, head(), TAIL, budget=10)
    assert list(answer.tokens) == expected.tokens
    assert float((torch.stack(answer.logits) - expected.logits).abs().max()) <= 1e-5


def test_context_and_given_text_reach_the_model_as_the_oracle_hears_them(oracle: Oracle, lab: Lab) -> None:
    clip = (np.random.default_rng(1).standard_normal(50_000) * 0.1).astype(np.float32)
    context, opening, given = (1001, 1002, 1003), (11528, 6364, 151704), tuple(range(2000, 2040))
    script = Script(opening=opening, given=given, budget=8)
    answer = lab.stepper.step([(lab.cache(), StepRequest(clip, script, head=head(context)))])[0]
    expected = oracle.transcribe(clip, head(context), [*TAIL, *opening, *given], budget=8)
    assert list(answer.tokens) == [*opening, *given, *expected.tokens]
    assert answer.text_start == len(opening)


@pytest.mark.parametrize("window", [100, 200, 400, 800])
def test_every_window_length_equals_the_oracle_of_that_window(
    window: int, toy_weights: dict[str, torch.Tensor], lab: Lab, sounds: dict[str, Samples]
) -> None:
    shape = lab.model.shape.with_window(window)
    clip = sounds["rising"][:250_123]
    own = Lab(shape, toy_weights)
    answer = own.stepper.step([(own.cache(), StepRequest(clip, Script(budget=6)))])[0]
    expected = Oracle(shape, toy_weights).transcribe(clip, head(), TAIL, budget=6)
    assert list(answer.tokens) == expected.tokens
    assert float((torch.stack(answer.logits) - expected.logits).abs().max()) <= 1e-5


def test_token_counts_follow_the_convolutions() -> None:
    for frames in range(1, 2001):
        whole, rest = divmod(frames, 100)
        sizes = [100] * whole + [rest] * (rest > 0)
        for _ in range(3):
            sizes = [(size - 1) // 2 + 1 for size in sizes]
        assert token_count(frames) == sum(sizes)
