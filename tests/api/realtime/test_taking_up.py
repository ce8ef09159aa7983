from __future__ import annotations

import asyncio
import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, cast

from starlette.websockets import WebSocket, WebSocketState

from wavescribe.api.authentication.credentials import ANONYMOUS
from wavescribe.api.models import ServedModels
from wavescribe.api.realtime.outbox import Outbox
from wavescribe.api.realtime.registry import HeldSession, SessionRegistry
from wavescribe.api.realtime.server_events import frame
from wavescribe.api.realtime_socket import RealtimeEndpoint
from wavescribe.serving.live_service import LiveService

if TYPE_CHECKING:
    from tests.api.realtime.conftest import Client


class ToldSocket:
    """A connection that asks for a session, of which only what it is told is known."""

    application_state = WebSocketState.CONNECTED
    scope: dict[str, Any] = {}

    def __init__(self, **query: str) -> None:
        self.query_params = query
        self.frames: list[dict[str, Any]] = []
        self.closed: list[int] = []

    async def send_text(self, text: str) -> None:
        self.frames.append(json.loads(text))

    async def close(self, code: int, _reason: str) -> None:
        self.closed.append(code)


async def test_events_that_are_forgotten_while_a_session_is_handed_over_refuse_it(client: Client) -> None:
    """The client asks for what follows an event; until the old connection has let go, others push it out."""
    session = client.session
    session.outbox = Outbox(1_000)
    session.outbox.put(frame("first"))
    after = (await session.outbox.take()).event_id
    held, registry = HeldSession(session, ExitStack(), ANONYMOUS.key_id), SessionRegistry(3_600)
    registry.open(held, resumable=True)
    held.take_up()
    service = cast("LiveService", client.service)
    endpoint = RealtimeEndpoint(service, ServedModels("whisper-base"), registry, max_session_seconds=0)
    socket = ToldSocket(session_id="sess_x", after=after)
    asking = asyncio.create_task(endpoint.serve(cast(WebSocket, socket)))
    await asyncio.sleep(0)
    assert not asking.done()
    for _ in range(20):
        session.outbox.put(frame("more", text="x" * 100))
        await session.outbox.take()
    held.leave()
    await asking
    assert [told["error"]["code"] for told in socket.frames] == ["event_not_found"]
    assert socket.closed == [4000]
    assert not held.connected
    await registry.close()
    assert held.work.done()
