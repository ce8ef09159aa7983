"""Offline decoding of the same recordings on the same weights: what streaming is compared with."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from wavescribe.engines.base import Engine, FileOptions, Samples
from wavescribe.engines.whisper import WhisperEngine


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
    started = time.process_time()
    text = "".join(_texts(engine, samples, language, beam_size))
    return OfflineRun(text, time.process_time() - started)


def _texts(engine: Engine, samples: Samples, language: str, beam_size: int) -> Iterator[str]:
    if not isinstance(engine, WhisperEngine):  # an engine whose files are decoded greedily
        file = engine.transcribe_file(samples, FileOptions(language=language))
        return (segment.text for segment in file.segments)
    segments, _ = engine.faster_whisper.transcribe(
        samples, language=language, beam_size=beam_size, condition_on_previous_text=False
    )
    return (segment.text for segment in segments)
