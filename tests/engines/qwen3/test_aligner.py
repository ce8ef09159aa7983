from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from qwen3_files import small_tokenizer, write_checkpoint
from qwen3_oracle import AUDIO_PAD, oracle_configuration
from transformers import Qwen3ASRForTokenClassification
from transformers.models.qwen3_asr.feature_extraction_qwen3_asr import Qwen3ASRFeatureExtractor

from wavescribe.engines.base import DecodeRequest, Hypothesis, Samples
from wavescribe.engines.qwen3 import loading
from wavescribe.engines.qwen3.aligner import AlignedWord, ForcedAligner, aligned_times
from wavescribe.engines.qwen3.configuration import ModelShape
from wavescribe.engines.qwen3.loading import load_qwen3
from wavescribe.engines.qwen3.random_weights import random_weights
from wavescribe.engines.qwen3.tokenizer import QwenTokenizer
from wavescribe.errors import EngineError, EngineLostError

TIMESTAMP = 151705


@pytest.fixture(scope="module")
def shape(toy: ModelShape) -> ModelShape:
    return replace(toy, classes=300)


@pytest.fixture(scope="module")
def weights(shape: ModelShape) -> Mapping[str, torch.Tensor]:
    return random_weights(shape, seed=9)


def oracle_classes(
    shape: ModelShape, weights: Mapping[str, torch.Tensor], clip: Samples, words: list[tuple[int, ...]]
) -> list[int]:
    configuration = oracle_configuration(shape)
    configuration.num_labels = shape.classes
    model: Any = Qwen3ASRForTokenClassification(configuration).eval()
    state = {name if name.startswith("score") else f"model.{name}": tensor for name, tensor in weights.items()}
    model.load_state_dict(state, strict=True)
    extractor: Any = Qwen3ASRFeatureExtractor()
    found = extractor(clip, sampling_rate=16000, padding=True, return_attention_mask=True)
    features, mask = found["input_features"], found["attention_mask"]
    with torch.no_grad():
        count = len(model.model.get_audio_features(features, mask, return_dict=True).pooler_output)
        text = [token for word in words for token in (*word, TIMESTAMP, TIMESTAMP)]
        ids = torch.tensor([[151669, *[AUDIO_PAD] * count, 151670, *text]])
        logits = model(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            input_features=features,
            input_features_mask=mask,
        ).logits[0]
    return [int(index) for index in logits[ids[0] == TIMESTAMP].argmax(-1)]


def test_the_raw_answers_equal_the_oracles(
    shape: ModelShape, weights: Mapping[str, torch.Tensor], noise_of: Callable[[float, int], Samples]
) -> None:
    tokenizer = QwenTokenizer(small_tokenizer(), "test")
    aligner = ForcedAligner(shape, weights, tokenizer)
    clip = noise_of(11.3, 2)
    words = [tokenizer.encode(word) for word in ("so", "it", "goes", "世", "界")]
    with torch.inference_mode():
        found = aligner.classes(clip, words)
    assert found == oracle_classes(shape, weights, clip, words)
    assert len(set(found)) > 2


def test_words_have_times_that_rise(
    shape: ModelShape, weights: Mapping[str, torch.Tensor], noise_of: Callable[[float, int], Samples]
) -> None:
    aligner = ForcedAligner(shape, weights, QwenTokenizer(small_tokenizer(), "test"))
    words = aligner.align(noise_of(5.0, 3), " So, it goes - 世界!")
    assert [word.text for word in words] == ["So", "it", "goes", "世", "界"]
    times = [time for word in words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert aligner.align(noise_of(1.0, 1), " ... ") == []


def test_pieces_get_the_times_of_their_words() -> None:
    words = [AlignedWord("Hello", 0.5, 1.0), AlignedWord("world", 1.2, 9.0)]
    assert aligned_times([" Hel", "lo", ",", " world", "."], words, 2.0) == [
        (0.5, 1.0),
        (0.5, 1.0),
        (1.0, 1.0),
        (1.2, 2.0),
        (2.0, 2.0),
    ]


@pytest.mark.parametrize("layout", ["original", "transformers"])
def test_an_engine_with_an_aligner_gives_times(
    layout: Any,
    tmp_path: Path,
    toy: ModelShape,
    toy_weights: Mapping[str, torch.Tensor],
    shape: ModelShape,
    weights: Mapping[str, torch.Tensor],
) -> None:
    model = write_checkpoint(tmp_path / "model", toy, toy_weights)
    aligner = write_checkpoint(tmp_path / "aligner", shape, weights, layout)
    engine = load_qwen3(str(model), device="cpu", pool_bytes=2**24, aligner=str(aligner))
    assert engine.info.gives_times
    clip = (np.random.default_rng(0).standard_normal(320_000) * 0.1).astype(np.float32)
    prefix = QwenTokenizer(small_tokenizer(), "test").encode(" so it goes")
    found = engine.decode([DecodeRequest(clip, language="en", prefix=prefix, token_budget=2)])[0]
    words = ForcedAligner(shape, weights, QwenTokenizer(small_tokenizer(), "test")).align(clip, found.text)
    expected = aligned_times([piece.text for piece in found.pieces], words, 20.0)
    assert [(piece.start, piece.end) for piece in found.pieces] == expected
    assert len(set(expected)) > 2
    assert max(end for _, end in expected) <= 20.0


def test_the_aligner_runs_the_kernel_that_the_model_proved(
    tmp_path: Path, toy: ModelShape, toy_weights: Mapping[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = replace(toy, classes=300)
    model = write_checkpoint(tmp_path / "model", toy, toy_weights)
    aligner = write_checkpoint(tmp_path / "aligner", shape, random_weights(shape, seed=9))
    loaded: list[ForcedAligner] = []
    load = loading._load_aligner

    def noted(*given: Any) -> ForcedAligner:
        loaded.append(load(*given))
        return loaded[-1]

    monkeypatch.setattr(loading, "_load_aligner", noted)
    # As on a device whose fast kernel is there and turned out to be wrong.
    monkeypatch.setattr("wavescribe.engines.qwen3.model.choose_kernel", lambda *_: "varlen")
    monkeypatch.setattr(loading, "proven_kernel", lambda *_: ("plain", "varlen gives other scores"))
    load_qwen3(str(model), device="cpu", pool_bytes=2**24, aligner=str(aligner)).close()
    assert loaded[0].kernel == "plain"


def test_an_aligner_that_fails_fails_its_own_stream_alone(
    tmp_path: Path, toy: ModelShape, toy_weights: Mapping[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: ForcedAligner, samples: Samples, text: str) -> list[AlignedWord]:
        raise RuntimeError("no memory")

    shape = replace(toy, classes=300)
    model = write_checkpoint(tmp_path / "model", toy, toy_weights)
    aligner = write_checkpoint(tmp_path / "aligner", shape, random_weights(shape, seed=9))
    engine = load_qwen3(str(model), device="cpu", pool_bytes=2**24, aligner=str(aligner))
    monkeypatch.setattr(ForcedAligner, "align", fail)
    clip = (np.random.default_rng(0).standard_normal(32_000) * 0.1).astype(np.float32)
    wanted, other = (
        DecodeRequest(clip, language="en", token_budget=4, times=times, cache_key=(name, 0))
        for name, times in (("a", True), ("b", False))
    )
    answers = engine.decode_each([wanted, other])
    assert isinstance(answers[0], EngineError)
    assert "no memory" in str(answers[0])
    assert isinstance(answers[1], Hypothesis)

    def lose(self: ForcedAligner, samples: Samples, text: str) -> list[AlignedWord]:
        raise torch.AcceleratorError("device-side assert triggered")

    monkeypatch.setattr(ForcedAligner, "align", lose)
    with pytest.raises(EngineLostError, match="device-side assert"):
        engine.decode_each([wanted, other])
