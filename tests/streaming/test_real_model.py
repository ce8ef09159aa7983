"""The streaming core with the real model and the real voice activity detector: the invariants that need both."""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from wavescribe.audio.decoding import decode_audio
from wavescribe.bench.metrics.word_errors import error_rate, normalise
from wavescribe.bench.streamed import run_streamed
from wavescribe.demo import TEXT
from wavescribe.engines.base import (
    DecodeRequest,
    Engine,
    EngineInfo,
    FileOptions,
    FileTranscription,
    Hypothesis,
    Samples,
)
from wavescribe.engines.whisper import WhisperEngine, load_whisper
from wavescribe.streaming.events import Settled
from wavescribe.streaming.parameters import StreamParameters

pytestmark = pytest.mark.model

GOLD = normalise(TEXT, "en")
ENGLISH = StreamParameters(language="en")


class CountingEngine:
    """The real engine, its decodes counted."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.requests: list[DecodeRequest] = []

    @property
    def info(self) -> EngineInfo:
        return self._engine.info

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        self.requests += requests
        return self._engine.decode(requests)

    def transcribe_file(self, samples: Samples, options: FileOptions) -> FileTranscription:
        return self._engine.transcribe_file(samples, options)

    def close(self) -> None:
        self._engine.close()


@pytest.fixture(scope="module")
def model() -> Iterator[WhisperEngine]:
    engine = load_whisper("whisper-base")
    yield engine
    engine.close()


def clip(package: str, path: str) -> Samples:
    found = importlib.util.find_spec(package)
    assert found is not None
    assert found.submodule_search_locations
    return decode_audio(Path(found.submodule_search_locations[0]) / path, max_seconds=60)


def noise(seconds: float, level: float) -> Samples:
    return np.random.default_rng(1).normal(0, level, round(seconds * 16_000)).astype(np.float32)


def tones(seconds: float) -> Samples:
    time = np.arange(round(seconds * 16_000)) / 16_000
    return (0.3 * np.sin(2 * np.pi * (440 + 200 * np.sign(np.sin(time))) * time)).astype(np.float32)


@pytest.mark.parametrize(
    "samples",
    [np.zeros(60 * 16_000, np.float32), noise(60, 0.05), noise(60, 0.3), tones(60)],
    ids=["silence", "quiet noise", "loud noise", "tones"],
)
def test_a_minute_without_speech_gives_no_text_and_hardly_a_decode(model: WhisperEngine, samples: Samples) -> None:
    engine = CountingEngine(model)
    run = run_streamed(engine, samples, ENGLISH)
    assert run.text == ""
    assert len(engine.requests) <= 2
    assert run.held_seconds < 3


def test_a_looped_phrase_is_written_as_often_as_it_was_said(model: WhisperEngine) -> None:
    fox = clip("pytest_audioeval", "samples/audio/en/quick_brown_fox.wav")
    run = run_streamed(model, np.tile(fox, 20), ENGLISH)
    gold = normalise("the quick brown fox jumps over the lazy dog " * 20, "en")
    assert abs(len(normalise(run.text, "en")) - len(gold)) <= 0.03 * len(gold)


def test_deltas_join_to_the_transcript_and_the_text_is_right(model: WhisperEngine) -> None:
    run = run_streamed(model, clip("moonshine_voice", "assets/two_cities.wav"), ENGLISH)
    assert "".join(event.delta for event in run.events if isinstance(event, Settled)) == run.text
    assert error_rate([(GOLD, normalise(run.text, "en"))]).rate <= 0.06


def test_skipped_steps_cost_little(model: WhisperEngine) -> None:
    samples = clip("moonshine_voice", "assets/two_cities.wav")
    skipped = run_streamed(model, samples, ENGLISH, skip=random.Random(3))
    whole = run_streamed(model, samples, ENGLISH)
    assert len(skipped.steps) < len(whole.steps)
    assert error_rate([(GOLD, normalise(skipped.text, "en"))]).rate <= 0.06


@pytest.mark.parametrize(
    ("name", "language"), [("zh/pangrama", "zh"), ("ja/pangrama", "ja"), ("fr/comptage", "fr"), ("es/conteo", "es")]
)
def test_text_in_other_languages_settles_while_it_is_spoken(model: WhisperEngine, name: str, language: str) -> None:
    speech = clip("pytest_audioeval", f"samples/audio/{name}.wav")
    samples = np.concatenate([speech, speech, speech])
    run = run_streamed(model, samples, StreamParameters(language=language))
    first: Settled = next(event for event in run.events if isinstance(event, Settled))
    assert first.position < 0.8 * len(samples)
