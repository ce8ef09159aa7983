"""The HTTP server with an end that finishes what was begun."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from types import FrameType

import uvicorn

from wavescribe.cli.lost_peers import notice_lost_peers

logger = logging.getLogger(__name__)


class DrainingServer(uvicorn.Server):
    """On the first SIGTERM or SIGINT streams are finished, then the server stops; the second ends that wait.

    Connections that are still open then have `timeout_graceful_shutdown` of the configuration to end.

    Args:
        config: uvicorn's.
        drain: finishes the open streams, or cuts them; returns when they are through.
    """

    def __init__(self, config: uvicorn.Config, drain: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._drain = drain
        self._draining: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]  # sockets are passed on
        """Start, and remember the loop that signals have to wake."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)  # type: ignore[arg-type]  # see above
        for server in self.servers:
            for listener in server.sockets:
                notice_lost_peers(listener)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal handler: it only wakes the event loop."""
        if self._loop is None or self._draining is not None or not self.started:
            super().handle_exit(sig, frame)
        else:
            self._loop.call_soon_threadsafe(self._begin, sig)

    def _begin(self, sig: int) -> None:
        if self._draining is None:
            self._draining = asyncio.create_task(self._finish(signal.Signals(sig)), name="drain")

    async def _finish(self, sig: signal.Signals) -> None:
        try:
            await self._drain()
        except Exception:  # the server has to stop all the same
            logger.exception("finishing the streams failed")
        finally:
            super().handle_exit(sig, None)
