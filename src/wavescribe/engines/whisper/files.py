"""Whole recordings: voice activity filter, beam search and long-form decoding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from wavescribe.engines.base import FileOptions, FileTranscription, Samples, Segment, Word
from wavescribe.engines.whisper.features import SAMPLE_RATE
from wavescribe.errors import EngineError

BEAM_SIZE = 5
FALLBACK_TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
VAD_OPTIONS = {"min_silence_duration_ms": 1000, "speech_pad_ms": 400}


def transcribe_file(model: Any, samples: Samples, options: FileOptions) -> FileTranscription:
    """Run faster-whisper's long-form decoding; the segments are decoded as they are read.

    Args:
        model: the faster-whisper model.
        samples: shape (samples,), mono at 16 kHz.
        options: as given by the caller; the language has been checked.
    """
    duration = len(samples) / SAMPLE_RATE
    if not np.any(samples):
        return FileTranscription(options.language or "en", 0.0, duration, iter(()))
    try:
        segments, info = model.transcribe(
            samples,
            language=options.language,
            task=options.task,
            beam_size=BEAM_SIZE,
            temperature=FALLBACK_TEMPERATURES if options.temperature == 0 else options.temperature,
            initial_prompt=options.prompt or None,
            hotwords=", ".join(options.keywords) or None,
            condition_on_previous_text=False,
            word_timestamps=options.word_times,
            vad_filter=True,
            vad_parameters=VAD_OPTIONS,
        )
    except (RuntimeError, ValueError) as error:
        raise EngineError(f"the model failed on the file: {error}") from error
    return FileTranscription(info.language, float(info.language_probability), duration, _convert(segments, duration))


def _convert(segments: Iterable[Any], duration: float) -> Iterator[Segment]:
    try:
        for index, segment in enumerate(segments):
            yield _segment(index, segment, duration)
    except (RuntimeError, ValueError) as error:
        raise EngineError(f"the model failed on the file: {error}") from error


def _segment(index: int, segment: Any, duration: float) -> Segment:
    return Segment(
        id=index,
        seek=int(segment.seek),
        start=min(float(segment.start), duration),
        end=min(float(segment.end), duration),
        text=segment.text,
        tokens=tuple(segment.tokens),
        temperature=float(segment.temperature or 0.0),
        average_logprob=float(segment.avg_logprob),
        compression_ratio=float(segment.compression_ratio),
        no_speech_probability=float(segment.no_speech_prob),
        words=tuple(
            Word(word.word, min(float(word.start), duration), min(float(word.end), duration), float(word.probability))
            for word in segment.words or ()
        ),
    )
