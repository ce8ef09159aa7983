"""Audio as callers have it, to PCM of 16 bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from wavescribe.audio.pcm import encode_pcm16
from wavescribe.errors import AudioFormatError

AudioInput = bytes | bytearray | memoryview | npt.NDArray[np.floating[Any]] | npt.NDArray[np.int16]
"""Mono audio: signed 16-bit little-endian PCM as bytes, or an array of shape (samples,), int16 or floats in [-1, 1]."""


def as_pcm16(audio: AudioInput) -> bytes:
    """Signed 16-bit little-endian mono PCM.

    Args:
        audio: see AudioInput; floats beyond [-1, 1) are clipped.

    Raises:
        AudioFormatError: half a sample is left over, the array has another shape or type, or a number is not finite.
    """
    if isinstance(audio, bytes | bytearray | memoryview):
        data = bytes(audio)
        if len(data) % 2:
            raise AudioFormatError(f"16-bit PCM needs an even number of bytes, got {len(data)}")
        return data
    if audio.ndim != 1:
        raise AudioFormatError(f"audio must be mono, of shape (samples,), got shape {audio.shape}")
    if audio.dtype == np.int16:
        return audio.astype("<i2").tobytes()
    if not np.issubdtype(audio.dtype, np.floating):
        raise AudioFormatError(f"audio must be int16 or floats in [-1, 1], got an array of {audio.dtype}")
    if not np.isfinite(audio).all():
        raise AudioFormatError("audio has samples that are not finite numbers")
    return encode_pcm16(audio.astype(np.float32))
