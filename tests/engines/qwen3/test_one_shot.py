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


@pytest.mark.parametrize("length", [7_999, 16_000, 128_040, 333_333])
def test_the_encoders_output_before_the_projector_equals_the_oracles(
    length: int,
    oracle: Oracle,
    lab: Lab,
    noise_of: Callable[[float, int], Samples],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clip = noise_of(length / 16_000, length)
    seen: dict[str, torch.Tensor] = {}
    linear = lab.model.encoder._linear

    def noted(hidden: torch.Tensor, name: str) -> torch.Tensor:
        seen[name] = hidden
        return linear(hidden, name)

    monkeypatch.setattr(lab.model.encoder, "_linear", noted)
    with torch.inference_mode():
        lab.stepper._hearing.hear([(lab.cache(), clip)], Work())
    found, expected = seen["multi_modal_projector.linear_1"], oracle.encoded(clip)
    assert found.shape == expected.shape == (token_count(frame_count(length)), 64)
    assert float((found - expected).abs().max()) <= 1e-5


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


def test_tokens_of_the_template_are_never_written(lab: Lab, toy_weights: dict[str, torch.Tensor]) -> None:
    suppressed = [151644, 151669, 151670, 151676]
    pull = toy_weights["language_model.embed_tokens.weight"][suppressed] * 1e3
    others = toy_weights["language_model.embed_tokens.weight"][[151645, 151704]] * 1e3
    hidden = torch.cat([pull, others])
    assert lab.model.decoder.logits(hidden).argmax(-1).tolist() == [*suppressed, 151645, 151704]
    found, chances = lab.model.decoder.greedy(hidden)
    assert not set(found) & set(suppressed)
    assert found[4:] == [151645, 151704]
    allowed = lab.model.decoder.logits(hidden)
    allowed[:, suppressed] = -torch.inf
    assert found == allowed.argmax(-1).tolist()
    assert chances == pytest.approx(allowed.log_softmax(-1).max(-1).values.tolist(), abs=1e-4)


def test_an_answer_goes_on_where_the_oracle_is_not_let_write_a_token_of_the_template(
    lab: Lab, toy_weights: dict[str, torch.Tensor], noise_of: Callable[[float, int], Samples]
) -> None:
    clip = noise_of(3.0, 1)
    first = lab.stepper.step([(lab.cache(), StepRequest(clip, Script(budget=8)))])[0].tokens
    # A model to which the third token that it wrote looks like the audio's.
    table = toy_weights["language_model.embed_tokens.weight"].clone()
    table[151676], table[first[2]] = table[first[2]].clone(), table[151676].clone()
    weights = {**toy_weights, "language_model.embed_tokens.weight": table, "lm_head.weight": table}
    own = Lab(lab.model.shape, weights)
    answer = own.stepper.step([(own.cache(), StepRequest(clip, Script(budget=8)))])[0]
    expected = Oracle(lab.model.shape, weights).transcribe(clip, head(), TAIL, budget=8)
    assert list(answer.tokens) == expected.tokens
    assert torch.stack(answer.logits).argmax(-1).tolist().count(151676) >= 1
    assert 151676 not in answer.tokens


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
