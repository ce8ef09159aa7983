"""The streams of connections that have no session to resume, so that they can be finished when the server stops."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from wavescribe.errors import DrainingError
from wavescribe.serving.live_stream import LiveStream

RETRY_SECONDS = 5
"""When trying again makes sense: a server that is started anew needs as long."""


class OpenStreams:
    """Streams that are served now."""

    def __init__(self) -> None:
        self._open: set[LiveStream] = set()
        self._emptied = asyncio.Event()
        self._draining = False
        self._given_up = asyncio.Event()

    @property
    def draining(self) -> bool:
        """Whether the server is about to stop, so that no stream is opened any more."""
        return self._draining

    @contextmanager
    def serving(self, stream: LiveStream) -> Iterator[None]:
        """Know a stream while it is served.

        Raises:
            DrainingError: the server has been told to stop since the connection was opened.
        """
        if self._draining:
            raise DrainingError("The server is about to stop; connect again", retry_after=RETRY_SECONDS)
        self._open.add(stream)
        try:
            yield
        finally:
            self._open.discard(stream)
            if not self._open:
                self._emptied.set()

    async def drain(self) -> None:
        """End every stream after what it has been fed; returns when none is served any more."""
        self._draining = True
        for stream in list(self._open):
            stream.end_turn()
            stream.finish()
        await self.until_empty()

    def give_up(self) -> None:
        """The time to finish is over: whoever serves a stream ends it where it is."""
        self._given_up.set()

    async def until_given_up(self) -> None:
        """Wait until the time to finish is over."""
        await self._given_up.wait()

    async def until_empty(self) -> None:
        """Wait until no stream is served any more."""
        while self._open:
            self._emptied.clear()
            await self._emptied.wait()
