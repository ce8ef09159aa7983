from __future__ import annotations

import numpy as np
import pytest

from wavescribe.api.realtime.audio_input import AudioInput
from wavescribe.engines.base import Samples

RATE = 16_000


def tone(seconds: float, rate: int) -> Samples:
    return (0.5 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def joined(parts: list[Samples]) -> Samples:
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def resampled(audio: AudioInput, samples: Samples, rate: int, packet: int) -> Samples:
    packets = (samples[start : start + packet] for start in range(0, len(samples), packet))
    return joined([*(part for piece in packets for part in audio.push(piece, rate)), audio.end_turn()])


@pytest.mark.parametrize("rate", [8_000, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("packet", [7, 997])
def test_packets_leave_no_seams(rate: int, packet: int) -> None:
    samples = tone(0.5, rate)
    whole = resampled(AudioInput(RATE), samples, rate, len(samples))
    assert np.array_equal(resampled(AudioInput(RATE), samples, rate, packet), whole)
    assert len(whole) == RATE // 2
    assert np.abs(whole - tone(0.5, RATE))[200:-200].max() < 0.01


def test_audio_at_the_rate_of_the_engine_comes_out_at_once_and_unchanged() -> None:
    audio, samples = AudioInput(RATE), tone(0.1, RATE)
    assert np.array_equal(joined(audio.push(samples, RATE)), samples)
    assert len(audio.end_turn()) == 0


def test_another_rate_in_mid_stream_loses_nothing_of_the_older_one() -> None:
    audio = AudioInput(RATE)
    first = joined(audio.push(tone(0.5, 24_000), 24_000))
    assert len(first) < RATE // 2
    both = joined([first, *audio.push(tone(0.25, 8_000), 8_000), *audio.push(tone(0.25, RATE), RATE)])
    assert len(both) == RATE
    assert np.abs(both[: RATE // 2] - tone(0.5, RATE))[200:-200].max() < 0.01


def test_turns_of_the_same_audio_are_the_same() -> None:
    audio, samples = AudioInput(RATE), tone(0.3, 24_000)
    first = resampled(audio, samples, 24_000, 480)
    assert np.array_equal(resampled(audio, samples, 24_000, 480), first)


def test_nothing_gives_nothing() -> None:
    audio = AudioInput(RATE)
    assert audio.push(np.zeros(0, np.float32), 24_000) == []
    assert len(audio.end_turn()) == 0
    assert audio.push(np.zeros(1, np.float32), 24_000) == []
