"""The rolling buffer of a stream's audio, addressed by absolute position."""

from __future__ import annotations

import numpy as np

from wavescribe.engines.base import Samples

_SHRINK_FACTOR = 4
"""The store is made smaller when it is more than this many times the audio held."""


class Timeline:
    """The latest part of a stream's audio; positions are samples since the stream's start.

    An append costs time in proportion to the packet (amortised), and memory follows the audio held, whatever the
    stream's length.

    Args:
        sample_rate: samples per second.
    """

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._store: Samples = np.empty(0, dtype=np.float32)
        self._offset = 0  # index in the store of the sample at `start`
        self._start = 0
        self._end = 0

    @property
    def start(self) -> int:
        """Position of the first sample held."""
        return self._start

    @property
    def end(self) -> int:
        """Position after the last sample received."""
        return self._end

    @property
    def held_seconds(self) -> float:
        """Seconds of audio held."""
        return (self._end - self._start) / self._sample_rate

    def append(self, samples: Samples) -> None:
        """Add the next samples; they are copied.

        Args:
            samples: shape (samples,), any length.
        """
        held = self._end - self._start
        if self._offset + held + len(samples) > len(self._store):
            self._reallocate(2 * (held + len(samples)))
        tail = self._offset + held
        self._store[tail : tail + len(samples)] = samples
        self._end += len(samples)

    def trim(self, before: int) -> None:
        """Forget the audio before a position and release its memory.

        Args:
            before: the new start; one at or before the present start changes nothing.

        Raises:
            ValueError: the position has not been received yet.
        """
        if before > self._end:
            raise ValueError(f"cannot trim before {before}: only audio up to {self._end} was received")
        dropped = max(0, before - self._start)
        self._offset += dropped
        self._start += dropped
        held = self._end - self._start
        if len(self._store) > _SHRINK_FACTOR * held:
            self._reallocate(2 * held)

    def read(self, start: int, end: int) -> Samples:
        """Copy the audio of `[start, end)`.

        Returns:
            Samples of shape (end - start,).

        Raises:
            ValueError: the range is reversed, was trimmed in part, or was not received in whole.
        """
        if not self._start <= start <= end <= self._end:
            raise ValueError(f"cannot read [{start}, {end}): the timeline holds [{self._start}, {self._end})")
        first = self._offset + start - self._start
        return self._store[first : first + end - start].copy()

    def _reallocate(self, capacity: int) -> None:
        held = self._end - self._start
        store = np.empty(capacity, dtype=np.float32)
        store[:held] = self._store[self._offset : self._offset + held]
        self._store = store
        self._offset = 0
