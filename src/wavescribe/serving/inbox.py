"""What a live stream has been given and has not taken in yet, in order: audio in blocks, and marks between it."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import dataclass

import numpy as np

from wavescribe.engines.base import Samples
from wavescribe.streaming.parameters import StreamParameters

BLOCK_SECONDS = 1.0
"""Audio is handed out in blocks of at most this length, so that text comes while a backlog is worked off."""


@dataclass(frozen=True, slots=True)
class EndTurn:
    """The turn ends here.

    Attributes:
        asked: when that was said, in seconds of a monotonic clock.
    """

    asked: float


@dataclass(frozen=True, slots=True)
class Clear:
    """The audio since the last turn's end is dropped."""


@dataclass(frozen=True, slots=True)
class Configure:
    """Audio from here on is transcribed with these parameters."""

    parameters: StreamParameters


@dataclass(frozen=True, slots=True)
class Finish:
    """The stream ends here."""


Mark = EndTurn | Clear | Configure | Finish


class Inbox:
    """The queue between whoever feeds a stream and whoever works on it.

    Args:
        sample_rate: samples per second of the audio.
    """

    def __init__(self, sample_rate: int) -> None:
        self._block = int(BLOCK_SECONDS * sample_rate)
        self._entries: deque[Samples | Mark] = deque()
        self._waiting = 0
        self._marks: Counter[type] = Counter()
        self._arrived = asyncio.Event()

    @property
    def waiting_samples(self) -> int:
        """Samples that were put in and not taken out."""
        return self._waiting

    def waiting_marks(self, kind: type[Mark]) -> int:
        """Marks of a kind that were put in and not taken out."""
        return self._marks[kind]

    def put(self, entry: Samples | Mark) -> None:
        """Add audio, shape (samples,), or a mark."""
        if isinstance(entry, np.ndarray):
            if not len(entry):
                return
            self._waiting += len(entry)
        else:
            self._marks[type(entry)] += 1
        self._entries.append(entry)
        self._arrived.set()

    def drop_last_audio(self) -> None:
        """Take back the audio behind the last mark."""
        while self._entries and isinstance(last := self._entries[-1], np.ndarray):
            self._entries.pop()
            self._waiting -= len(last)

    async def take(self) -> Samples | Mark:
        """The next mark, or the next audio up to a block, however it was packed; waits until there is one."""
        while not self._entries:
            self._arrived.clear()
            await self._arrived.wait()
        entry = self._entries.popleft()
        if not isinstance(entry, np.ndarray):
            self._marks[type(entry)] -= 1
            return entry
        samples = self._fill(entry)
        self._waiting -= len(samples)
        return samples

    def _fill(self, first: Samples) -> Samples:
        parts, length = [first], len(first)
        while length < self._block and self._entries and isinstance(following := self._entries[0], np.ndarray):
            self._entries.popleft()
            parts.append(following)
            length += len(following)
        if length > self._block:
            # Only views: the rest of a long piece is cut off block by block, copying it each time would be quadratic.
            keep = len(parts[-1]) - (length - self._block)
            self._entries.appendleft(parts[-1][keep:])
            parts[-1] = parts[-1][:keep]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)
