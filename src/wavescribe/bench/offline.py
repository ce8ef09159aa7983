"""Offline decoding of the same recordings on the same weights: what streaming is compared with."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import ctranslate2

from wavescribe.bench.streamed import RATE
from wavescribe.engines.base import Engine, FileOptions, Samples
from wavescribe.engines.whisper import WhisperEngine

SEED = 1
"""Of the sampling that faster-whisper falls back to; CTranslate2 takes it before an engine has sampled for the first
time. The same measurement on the same recordings in the same order gives the same texts."""

WARM_UP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class OfflineRun:
    """The text of a whole recording, and the CPU seconds that it cost."""

    text: str
    cpu_seconds: float


def run_offline(engine: Engine, samples: Samples, language: str, beam_size: int = 1) -> OfflineRun:
    """Decoding of the whole recording; Whisper's by faster-whisper, in windows of 30 seconds.

    Faster-whisper decodes a window again, with sampling, where it repeats itself or is very improbable.

    Args:
        engine: the model.
        samples: float32 at 16 kHz.
        language: ISO 639-1 code.
        beam_size: hypotheses that Whisper follows; 1 is greedy decoding, and all that other engines have.
    """
    ctranslate2.set_random_seed(SEED)
    started = time.process_time()
    text = "".join(_texts(engine, samples, language, beam_size))
    return OfflineRun(text, time.process_time() - started)


def warm_up(engine: Engine, samples: Samples, language: str) -> None:
    """Decode a beginning, so that what is measured first does not pay for what an engine does only once.

    Args:
        engine: the model.
        samples: float32 at 16 kHz; speech.
        language: ISO 639-1 code.
    """
    run_offline(engine, samples[: round(WARM_UP_SECONDS * RATE)], language)


def _texts(engine: Engine, samples: Samples, language: str, beam_size: int) -> Iterator[str]:
    if not isinstance(engine, WhisperEngine):  # an engine whose files are decoded greedily
        file = engine.transcribe_file(samples, FileOptions(language=language))
        return (segment.text for segment in file.segments)
    segments, _ = engine.faster_whisper.transcribe(
        samples, language=language, beam_size=beam_size, condition_on_previous_text=False
    )
    return (segment.text for segment in segments)
