"""The gate before the API: origins of browsers, then keys, before a request is read or a WebSocket upgraded."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wavescribe.api.authentication.checking import CredentialCheck
from wavescribe.api.authentication.client_secrets import ClientSecrets
from wavescribe.api.authentication.credentials import SCOPE_KEY, chosen_subprotocol, presented_key
from wavescribe.api.authentication.keys import ApiKeys
from wavescribe.api.authentication.origins import AllowedOrigins
from wavescribe.api.authentication.refusals import FOREIGN_ORIGIN, Refusal

GUARDED = ("/v1", "/api-ws", "/realtime")
"""The API's paths. The rest (the page, health, readiness, metrics) is open, except that no WebSocket is."""

TAKE_SECRETS = frozenset({"/v1/realtime", "/realtime", "/api-ws/v1/realtime"})
"""The WebSockets that client secrets open."""

EXPOSED_HEADERS = ("retry-after", "www-authenticate", "x-request-id")
"""Headers of answers that scripts of allowed origins may read."""


class AuthenticationMiddleware:
    """Lets a connection to the API through when its origin and its key are right.

    Behind it the ASGI scope holds the connection's `Credential` (see `credential_of`). A WebSocket client that offers
    the subprotocol `realtime` is answered with it, unless the endpoint chose one itself: browsers that carry a key as
    a subprotocol give up when none is chosen.

    Args:
        app: the application.
        keys: the server's keys; without any, authentication is off.
        secrets: the client secrets.
        allowed_origins: origins of pages, beside the server's own, that may use the API; "*" for all. Requests
            without an Origin header, that is, not from a browser, are not concerned.

    Raises:
        ConfigurationError: an allowed origin is no origin.
    """

    def __init__(
        self, app: ASGIApp, keys: ApiKeys, secrets: ClientSecrets, allowed_origins: Iterable[str] = ()
    ) -> None:
        self._app = app
        self._check = CredentialCheck(keys, secrets)
        self._origins = AllowedOrigins(allowed_origins)
        self._admit_page = CORSMiddleware(
            self._admit,
            allow_origins=self._origins.listed,
            allow_methods=("*",),
            allow_headers=("*",),
            expose_headers=EXPOSED_HEADERS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve an ASGI connection."""
        if not _is_guarded(scope):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if origin is not None and not self._origins.permit(origin, headers.get("host", "")):
            await FOREIGN_ORIGIN.answer(scope, receive, send)
        elif origin is not None and scope["type"] == "http":
            await self._admit_page(scope, receive, send)
        else:
            await self._admit(scope, receive, send)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        socket = scope["type"] == "websocket"
        presented = presented_key(Headers(scope=scope), scope.get("subprotocols", ()) if socket else ())
        verdict = self._check.check(presented, takes_secrets=socket and _path(scope) in TAKE_SECRETS)
        if isinstance(verdict, Refusal):
            await verdict.answer(scope, receive, send)
            return
        admitted = {**scope, SCOPE_KEY: verdict}
        await self._app(admitted, receive, _with_subprotocol(scope, send) if socket else send)


def _is_guarded(scope: Scope) -> bool:
    if scope["type"] == "http":
        path = _path(scope)
        return any(path == prefix or path.startswith(f"{prefix}/") for prefix in GUARDED)
    return bool(scope["type"] == "websocket")


def _path(scope: Scope) -> str:
    """The path as the router sees it: without the prefix that a proxy or a mount put before it."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path.removeprefix(root) if path.startswith(f"{root}/") else path


def _with_subprotocol(scope: Scope, send: Send) -> Send:
    chosen = chosen_subprotocol(scope.get("subprotocols", ()))

    async def answer(message: Message) -> None:
        if chosen and message["type"] == "websocket.accept" and not message.get("subprotocol"):
            message = {**message, "subprotocol": chosen}
        await send(message)

    return answer
