"""Headerless samples to and from bytes: 16-bit PCM and the two laws of ITU-T G.711."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from wavescribe.engines.base import Samples
from wavescribe.errors import AudioFormatError

FULL_SCALE: Final = 32768
"""The 16-bit magnitude that is 1.0 in float samples."""

_MULAW_BIAS: Final = 0x84


def decode_pcm16(data: bytes | memoryview) -> Samples:
    """Decode signed 16-bit little-endian mono PCM.

    Args:
        data: two bytes a sample.

    Returns:
        Samples of shape (len(data) / 2,), float32 in [-1, 1); a copy.

    Raises:
        AudioFormatError: the number of bytes is odd (code "invalid_audio_format").
    """
    if len(data) % 2:
        raise AudioFormatError(
            f"16-bit PCM needs an even number of bytes, got {len(data)}", code="invalid_audio_format"
        )
    return np.frombuffer(data, dtype="<i2").astype(np.float32) / np.float32(FULL_SCALE)


def encode_pcm16(samples: Samples) -> bytes:
    """Encode samples as signed 16-bit little-endian PCM; what lies beyond [-1, 1) is clipped.

    Args:
        samples: shape (samples,), finite floats.

    Returns:
        Two bytes a sample; the exact inverse of `decode_pcm16`.
    """
    scaled = np.rint(np.asarray(samples, dtype=np.float64) * FULL_SCALE)
    return np.clip(scaled, -FULL_SCALE, FULL_SCALE - 1).astype("<i2").tobytes()


def decode_mulaw(data: bytes | memoryview) -> Samples:
    """Decode G.711 mu-law, mono.

    Args:
        data: one byte a sample.

    Returns:
        Samples of shape (len(data),), float32 in [-1, 1].
    """
    return _MULAW_TABLE[np.frombuffer(data, dtype=np.uint8)]


def decode_alaw(data: bytes | memoryview) -> Samples:
    """Decode G.711 A-law, mono.

    Args:
        data: one byte a sample.

    Returns:
        Samples of shape (len(data),), float32 in [-1, 1].
    """
    return _ALAW_TABLE[np.frombuffer(data, dtype=np.uint8)]


def _fields(code: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Split codes into the segment (3 bits) and the step within it (4 bits)."""
    return (code >> 4) & 0x07, code & 0x0F


def _mulaw_table() -> Samples:
    """The float value of each mu-law byte, shape (256,): G.711's 14-bit values, scaled to 16 bits."""
    code = ~np.arange(256) & 0xFF  # the line carries the complement
    segment, step = _fields(code)
    magnitude = (((step << 3) + _MULAW_BIAS) << segment) - _MULAW_BIAS
    return _signed(magnitude, negative=code >= 0x80)


def _alaw_table() -> Samples:
    """The float value of each A-law byte, shape (256,): G.711's 13-bit values, scaled to 16 bits."""
    code = np.arange(256) ^ 0x55  # the line carries every other bit inverted
    segment, step = _fields(code)
    linear = (step << 4) + 8
    magnitude = np.where(segment == 0, linear, (linear + 0x100) << np.maximum(segment - 1, 0))
    return _signed(magnitude, negative=code < 0x80)


def _signed(magnitude: npt.NDArray[np.int64], *, negative: npt.NDArray[np.bool_]) -> Samples:
    return (np.where(negative, -magnitude, magnitude) / FULL_SCALE).astype(np.float32)


_MULAW_TABLE: Final = _mulaw_table()
_ALAW_TABLE: Final = _alaw_table()
