"""Samples to the encoder's input: log-mel of the window plus a short padding, not of 30 seconds."""

from __future__ import annotations

from typing import Any

import ctranslate2
import numpy as np

from wavescribe.engines.base import Samples

SAMPLE_RATE = 16_000
FRAME_SAMPLES = 160
"""Samples of one mel frame (10 ms)."""

PADDING_SECONDS = 1.5
"""Silence after the window. With less than about a second the decoder loops at the window's end."""

MINIMUM_SECONDS = 5.0
"""Shortest encoder input, padding included. Shorter inputs make the decoder loop."""

MAXIMUM_SECONDS = 30.0
"""Longest encoder input that the model was trained on."""


def padded_length(samples: int, *, thorough: bool = False) -> int:
    """Length in samples of the encoder input for a window of that many samples; 30 seconds when thorough."""
    if thorough:
        return int(MAXIMUM_SECONDS * SAMPLE_RATE)
    wanted = max(samples + int(PADDING_SECONDS * SAMPLE_RATE), int(MINIMUM_SECONDS * SAMPLE_RATE))
    return min(wanted, int(MAXIMUM_SECONDS * SAMPLE_RATE))


def encoder_input(extract: Any, samples: Samples, *, thorough: bool = False) -> ctranslate2.StorageView:
    """The log-mel features of a window, shape (1, mels, frames), float32.

    Args:
        extract: faster-whisper's feature extractor of the model.
        samples: shape (samples,), at most 30 seconds at 16 kHz.
        thorough: whether to pad to the 30 seconds that the model was trained on.
    """
    padded = np.zeros(padded_length(len(samples), thorough=thorough), dtype=np.float32)
    padded[: len(samples)] = samples[: len(padded)]
    features = extract(padded, padding=0)
    return ctranslate2.StorageView.from_array(np.ascontiguousarray(features[None], dtype=np.float32))
