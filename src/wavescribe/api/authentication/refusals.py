"""The answers to clients that may not use the server, in the OpenAI API's shape."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.types import Receive, Scope, Send

from wavescribe.api.errors import INVALID, error_response

REFUSED = 3000
"""The close code where a WebSocket's refusal cannot be a response ("unauthorized" in the registry of close codes)."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a client is turned away.

    Attributes:
        status: the HTTP status.
        message: what was wrong and what would be right; never what was presented.
        code: the word for programs, or None.
    """

    status: int
    message: str
    code: str | None

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the refusal: as a response, which for a WebSocket comes instead of the upgrade.

        Where the server cannot answer a WebSocket with a response it closes the connection, which clients see as
        status 403 without a body.
        """
        if scope["type"] == "websocket" and "websocket.http.response" not in scope.get("extensions", {}):
            reason = f"{INVALID}.{self.code or 'missing_api_key'}"
            await send({"type": "websocket.close", "code": REFUSED, "reason": reason})
            return
        headers = {"www-authenticate": "Bearer"} if self.status == 401 else None
        response = error_response(self.status, self.message, INVALID, code=self.code, headers=headers)
        await response(scope, receive, send)


MISSING_KEY = Refusal(
    401,
    "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth "
    "(i.e. Authorization: Bearer YOUR_KEY).",
    None,
)
WRONG_KEY = Refusal(401, "Incorrect API key provided.", "invalid_api_key")
DEAD_SECRET = Refusal(
    401, "Incorrect client secret provided: it has expired or is not of this server.", "invalid_api_key"
)
SECRET_OUT_OF_PLACE = Refusal(
    401,
    "A client secret opens realtime WebSocket sessions only; use an API key for this request.",
    "invalid_api_key",
)
FOREIGN_ORIGIN = Refusal(
    403,
    "Pages of this origin may not use this server; it can be allowed with the server's setting allowed_origin "
    "(--allowed-origin).",
    "origin_not_allowed",
)
