"""How a stream's audio arrives, and how much of it the next step has to cover."""

from __future__ import annotations

FAST_SECONDS = 3.0
"""A stream this far ahead of the clock is no microphone's: it is fed faster than real time."""

PACED, FORGIVEN_SECONDS = 1.2, 3.0
"""How fast a packet may come and still be at the pace of speech; after so many seconds of such packets, what came early
before them does not matter any more: it was said while the line was down."""

BUSY = 0.8
"""The share of the workers' time from which the machine counts as busy."""

BEHIND_STEPS = 2
"""Steps of audio that wait on a busy machine before a stream takes them at once, not one by one."""

MOST_SECONDS = 4.0
"""Longest advance of one step: half a window, so that two hypotheses still meet in it."""


class Pace:
    """Whether a stream's audio comes faster than it is spoken."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._last = 0.0

    def fed(self, seconds: float, now: float) -> None:
        """So much audio came, at that time of a monotonic clock."""
        elapsed = now - self._last
        ahead = max(0.0, self._ahead - elapsed)
        if seconds <= PACED * elapsed:
            ahead *= max(0.0, 1 - elapsed / FORGIVEN_SECONDS)
        self._ahead = ahead + seconds
        self._last = now

    def ahead(self, now: float) -> float:
        """Seconds of audio that came before it could have been spoken; waiting for them is not the server's lag."""
        return max(0.0, self._ahead - (now - self._last))

    def is_fast(self, now: float) -> bool:
        """Whether more audio came of late than time has passed since."""
        return self.ahead(now) > FAST_SECONDS


def least_advance(step: float, interval: float, lag: float) -> float:
    """Seconds of audio that a live stream's next step has to cover at least.

    A stream makes its next step when the last one is done, so that on a full machine every step covers what came while
    all the others had theirs. Longer steps from the start would wait for sound where workers are free.

    Args:
        step: the stream's step length.
        interval: seconds between two steps of a stream that the workers can keep up.
        lag: seconds of its audio that wait to be decoded.

    Returns:
        0 for the next step as the grid has it.
    """
    if interval < BUSY * step or lag < BEHIND_STEPS * step:
        return 0.0
    return min(lag // step * step, MOST_SECONDS)
