"""A response of server-sent events that lets go of what it holds, however it ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}
"""Nothing between server and client may hold events back."""


class EventStreamResponse(StreamingResponse):
    """Server-sent events.

    Args:
        frames: the body.
        held: closed when the response is over, also when the client went away before it began.
    """

    def __init__(self, frames: AsyncIterator[str], held: AsyncExitStack) -> None:
        super().__init__(frames, media_type="text/event-stream", headers=HEADERS)
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve an ASGI request."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._held.aclose()
