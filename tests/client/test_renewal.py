"""Renewed sessions over real connections, to a server that follows a script."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from wavescribe.client import transcription_client
from wavescribe.client.events import Event, SessionRenewed
from wavescribe.client.transcription_client import TranscriptionClient
from wavescribe.errors import (
    AuthenticationError,
    ModelNotFoundError,
    ServerError,
    ServerUnreachableError,
    WavescribeError,
)

SECOND = bytes(32_000)

Script = Callable[["Peer"], Awaitable[None]]


class Peer:
    """One connection of a server."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection

    async def send(self, kind: str, **fields: Any) -> None:
        await self.connection.send(json.dumps({"type": kind, "event_id": "event_1", **fields}))

    async def fail(self, code: str, event_id: str | None = None) -> None:
        await self.send("error", error={"message": f"The words of {code}.", "code": code, "event_id": event_id})

    async def open(self) -> None:
        await self.send("session.created", session={"id": "sess_1"})
        await self.until("session.update")
        await self.send("session.updated")

    async def until(self, kind: str) -> None:
        """Read up to a frame of that type, and answer what has to be on the way."""
        while True:
            message = json.loads(await self.connection.recv())
            if message["type"] == "conversation.item.retrieve":
                await self.fail("item_retrieve_invalid_item_id", message["event_id"])
            if message["type"] == "input_audio_buffer.clear":
                await self.send("input_audio_buffer.cleared")
            if message["type"] == kind:
                return

    async def close(self, code: int) -> None:
        await self.connection.close(code, "closed by the script")


async def restarts(peer: Peer) -> None:
    await peer.open()
    await peer.until("input_audio_buffer.append")
    await peer.close(1012)


async def serves(peer: Peer) -> None:
    await peer.open()
    await peer.until("input_audio_buffer.clear")
    await peer.connection.wait_closed()


async def expires(peer: Peer) -> None:
    await peer.open()
    await peer.fail("session_expired")
    await peer.close(1001)


def refuses(code: str, close_code: int) -> Script:
    async def refuse(peer: Peer) -> None:
        await peer.fail(code)
        await peer.close(close_code)

    return refuse


FULL, DRAINING = refuses("too_many_sessions", 1013), refuses("draining", 1012)


class ScriptedServer:
    """Follows a script on each connection; the last one for all that come after.

    Args:
        scripts: of the connections in order; a status refuses the connection.
    """

    def __init__(self, *scripts: Script | HTTPStatus) -> None:
        self._scripts = scripts
        self.connections = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        async with serve(self._serve, "127.0.0.1", 0, process_request=self._let_in) as server:
            yield f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"

    def _let_in(self, connection: ServerConnection, request: Request) -> Response | None:
        script = self._scripts[min(self.connections, len(self._scripts) - 1)]
        self.connections += 1
        return connection.respond(script, "") if isinstance(script, HTTPStatus) else None

    async def _serve(self, connection: ServerConnection) -> None:
        script = self._scripts[min(self.connections, len(self._scripts)) - 1]
        assert not isinstance(script, HTTPStatus)
        await script(Peer(connection))


async def events_of(server: ScriptedServer, *, reconnect_seconds: float = 30) -> list[Event]:
    """Send a second of audio, and read to the end."""
    async with server.open() as url, TranscriptionClient(url, reconnect_seconds=reconnect_seconds) as client:
        await client.send(SECOND)
        client.finish()
        return [event async for event in client]


async def first_event(client: TranscriptionClient) -> Event:
    return await anext(aiter(client))


@pytest.mark.parametrize(
    ("refusals", "connections"),
    [((), 2), ((FULL,), 3), ((DRAINING, HTTPStatus.SERVICE_UNAVAILABLE, FULL), 5)],
)
async def test_a_refusal_that_may_go_away_is_tried_again(
    refusals: tuple[Script | HTTPStatus, ...], connections: int
) -> None:
    server = ScriptedServer(restarts, *refusals, serves)
    assert await events_of(server) == [SessionRenewed(0.0, 0.0)]
    assert server.connections == connections


@pytest.mark.parametrize(
    ("refusal", "expected", "said"),
    [
        (HTTPStatus.UNAUTHORIZED, AuthenticationError, "give a valid API key"),
        (refuses("invalid_api_key", 4000), AuthenticationError, "words of invalid_api_key"),
        (refuses("model_not_found", 4000), ModelNotFoundError, "words of model_not_found"),
        (refuses("invalid_value", 4000), ServerError, "words of invalid_value"),
    ],
)
async def test_a_refusal_that_will_not_go_away_ends_the_stream_at_once(
    refusal: Script | HTTPStatus, expected: type[WavescribeError], said: str
) -> None:
    server = ScriptedServer(restarts, refusal, serves)
    with pytest.raises(expected, match=said):
        await events_of(server)
    assert server.connections == 2


async def test_a_server_that_refuses_new_sessions_for_too_long_is_given_up_with_its_words() -> None:
    server = ScriptedServer(restarts, FULL)
    with pytest.raises(ServerUnreachableError, match=r"did not come back in 1 s: The words of too_many_sessions\."):
        await events_of(server, reconnect_seconds=1.0)
    assert 3 <= server.connections <= 12


async def test_a_server_that_keeps_clients_waiting_before_it_refuses_them_is_given_up_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def refuse_late(peer: Peer) -> None:
        await asyncio.sleep(0.3)
        await FULL(peer)

    monkeypatch.setattr(transcription_client, "LASTING_SECONDS", 0.1)
    server = ScriptedServer(restarts, refuse_late)
    with pytest.raises(ServerUnreachableError, match=r"did not come back in 1 s: The words of too_many_sessions\."):
        await asyncio.wait_for(events_of(server, reconnect_seconds=1.0), 60)


async def test_sessions_that_last_and_expire_are_no_outage_however_many(monkeypatch: pytest.MonkeyPatch) -> None:
    async def expire_late(peer: Peer) -> None:
        await peer.open()
        await peer.until("input_audio_buffer.append")
        await asyncio.sleep(0.3)
        await peer.fail("session_expired")
        await peer.close(1001)

    monkeypatch.setattr(transcription_client, "LASTING_SECONDS", 0.1)
    server = ScriptedServer(*[expire_late] * 5, serves)
    assert len(await events_of(server, reconnect_seconds=0.5)) == 5
    assert server.connections == 6


async def test_a_server_that_is_full_at_first_is_not_tried_again() -> None:
    server = ScriptedServer(FULL, serves)
    with pytest.raises(WavescribeError, match="words of too_many_sessions"):
        await events_of(server)
    assert server.connections == 1


async def test_a_stream_that_has_ended_opens_no_session() -> None:
    async def serve_and_restart(peer: Peer) -> None:
        await peer.open()
        await peer.until("input_audio_buffer.clear")
        await peer.close(1012)

    server = ScriptedServer(serve_and_restart)
    assert await events_of(server) == []
    assert server.connections == 1


async def test_a_session_that_expires_unused_is_renewed_when_audio_comes() -> None:
    server = ScriptedServer(expires, serves)
    async with server.open() as url, TranscriptionClient(url) as client:
        reading = asyncio.create_task(first_event(client))
        for _ in range(3):
            await asyncio.sleep(0.1)  # time for a connection that should not come
            assert server.connections == 1
        await client.send(SECOND)
        assert await reading == SessionRenewed(0.0, 0.0)
    assert server.connections == 2


async def test_a_sender_that_waits_for_room_goes_on_in_the_next_session() -> None:
    async def takes_no_audio(peer: Peer) -> None:
        await peer.open()
        await peer.until("input_audio_buffer.append")
        await peer.close(1012)

    server = ScriptedServer(takes_no_audio, serves)
    async with server.open() as url, TranscriptionClient(url, buffer_seconds=1) as client:
        for _ in range(5):
            await client.send(SECOND)
        client.finish()
        assert [event async for event in client] == [SessionRenewed(0.0, 0.0)]
