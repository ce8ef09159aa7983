"""Notices a stream that has speech and gives no text: an engine that fails so looks healthy otherwise."""

from __future__ import annotations


class MuteWatch:
    """Counts the speech decoded since the last text.

    Args:
        limit: seconds of it that are too many.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._seconds = 0.0
        self._told = False

    @property
    def seconds(self) -> float:
        """Speech decoded since the last text, in seconds."""
        return self._seconds

    def speech(self, seconds: float) -> bool:
        """Speech is decoded; True when that makes it too much, once until the next text."""
        self._seconds += seconds
        if self._told or self._seconds < self._limit:
            return False
        self._told = True
        return True

    def text(self) -> None:
        """Text came."""
        self._seconds = 0.0
        self._told = False
