from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wavescribe.audio.decoding import decode_audio
from wavescribe.engines.base import Samples
from wavescribe.vad.detector import FRAME_SAMPLES
from wavescribe.vad.silero import SileroDetector

RATE = 16_000
LANGUAGES = ("en", "es", "fr", "hi", "it", "ja", "pl", "pt", "zh")


def recordings(language: str) -> list[Samples]:
    specification = importlib.util.find_spec("pytest_audioeval")
    assert specification is not None
    assert specification.submodule_search_locations is not None
    folder = Path(next(iter(specification.submodule_search_locations))) / "samples" / "audio" / language
    return [decode_audio(path, max_seconds=60) for path in sorted(folder.glob("*.wav"))]


@pytest.fixture(scope="module")
def speech() -> Samples:
    return np.concatenate(recordings("en"))


@pytest.fixture(scope="module")
def whole(speech: Samples) -> list[float]:
    return SileroDetector().probabilities(speech)


def in_packets(samples: Samples, ends: list[int]) -> list[float]:
    detector = SileroDetector()
    packets = np.split(samples, ends)
    return [probability for packet in packets for probability in detector.probabilities(packet)]


def noise(level: float, seed: int, seconds: float = 10) -> Samples:
    generator = np.random.default_rng(seed)
    return np.clip(generator.normal(0, level, round(seconds * RATE)), -1, 1).astype(np.float32)


def tone(frequency: float, level: float, seconds: float = 5) -> Samples:
    time = np.arange(round(seconds * RATE)) / RATE
    return (level * np.sin(2 * np.pi * frequency * time)).astype(np.float32)


@pytest.mark.parametrize("packet", [16, 160, 317, 511, 512, 513, 1_600, 16_000])
def test_packets_of_any_size_give_the_same_probabilities_to_the_bit(
    speech: Samples, whole: list[float], packet: int
) -> None:
    assert in_packets(speech, list(range(packet, len(speech), packet))) == whole


@settings(deadline=None, max_examples=25)
@given(ends=st.lists(st.integers(0, 2 * RATE), max_size=40).map(sorted))
def test_packets_of_mixed_sizes_give_the_same_probabilities_to_the_bit(
    speech: Samples, whole: list[float], ends: list[int]
) -> None:
    assert in_packets(speech[: 2 * RATE], ends) == whole[: 2 * RATE // FRAME_SAMPLES]


def test_each_whole_frame_has_a_probability(speech: Samples, whole: list[float]) -> None:
    assert len(whole) == len(speech) // FRAME_SAMPLES
    assert all(0 <= probability <= 1 for probability in whole)


def test_an_empty_packet_completes_no_frame() -> None:
    assert SileroDetector().probabilities(np.zeros(0, dtype=np.float32)) == []


def test_a_packet_may_be_overwritten_after_it_was_taken(speech: Samples, whole: list[float]) -> None:
    detector = SileroDetector()
    buffer = np.empty(700, dtype=np.float32)
    heard: list[float] = []
    for start in range(0, len(speech) - len(buffer), len(buffer)):
        buffer[:] = speech[start : start + len(buffer)]
        heard += detector.probabilities(buffer)
        buffer[:] = 1
    assert heard == whole[: len(heard)]


def test_two_streams_do_not_influence_each_other(speech: Samples, whole: list[float]) -> None:
    other = noise(0.3, seed=1, seconds=len(speech) / RATE)
    alone = SileroDetector().probabilities(other)
    first, second = SileroDetector(), SileroDetector()
    interleaved: tuple[list[float], list[float]] = ([], [])
    for start in range(0, len(speech), 1_000):
        interleaved[0].extend(first.probabilities(speech[start : start + 1_000]))
        interleaved[1].extend(second.probabilities(other[start : start + 1_000]))
    assert interleaved == (whole, alone)


def test_what_was_heard_before_is_remembered(speech: Samples) -> None:
    detector = SileroDetector()
    frame = speech[RATE : RATE + FRAME_SAMPLES]
    first = detector.probabilities(frame)
    detector.probabilities(speech[:RATE])
    assert detector.probabilities(frame) != first


@pytest.mark.parametrize("language", LANGUAGES)
def test_most_of_a_spoken_recording_is_speech(language: str) -> None:
    for samples in recordings(language):
        probabilities = SileroDetector().probabilities(samples)
        assert sum(probability > 0.5 for probability in probabilities) > len(probabilities) / 2


def test_digital_silence_is_not_speech() -> None:
    assert max(SileroDetector().probabilities(np.zeros(60 * RATE, dtype=np.float32))) < 0.1


def test_silence_after_speech_is_not_speech(speech: Samples) -> None:
    heard = np.concatenate([speech, np.zeros(5 * RATE, dtype=np.float32)])
    assert max(SileroDetector().probabilities(heard)[-4 * RATE // FRAME_SAMPLES :]) < 0.35


@pytest.mark.parametrize("level", [0.001, 0.01, 0.1, 0.3, 0.5])
def test_white_noise_is_not_speech(level: float) -> None:
    assert max(SileroDetector().probabilities(noise(level, seed=0))) < 0.5


@pytest.mark.parametrize("level", [0.01, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("frequency", [50, 100, 150, 200, 300, 440, 1_000, 4_000])
def test_a_tone_is_not_speech(frequency: int, level: float) -> None:
    assert max(SileroDetector().probabilities(tone(frequency, level))) < 0.5
