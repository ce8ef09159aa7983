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
        self._sent: deque[Frame] = deque()
        """Frames that were taken, the newest last."""
        self._waiting: deque[Frame] = deque()
        """Frames that are still to be taken."""
        self._characters = 0
        self._greetings: set[str] = set()
        """Event ids of the frames in memory that were put before others."""
        self._in_hand = False
        """Whether the last frame taken may still be on its way out."""
        self._changed = asyncio.Event()
        self._emptied = asyncio.Event()

    def put(self, frame: Frame) -> None:
        """Add a frame.

        Raises:
            OutboxOverflowError: the frames that were not sent yet have grown too many; this one was not added.
        """
        while self._characters + len(frame.text) > self._most:
            if not self._sent:
                raise OutboxOverflowError(f"More than {self._most} characters of events wait for a client to read them")
            self._forget(self._sent.popleft())
        self._waiting.append(frame)
        self._characters += len(frame.text)
        self._changed.set()

    async def take(self) -> Frame:
        """The next frame to send; waits until there is one. Whoever takes has sent what it took before."""
        self._in_hand = False
        while not self._waiting:
            self._emptied.set()
            self._changed.clear()
            await self._changed.wait()
        frame = self._waiting.popleft()
        self._sent.append(frame)
        self._in_hand = True
        return frame

    async def until_empty(self) -> None:
        """Wait until every frame was taken and sent: until its taker asks for the next one."""
        while self._waiting or self._in_hand:
            self._emptied.clear()
            await self._emptied.wait()

    def remembers(self, event_id: str) -> bool:
        """Whether an event is in memory as a sent one."""
        return any(frame.event_id == event_id for frame in self._sent)

    def rewind(self, event_id: str) -> bool:
        """Send again what follows an event; False when that event is not in memory as a sent one any more."""
        place = next((place for place, frame in enumerate(self._sent) if frame.event_id == event_id), None)
        if place is None:
            return False
        while len(self._sent) > place + 1:
            self._waiting.appendleft(self._sent.pop())
        self._changed.set()
        return True

    def send_first(self, frame: Frame) -> None:
        """Put a frame before those that are still to be sent; it replaces earlier such frames among them."""
        for old in [waiting for waiting in self._waiting if waiting.event_id in self._greetings]:
            self._waiting.remove(old)
            self._forget(old)
        self._waiting.appendleft(frame)
        self._greetings.add(frame.event_id)
        self._characters += len(frame.text)
        self._changed.set()

    def _forget(self, frame: Frame) -> None:
        self._characters -= len(frame.text)
        self._greetings.discard(frame.event_id)
