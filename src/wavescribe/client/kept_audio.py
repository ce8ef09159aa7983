"""The audio of a stream that may have to be heard again, by a session that begins anew."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace

from wavescribe.client.outgoing import Entry


class KeptAudio:
    """Audio that text does not cover yet, some words before it, and the commits in it, in order.

    Positions are samples of the stream.

    It is bounded. Audio beyond the limit pushes out the oldest, also what is not covered: a session that begins anew
    does not hear that, and `lost` counts it.

    Args:
        most_samples: that are kept.
    """

    def __init__(self, most_samples: int) -> None:
        self._most = most_samples
        self._entries: deque[Entry] = deque()
        self._held = 0
        self._end = 0
        self._covered = 0

    @property
    def start(self) -> int:
        """Position of the first sample that is kept."""
        return self._end - self._held

    @property
    def end(self) -> int:
        """Samples put in so far."""
        return self._end

    @property
    def covered(self) -> int:
        """Position up to which all text has come."""
        return self._covered

    @property
    def lost(self) -> int:
        """Samples that were pushed out and are not covered."""
        return max(0, self.start - self._covered)

    def __iter__(self) -> Iterator[Entry]:
        """What is kept: the first entry begins at `start`."""
        return iter(tuple(self._entries))

    def append(self, pcm: bytes) -> None:
        """Add audio: 16-bit PCM."""
        self._end += len(pcm) // 2
        self._held += len(pcm) // 2
        self._entries.append(Entry("append", self._end, pcm))
        while self._held > self._most:
            self._drop()

    def commit(self) -> None:
        """Add the end of a turn at the audio put in so far."""
        self._entries.append(Entry("commit", self._end))

    def cover(self, position: int, lead_in: int) -> None:
        """All text before a position has come; what is kept begins some words earlier.

        Args:
            position: no further than `end`, where it is beyond; one that goes back changes nothing.
            lead_in: where it begins; not after `position`.
        """
        if position < self._covered:
            return
        self._covered = min(position, self._end)
        first_needed = min(lead_in, self._covered)
        while self._entries and self._entries[0].end <= first_needed:
            self._drop()
        if (unneeded := first_needed - self.start) > 0:
            first = self._entries[0]
            self._entries[0] = replace(first, pcm=first.pcm[2 * unneeded :])
            self._held -= unneeded

    def _drop(self) -> None:
        self._held -= len(self._entries.popleft().pcm) // 2
