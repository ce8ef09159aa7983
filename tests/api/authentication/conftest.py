from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
import uvicorn
from fastapi import FastAPI
from starlette.requests import Request
from starlette.types import ASGIApp
from starlette.websockets import WebSocket, WebSocketDisconnect

from wavescribe.api.authentication.client_secrets import ClientSecrets
from wavescribe.api.authentication.credentials import credential_of
from wavescribe.api.authentication.keys import ApiKeys
from wavescribe.api.authentication.middleware import AuthenticationMiddleware
from wavescribe.api.client_secrets_routes import client_secrets_router
from wavescribe.api.errors import install_error_handlers

KEYS = ("sk-first", "sk-second")
PAGE = "https://app.example.com"


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Place:
    """A server on a real socket whose routes tell with which credential they were reached."""

    port: int
    secrets: ClientSecrets
    clock: Clock
    reached: list[str] = field(default_factory=list)

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}"


@pytest.fixture(scope="session")
def guarded() -> Iterator[Place]:
    """A server with keys that allows pages of one more origin."""
    with _place(ApiKeys(KEYS), (PAGE,)) as place:
        yield place


@pytest.fixture(scope="session")
def unguarded() -> Iterator[Place]:
    """A server without keys."""
    with _place(ApiKeys(), ()) as place:
        yield place


@pytest.fixture(scope="session")
def public() -> Iterator[Place]:
    """A server with keys that allows every page."""
    with _place(ApiKeys(KEYS), ("*",)) as place:
        yield place


@pytest.fixture(autouse=True)
def _nothing_reached_yet(request: pytest.FixtureRequest) -> None:
    for name in {"guarded", "unguarded", "public"} & set(request.fixturenames):
        request.getfixturevalue(name).reached.clear()


@contextmanager
def _place(keys: ApiKeys, origins: tuple[str, ...]) -> Iterator[Place]:
    clock = Clock()
    secrets = ClientSecrets(clock=clock)
    place = Place(0, secrets, clock)
    app = _app(place)
    with _listening(AuthenticationMiddleware(app, keys, secrets, origins)) as place.port:
        yield place


def _app(place: Place) -> FastAPI:
    app = FastAPI(openapi_url=None)
    install_error_handlers(app)
    app.include_router(
        client_secrets_router(
            place.secrets, default_model="whisper-base", check_model=lambda _: None, languages=("en", "de")
        )
    )

    @app.api_route("/{path:path}", methods=["GET", "POST"])
    async def tell(request: Request) -> dict[str, object]:
        place.reached.append(request.url.path)
        credential = credential_of(request.scope)
        return {"kind": credential.kind, "key_id": credential.key_id, "read": len(await request.body())}

    @app.websocket("/{path:path}")
    async def tell_and_echo(socket: WebSocket) -> None:
        place.reached.append(socket.url.path)
        credential = credential_of(socket.scope)
        await socket.accept(subprotocol="own" if "own" in socket.scope["subprotocols"] else None)
        session = None if credential.session is None else repr(credential.session)
        await socket.send_json({"kind": credential.kind, "key_id": credential.key_id, "session": session})
        try:
            while True:
                await socket.send_text(await socket.receive_text())
        except WebSocketDisconnect:
            return

    return app


@contextmanager
def _listening(app: ASGIApp) -> Iterator[int]:
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run, name="server")
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        port: int = server.servers[0].sockets[0].getsockname()[1]
        yield port
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()
