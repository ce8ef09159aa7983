"""Offline decoding of the same recordings on the same weights: what streaming is compared with."""

from __future__ import annotations

import time
from dataclasses import dataclass

from wavescribe.engines.base import Samples
from wavescribe.engines.whisper import WhisperEngine


@dataclass(frozen=True, slots=True)
class OfflineRun:
    """The text of a whole recording, and the CPU seconds that it cost."""

    text: str
    cpu_seconds: float


def run_offline(engine: WhisperEngine, samples: Samples, language: str) -> OfflineRun:
    """Plain greedy decoding of the whole recording by faster-whisper, in windows of 30 seconds.

    Args:
        engine: the model.
        samples: float32 at 16 kHz.
        language: ISO 639-1 code.
    """
    started = time.process_time()
    segments, _ = engine.faster_whisper.transcribe(
        samples, language=language, beam_size=1, condition_on_previous_text=False
    )
    text = "".join(segment.text for segment in segments)
    return OfflineRun(text, time.process_time() - started)
