"""The limit on upload size, held while the body is read."""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wavescribe.errors import UploadTooLargeError


class UploadLimitMiddleware:
    """Ends the reading of a request body that is larger than the limit, whatever its headers say.

    Args:
        app: the application; the error surfaces where it reads the body.
        max_bytes: largest body.
        refused: called when a body is refused.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, refused: Callable[[], object] = lambda: None) -> None:
        self._app = app
        self._refused = refused
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve an ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "")
        read = 0

        async def limited() -> Message:
            nonlocal read
            if declared.isdigit() and int(declared) > self._max_bytes:
                raise self._too_large(int(declared))
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._max_bytes:
                raise self._too_large(read)
            return message

        await self._app(scope, limited, send)

    def _too_large(self, size: int) -> UploadTooLargeError:
        self._refused()
        return UploadTooLargeError(f"Maximum content size limit ({self._max_bytes}) exceeded ({size} bytes read)")
