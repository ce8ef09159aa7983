"""A response of server-sent events that lets go of what it holds, however it ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from wavescribe.api.closing import SEND_SECONDS

logger = logging.getLogger(__name__)

HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}
"""Nothing between server and client may hold events back."""


class _UnreadError(Exception):
    """The client does not take what it is sent."""


class EventStreamResponse(StreamingResponse):
    """Server-sent events. A client that takes none of them for SEND_SECONDS is left: it would keep a file's place.

    Args:
        frames: the body.
        held: closed when the response is over, also when the client went away before it began.
    """

    def __init__(self, frames: AsyncGenerator[str], held: AsyncExitStack) -> None:
        super().__init__(frames, media_type="text/event-stream", headers=HEADERS)
        self._frames = frames
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve an ASGI request."""

        async def send_in_time(message: Message) -> None:
            try:
                async with asyncio.timeout(SEND_SECONDS):
                    await send(message)
            except TimeoutError:
                raise _UnreadError from None

        try:
            await super().__call__(scope, receive, send_in_time)
        except _UnreadError:
            logger.warning("a client took no event for %g s; its file is given up", SEND_SECONDS)
        finally:
            await self._frames.aclose()
            await self._held.aclose()
