"""Frames on their way to a client, kept for a while after they were sent, so that a reconnecting client gets them."""

from __future__ import annotations

import asyncio
from collections import deque

from wavescribe.api.realtime.server_events import Frame
from wavescribe.errors import WavescribeError

MOST_CHARACTERS = 8 * 1024 * 1024
"""Characters of frames in memory, sent ones included; sent ones are forgotten first."""


class OutboxOverflowError(WavescribeError):
    """The client does not read what it is sent."""


class Outbox:
    """One session's frames in order.

    Args:
        most_characters: of all frames in memory.
    """

    def __init__(self, most_characters: int = MOST_CHARACTERS) -> None:
        self._most = most_characters
        self._frames: deque[Frame] = deque()
        self._characters = 0
        self._first = 0
        """Number of the first frame in memory."""
        self._sent = 0
        """Number of the next frame to send."""
        self._changed = asyncio.Event()
        self._taken = asyncio.Event()

    def put(self, frame: Frame) -> None:
        """Add a frame.

        Raises:
            OutboxOverflowError: the frames that were not sent yet have grown too many.
        """
        self._frames.append(frame)
        self._characters += len(frame.text)
        while self._characters > self._most:
            if self._first >= self._sent:
                raise OutboxOverflowError(f"More than {self._most} characters of events wait for a client to read them")
            self._characters -= len(self._frames.popleft().text)
            self._first += 1
        self._changed.set()

    async def take(self) -> Frame:
        """The next frame to send; waits until there is one."""
        while self._sent - self._first >= len(self._frames):
            self._changed.clear()
            await self._changed.wait()
        frame = self._frames[self._sent - self._first]
        self._sent += 1
        self._taken.set()
        return frame

    async def until_empty(self) -> None:
        """Wait until every frame was taken."""
        while self._sent - self._first < len(self._frames):
            self._taken.clear()
            await self._taken.wait()

    def rewind(self, event_id: str) -> bool:
        """Send again what follows an event; False when that event is not in memory any more."""
        for place, frame in enumerate(self._frames):
            if frame.event_id == event_id:
                self._sent = self._first + place + 1
                self._changed.set()
                return True
        return False

    def send_first(self, frame: Frame) -> None:
        """Put a frame before those that are still to be sent."""
        self._frames.insert(self._sent - self._first, frame)
        self._characters += len(frame.text)
        self._changed.set()
