"""The floor of the features: how far below the loudest sound the model hears."""

from __future__ import annotations

from collections.abc import Sequence

from wavescribe.engines.qwen3.mel import DYNAMIC_RANGE, RawSecond
from wavescribe.engines.qwen3.options import FloorPolicy


def window_floors(seconds: Sequence[RawSecond], window_seconds: int, policy: FloorPolicy) -> list[float]:
    """The floor of each attention window, a pure function of the audio.

    Args:
        seconds: the clip's features.
        window_seconds: seconds of a window.
        policy: see FloorPolicy.
    """
    count = -(-len(seconds) // window_seconds)
    if policy == "exact":
        return [max(second.highest for second in seconds) - DYNAMIC_RANGE] * count
    ends = [min(len(seconds), (index + 1) * window_seconds) for index in range(count)]
    return [max(second.highest for second in seconds[:end]) - DYNAMIC_RANGE for end in ends]
