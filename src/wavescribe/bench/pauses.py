"""Speech with its pauses cut out: the most that a strategy can be given to hear, for no pause closes a window."""

from __future__ import annotations

import numpy as np

from wavescribe.bench.gold_times import SPEECH_PROBABILITY
from wavescribe.engines.base import Samples
from wavescribe.vad.detector import FRAME_SAMPLES
from wavescribe.vad.silero import SileroDetector


def without_pauses(samples: Samples) -> Samples:
    """The frames of 32 ms that the voice activity detector takes for speech, one after the other.

    Args:
        samples: shape (samples,), float32 at 16 kHz.

    Returns:
        Shape (512 * frames,), float32; empty where nobody speaks.
    """
    probabilities = np.array(SileroDetector().probabilities(samples))
    frames = samples[: len(probabilities) * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    return np.ravel(frames[probabilities >= SPEECH_PROBABILITY])
