"""What no handler expected: logged with its traceback, and answered without it."""

from __future__ import annotations

import logging

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wavescribe.api.errors import server_failure

logger = logging.getLogger(__name__)


class UnexpectedErrorMiddleware:
    """Answers a request that failed with 500 in the OpenAI API's shape.

    The framework's own handler of everything stands outside all middleware, so its answers would lack a request id.

    Args:
        app: the application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve an ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            logger.info("client left before its request was complete: %s %s", scope["method"], scope["path"])
        except Exception:
            if started:
                raise  # the server must cut the connection: half an answer is out
            logger.exception("request failed: %s %s", scope["method"], scope["path"])
            await server_failure()(scope, receive, send)
