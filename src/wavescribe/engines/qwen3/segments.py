"""Bounded sessions: where a stream's audio is cut into segments, each a clip of its own.

A cut is a function of the segment's audio: the first pause after a least length, or at the cap the quietest tenth of
a second of the last few. Audio after a cut belongs to the next segment; nothing is heard twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wavescribe.engines.base import Samples
from wavescribe.engines.qwen3.geometry import SAMPLE_RATE

TICK = SAMPLE_RATE // 10
"""Samples of a tenth of a second; pauses and cuts are found at this grain."""

QUIET_SHARE = 0.05
"""A tick is quiet below this share of the segment's loudest tick so far (-26 dB)."""


@dataclass(frozen=True, slots=True)
class RollOver:
    """When a segment ends.

    Attributes:
        least_seconds: no pause ends a shorter segment.
        cap_seconds: the longest segment.
        pause_seconds: quiet that ends a segment; 0 for the cap alone.
        search_seconds: at the cap, the cut lies in these last seconds.
    """

    least_seconds: float = 8.0
    cap_seconds: float = 32.0
    pause_seconds: float = 0.4
    search_seconds: float = 3.0


@dataclass(frozen=True, slots=True)
class Cut:
    """The end of a segment.

    Attributes:
        position: samples from the segment's start where it ends.
        known_at: samples from the segment's start after which that was known.
    """

    position: int
    known_at: int


def find_cut(samples: Samples, rule: RollOver) -> Cut | None:
    """The end of the segment that begins with these samples, or None while it is open.

    Args:
        samples: shape (samples,), from the segment's start; more audio never changes a cut that was found.
        rule: when a segment ends.
    """
    cap = round(rule.cap_seconds * 10)
    ticks = _loudness(samples[: cap * TICK])
    if rule.pause_seconds > 0:
        pause = round(rule.pause_seconds * 10)
        quiet = ticks < QUIET_SHARE * np.maximum.accumulate(ticks) if len(ticks) else np.zeros(0, dtype=bool)
        for end in range(max(pause, round(rule.least_seconds * 10)), len(ticks) + 1):
            if quiet[end - pause : end].all():
                return Cut((end - pause // 2) * TICK, end * TICK)
    if len(ticks) < cap:
        return None
    first = cap - round(rule.search_seconds * 10)
    quietest = first + int(np.argmin(ticks[first:cap]))
    return Cut(quietest * TICK + TICK // 2, cap * TICK)


def _loudness(samples: Samples) -> npt.NDArray[np.float64]:
    """Root mean square of each whole tick."""
    count = len(samples) // TICK
    whole = samples[: count * TICK].astype(np.float64).reshape(count, TICK)
    level: npt.NDArray[np.float64] = np.sqrt(np.mean(whole**2, axis=1))
    return level


def split_clip(samples: Samples, rule: RollOver) -> Iterator[tuple[int, Samples]]:
    """A whole recording's segments: start position and audio of each."""
    start = 0
    while start < len(samples):
        cut = find_cut(samples[start : start + round(rule.cap_seconds * SAMPLE_RATE)], rule)
        end = len(samples) if cut is None else start + cut.position
        yield start, samples[start:end]
        start = end
