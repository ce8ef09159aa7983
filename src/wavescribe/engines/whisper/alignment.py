"""Start and end of tokens from the cross-attention of the model's alignment heads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SECONDS_PER_POSITION = 0.02
"""The encoder's output has 50 positions a second."""


def token_boundaries(path: Sequence[tuple[int, int]], tokens: int) -> list[float]:
    """Where each token starts, in seconds from the start of the window, and where the last one ends.

    Args:
        path: the dynamic time warping path, pairs of (token index, encoder position), both never falling.
        tokens: how many text tokens were aligned; the path may have one more for the end of the text.

    Returns:
        tokens + 1 times in seconds, never falling.
    """
    indices = np.array([pair[0] for pair in path])
    positions = np.array([pair[1] for pair in path])
    firsts = np.pad(np.diff(indices), (1, 0), constant_values=1).astype(bool)
    starts = list(positions[firsts] * SECONDS_PER_POSITION)
    last = float(positions[-1]) * SECONDS_PER_POSITION
    return [float(start) for start in starts[: tokens + 1]] + [last] * max(0, tokens + 1 - len(starts))
