"""Whether anybody speaks in a stretch of a recording: a model that is told the language writes words of noise, too."""

from __future__ import annotations

import numpy as np

from wavescribe.engines.base import Samples
from wavescribe.vad.silero import SileroDetector

SPEECH_PROBABILITY = 0.5
LEAST_FRAMES = 3
"""Frames of 32 ms in a row that speech takes at least."""


def has_speech(samples: Samples) -> bool:
    """Whether there is speech, by the voice activity detector that live streams are gated with.

    Args:
        samples: shape (samples,), float32 at 16 kHz.
    """
    if not np.any(samples):
        return False
    run = 0
    for probability in SileroDetector().probabilities(samples):
        run = run + 1 if probability >= SPEECH_PROBABILITY else 0
        if run == LEAST_FRAMES:
            return True
    return False
