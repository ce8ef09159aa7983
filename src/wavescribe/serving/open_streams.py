"""The streams of connections that have no session to resume, so that they can be finished when the server stops."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from wavescribe.serving.live_stream import LiveStream


class OpenStreams:
    """Streams that are served now."""

    def __init__(self) -> None:
        self._open: set[LiveStream] = set()
        self._emptied = asyncio.Event()
        self._draining = False

    @property
    def draining(self) -> bool:
        """Whether the server is about to stop, so that no stream is opened any more."""
        return self._draining

    @contextmanager
    def serving(self, stream: LiveStream) -> Iterator[None]:
        """Know a stream while it is served."""
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
        while self._open:
            self._emptied.clear()
            await self._emptied.wait()
