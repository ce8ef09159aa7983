"""Where each word of a gold text is in its recording, and where the speech of a recording lies.

Recordings of up to 28 seconds: the gold text is aligned by force with Whisper's cross attention (`align`). Longer
ones: the model transcribes the file with word times, and each gold word takes the times of the recognised word that
its characters fall on; words that were not recognised there are left out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from faster_whisper.tokenizer import Tokenizer

from wavescribe.bench.corpus import Recording
from wavescribe.bench.metrics.settle_lag import characters, match_words
from wavescribe.bench.metrics.timeline import GoldWord
from wavescribe.engines.base import FileOptions, Samples
from wavescribe.engines.whisper import WhisperEngine
from wavescribe.engines.whisper.features import FRAME_SAMPLES, encoder_input
from wavescribe.engines.word_groups import is_unspaced
from wavescribe.vad.detector import FRAME_SAMPLES as VAD_FRAME_SAMPLES
from wavescribe.vad.silero import SileroDetector

RATE = 16_000
SPEECH_PROBABILITY = 0.5
VAD_FRAME_SECONDS = VAD_FRAME_SAMPLES / RATE

Times = npt.NDArray[np.float64]
"""Seconds from a recording's start, shape (count,), rising."""


@dataclass(frozen=True, slots=True)
class TimedRecording:
    """A recording with the place of everything that is said in it; times in seconds from its start.

    Attributes:
        recording: what it is.
        samples: float32 at 16 kHz.
        words: the gold words whose place is known.
        speech_end: where the last speech ends, by the voice activity detector.
        speech_seconds: how much of it is speech.
        speech_start: where the first speech begins.
    """

    recording: Recording
    samples: Samples
    words: tuple[GoldWord, ...]
    speech_end: float
    speech_seconds: float
    speech_start: float = 0.0


class GoldTimes:
    """Times recordings, each once.

    Args:
        engine: aligns.
    """

    def __init__(self, engine: WhisperEngine) -> None:
        self._engine = engine
        self._model = engine.faster_whisper
        self._known: dict[str, TimedRecording] = {}
        self._tokenizer = lru_cache(maxsize=None)(self._make_tokenizer)

    def of(self, recording: Recording) -> TimedRecording:
        """The recording with its times."""
        if recording.name not in self._known:
            self._known[recording.name] = self._time(recording)
        return self._known[recording.name]

    def _time(self, recording: Recording) -> TimedRecording:
        samples = recording.samples()
        words = gold_words(recording)
        short = len(samples) <= self._engine.info.max_window_seconds * RATE
        timed = (self._aligned if short else self._from_file)(samples, words, recording.language)
        speech = speech_ends(samples)
        return TimedRecording(
            recording=recording,
            samples=samples,
            words=tuple(replace(word, end=end_in_speech(word, speech)) for word in timed),
            speech_end=float(speech[-1]) if len(speech) else 0.0,
            speech_seconds=len(speech) * VAD_FRAME_SECONDS,
            speech_start=float(speech[0]) - VAD_FRAME_SECONDS if len(speech) else 0.0,
        )

    def _aligned(self, samples: Samples, words: list[str], language: str) -> list[GoldWord]:
        tokenizer = self._tokenizer(language)
        separator = "" if words and all(map(is_unspaced, words[0])) else " "
        tokens = [tokenizer.encode(separator + word) for word in words]
        boundaries = np.cumsum([0, *map(len, tokens)])
        times = self._boundaries(samples, [token for word in tokens for token in word], tokenizer)
        places = [(float(times[start]), float(times[end])) for start, end in pairwise(boundaries)]
        return [GoldWord(word, *place) for word, place in zip(words, places, strict=True)]

    def _boundaries(self, samples: Samples, tokens: list[int], tokenizer: Tokenizer) -> list[float]:
        """Where each token begins, and where the last one ends."""
        encoded = self._model.model.encode(encoder_input(self._model.feature_extractor, samples))
        frames = max(1, len(samples) // FRAME_SAMPLES)
        found = self._model.model.align(encoded, list(tokenizer.sot_sequence), [tokens], [frames])[0].alignments
        first: dict[int, float] = {}
        for token, position in found:
            first.setdefault(token, position * 0.02)
        last = found[-1][1] * 0.02 if found else 0.0
        return [first.get(index, last) for index in range(len(tokens) + 1)]

    def _from_file(self, samples: Samples, words: list[str], language: str) -> list[GoldWord]:
        options = FileOptions(language=language, word_times=True)
        transcription = self._engine.transcribe_file(samples, options)
        heard = [word for segment in transcription.segments for word in segment.words]
        matches = match_words(words, [word.text for word in heard])
        return [
            GoldWord(word, heard[match].start, heard[match].end)
            for word, match in zip(words, matches, strict=True)
            if match is not None
        ]

    def _make_tokenizer(self, language: str) -> Tokenizer:
        multilingual = self._model.model.is_multilingual
        return Tokenizer(self._model.hf_tokenizer, multilingual, task="transcribe", language=language)


def gold_words(recording: Recording) -> list[str]:
    """The words of the gold text that have a letter or digit; in scripts without spaces, its characters.

    Text that is all upper case is written small, as the model writes: capitals align badly.
    """
    text = recording.text.lower() if recording.text.isupper() else recording.text
    words: list[str] = []
    for part in text.split():
        words += list(part) if any(map(is_unspaced, part)) else [part]
    return [word for word in words if characters(word)]


def speech_ends(samples: Samples) -> Times:
    """Where each frame that the voice activity detector takes for speech ends, in seconds; shape (frames,)."""
    probabilities = np.array(SileroDetector().probabilities(samples))
    frames = np.flatnonzero(probabilities >= SPEECH_PROBABILITY) + 1
    return (frames * VAD_FRAME_SECONDS).astype(np.float64)


def end_in_speech(word: GoldWord, speech: Times) -> float:
    """A word's end without the silence after it, which cross attention gives to the word before."""
    after = int(np.searchsorted(speech, word.end, side="left"))
    if after < len(speech) and speech[after] - VAD_FRAME_SECONDS < word.end:
        return word.end
    before = float(speech[after - 1]) if after else word.end
    return before if before > word.start else word.end
