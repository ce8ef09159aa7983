"""Sound in which nothing is said."""

from __future__ import annotations

import numpy as np

from wavescribe.bench.streamed import RATE
from wavescribe.engines.base import Samples


def quiet_sound(seconds: float) -> Samples:
    """Digital silence, then as much faint noise; float32 at 16 kHz, the same each time.

    Args:
        seconds: of both together.
    """
    half = round(seconds / 2 * RATE)
    noise = np.random.default_rng(1).normal(0, 0.003, half)
    return np.concatenate([np.zeros(half), noise]).astype(np.float32)
