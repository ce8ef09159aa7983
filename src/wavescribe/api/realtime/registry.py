"""The sessions that outlive a lost connection for a while, so that their clients can come back."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack

from wavescribe.api.realtime.actions import EndSession
from wavescribe.api.realtime.session import RealtimeSession


class HeldSession:
    """A session whose work goes on without a connection.

    Args:
        session: the session.
        place: holds the session's place among the live streams.
        owner: who may take it up: the id of the credential that opened it.
        deadline: when its life is over, by the monotonic clock, or None.
    """

    def __init__(self, session: RealtimeSession, place: ExitStack, owner: str, deadline: float | None = None) -> None:
        self.session = session
        self.owner = owner
        self._place = place
        self.work = asyncio.create_task(session.run(), name=f"session {session.session_id}")
        self._began = time.monotonic()
        self._deadline = deadline
        self._superseded = asyncio.Event()
        self._left = asyncio.Event()
        self._left.set()
        self._handover = asyncio.Lock()
        self.claimed = False
        """Whether a connection has found the session and neither taken it up nor let it go yet."""
        self.connected = False
        """Whether a connection serves the session."""

    def take_up(self) -> asyncio.Event:
        """A connection takes the session up; an older one is told by its event, and this one by the event returned."""
        self.claimed, self.connected = False, True
        self._superseded.set()
        self._superseded = asyncio.Event()
        self._left.clear()
        return self._superseded

    async def take_over(self) -> asyncio.Event:
        """Take the session up once the connection that serves it, if there is one, neither reads nor writes any more.

        Until then it may still take audio, and send what the new connection has to be sent.
        """
        async with self._handover:
            self._superseded.set()
            await self._left.wait()
            return self.take_up()

    def leave(self) -> None:
        """The connection that took the session up has stopped to read and to write."""
        self._left.set()

    def seconds_left(self) -> float | None:
        """Seconds until the session's life is over, or None."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    @property
    def minutes(self) -> float:
        """The whole life of the session in minutes; 0 when it has no end."""
        return 0.0 if self._deadline is None else round((self._deadline - self._began) / 60, 2)

    def fail(self, message: str, close_code: int) -> None:
        """The server cannot serve the session any more: its work is stopped, and the client told."""
        self.session.fail(message, close_code)
        self.work.cancel()

    def give_up(self, end: EndSession) -> None:
        """Stop the work where it is; a connection that serves the session is closed as the end says."""
        self.session.give_up(end)
        self.work.cancel()

    async def close(self) -> None:
        """Free the place at once, so that a client that comes back at once finds it, and stop the work."""
        self._place.close()
        self.work.cancel()
        await asyncio.gather(self.work, self.session.close(), return_exceptions=True)


class SessionRegistry:
    """Sessions by id.

    Args:
        resume_seconds: how long a session waits for its client.
    """

    def __init__(self, resume_seconds: float) -> None:
        self._resume_seconds = resume_seconds
        self._open: set[HeldSession] = set()
        self._emptied = asyncio.Event()
        self._draining = False
        self._held: dict[str, HeldSession] = {}
        self._timers: dict[str, asyncio.Task[None]] = {}

    @property
    def draining(self) -> bool:
        """Whether the server is about to stop, so that no session is opened any more."""
        return self._draining

    def open(self, held: HeldSession, *, resumable: bool) -> None:
        """Know a session; one that is resumable may be taken up again after its connection is lost."""
        self._open.add(held)
        if resumable:
            self._held[held.session.session_id] = held

    async def drain(self, end: EndSession) -> None:
        """Finish every session that has a connection, as its end says; returns when their connections are through."""
        self._draining = True
        for held in list(self._open):
            held.session.finish(end)
            if not held.connected:
                if (timer := self._timers.pop(held.session.session_id, None)) is not None:
                    timer.cancel()
                await self.remove(held)
        await self.until_empty()

    def give_up(self, end: EndSession) -> None:
        """Stop every session where it is, as its end says: its time to finish is over."""
        for held in self._open:
            held.give_up(end)

    async def until_empty(self) -> None:
        """Wait until no session is open and all their connections are through."""
        while self._open:
            self._emptied.clear()
            await self._emptied.wait()

    def find(self, session_id: str, owner: str) -> HeldSession | None:
        """The session of that id, if it is there and its owner's; it no longer times out."""
        held = self._held.get(session_id)
        if held is None or held.owner != owner:
            return None
        held.claimed = True
        if (timer := self._timers.pop(session_id, None)) is not None:
            timer.cancel()
        return held

    def let_go(self, held: HeldSession) -> None:
        """The connection is lost, or did not take up what it found: the session waits for its client, then closes.

        A connection that did not take the session up does not end the one that serves it.
        """
        if held.claimed:
            held.claimed = False
        else:
            held.connected = False
        session_id = held.session.session_id
        if session_id in self._held and session_id not in self._timers and not held.connected:
            self._timers[session_id] = asyncio.create_task(self._expire(held), name=f"resume {session_id}")

    async def remove(self, held: HeldSession) -> None:
        """The session is over."""
        self._held.pop(held.session.session_id, None)
        await held.close()
        self._open.discard(held)
        if not self._open:
            self._emptied.set()

    async def close(self) -> None:
        """Close every session; awaits all that the registry owns."""
        timers = dict(self._timers)
        for session_id in timers.keys() & self._held.keys():
            timers[session_id].cancel()
        await asyncio.gather(*timers.values(), return_exceptions=True)
        self._timers.clear()
        for held in list(self._held.values()):
            await self.remove(held)

    async def _expire(self, held: HeldSession) -> None:
        await asyncio.sleep(self._resume_seconds)
        # The timer stays known until the session is closed: `close` waits for that.
        await self.remove(held)
        self._timers.pop(held.session.session_id, None)
