from __future__ import annotations

import wave
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from wavescribe.audio.pcm import encode_pcm16
from wavescribe.bench.corpus import Recording
from wavescribe.bench.gold_times import RATE, VAD_FRAME_SECONDS, GoldTimes, TimedRecording
from wavescribe.bench.installed_recordings import installed_recordings
from wavescribe.bench.stream_plan import join_recordings
from wavescribe.engines.base import FileOptions, FileTranscription, Samples, Segment, Word
from wavescribe.engines.whisper import load_whisper

SILENCE_SECONDS = 2.0


@pytest.fixture
def late(tmp_path: Path) -> Recording:
    """A spoken recording after two seconds of silence."""
    spoken = min((each for each in installed_recordings() if each.language == "en"), key=lambda each: each.seconds)
    samples = np.concatenate([np.zeros(round(SILENCE_SECONDS * RATE), dtype=np.float32), spoken.samples()])
    path = tmp_path / "late.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(encode_pcm16(samples))
    return Recording("late", path, len(samples) / RATE, "en", "short", spoken.text, False, "human")


class Transcriber:
    """An engine to which every recording is a long one, and which hears its first word from the beginning on."""

    def __init__(self) -> None:
        self.faster_whisper = SimpleNamespace()
        self.info = SimpleNamespace(max_window_seconds=0.1)
        self.asked: list[FileOptions] = []

    def transcribe_file(self, samples: Samples, options: FileOptions) -> FileTranscription:
        self.asked.append(options)
        words = (Word(" And", 0.0, 2.5, 1.0), Word(" so", 2.5, 3.0, 1.0))
        segment = Segment(0, 0, 0.0, 3.0, " And so", (), 0.0, 0.0, 1.0, 0.0, words)
        return FileTranscription("en", 1.0, len(samples) / RATE, iter([segment]))


def begun(timed: TimedRecording) -> float:
    (utterance,) = join_recordings([timed], turns="manual").utterances
    return utterance.speech_start


def test_silence_before_the_first_word_is_no_speech_whatever_the_words_times_say(late: Recording) -> None:
    engine: Any = Transcriber()
    timed = GoldTimes(engine).of(Recording("r", late.path, late.seconds, "en", "short", "And so", False, "human"))
    assert [(word.text, word.start) for word in timed.words] == [("And", 0.0), ("so", 2.5)]
    # The detector's frames are of 32 ms, and its first may lie a little before the clip's own sound.
    assert SILENCE_SECONDS - 2 * VAD_FRAME_SECONDS < timed.speech_start < timed.speech_end
    assert begun(timed) == timed.speech_start


def test_a_long_recording_is_heard_in_its_language(late: Recording) -> None:
    engine: Any = Transcriber()
    GoldTimes(engine).of(Recording("r", late.path, late.seconds, "de", "long", "And so", False, "human"))
    assert engine.asked == [FileOptions(language="de", word_times=True)]


@pytest.mark.model
def test_speech_begins_after_the_silence_that_alignment_gives_to_the_first_word(late: Recording) -> None:
    engine = load_whisper("whisper-tiny.en", threads_per_worker=2)
    try:
        timed = GoldTimes(engine).of(late)
    finally:
        engine.close()
    assert timed.words[0].start < SILENCE_SECONDS / 2  # which is why the detector is asked
    assert SILENCE_SECONDS - 2 * VAD_FRAME_SECONDS < begun(timed) < timed.words[0].end
