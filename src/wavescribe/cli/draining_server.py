"""The HTTP server with an end that finishes what was begun."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from types import FrameType

import uvicorn

logger = logging.getLogger(__name__)


class DrainingServer(uvicorn.Server):
    """On the first SIGTERM or SIGINT streams are finished, then the server stops; on the second it stops at once.

    Args:
        config: uvicorn's.
        drain: finishes the open streams; returns when they are through.
        seconds: how long that may take.
    """

    def __init__(self, config: uvicorn.Config, drain: Callable[[], Awaitable[None]], seconds: float) -> None:
        super().__init__(config)
        self._drain = drain
        self._seconds = seconds
        self._draining: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]  # sockets are passed on
        """Start, and remember the loop that signals have to wake."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)  # type: ignore[arg-type]  # see above

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
            async with asyncio.timeout(self._seconds):
                await self._drain()
        except TimeoutError:
            logger.warning("streams were still open after %g s and are cut", self._seconds)
        except Exception:  # the server has to stop all the same
            logger.exception("finishing the streams failed")
        finally:
            super().handle_exit(sig, None)
