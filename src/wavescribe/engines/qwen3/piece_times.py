"""Estimated times of pieces, where no aligner is loaded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wavescribe.engines.base import Samples
from wavescribe.engines.qwen3.geometry import SAMPLE_RATE

FRAME = SAMPLE_RATE // 50
"""Samples of a 20 ms frame."""

VOICED_SHARE = 0.05
"""A frame counts as sound above this share of the loudest one (-26 dB)."""


def estimated_times(texts: Sequence[str], samples: Samples) -> list[tuple[float, float]]:
    """Start and end of each text in seconds: characters spread evenly over the frames that have sound.

    The model says nothing about times. This is good enough to tell old words from new ones, and no more.

    Args:
        texts: the pieces in order.
        samples: the window's audio.
    """
    voiced = _voiced_frames(samples)
    ends = np.cumsum([max(1, len(text.strip())) for text in texts])
    if not len(ends):
        return []
    places = np.minimum((ends / ends[-1] * len(voiced)).round().astype(int), len(voiced))
    starts = np.concatenate([[0], places[:-1]])
    seconds = FRAME / SAMPLE_RATE
    return [
        (float(voiced[min(first, len(voiced) - 1)] * seconds), float((voiced[max(first, last - 1, 0)] + 1) * seconds))
        if first < len(voiced)
        else (float((voiced[-1] + 1) * seconds), float((voiced[-1] + 1) * seconds))
        for first, last in zip(starts, places, strict=True)
    ]


def _voiced_frames(samples: Samples) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Indices of the frames that have sound; all of them where none has."""
    count = max(1, len(samples) // FRAME)
    padded = np.pad(samples, (0, max(0, count * FRAME - len(samples))))[: count * FRAME].reshape(count, FRAME)
    level = np.sqrt(np.mean(padded.astype(np.float64) ** 2, axis=1))
    voiced = np.flatnonzero(level > VOICED_SHARE * level.max())
    return voiced if len(voiced) else np.arange(count)
