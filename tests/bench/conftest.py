from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

Event = dict[str, Any]
Script = Callable[["Peer"], Awaitable[None]]


class Peer:
    """The server's end of one realtime connection.

    Args:
        connection: the open connection.
    """

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection
        self.received: list[Event] = []

    async def send(self, kind: str, **fields: Any) -> None:
        await self.connection.send(json.dumps({"type": kind, **fields}))

    async def until(self, kind: str) -> Event:
        """Read up to a message of that type."""
        while True:
            event: Event = json.loads(await self.connection.recv())
            self.received.append(event)
            if event["type"] == kind:
                return event

    async def configure(self) -> Event:
        """Greet the client and accept its configuration; returns what it asked for."""
        await self.send("session.created")
        asked = await self.until("session.update")
        await self.send("session.updated")
        return asked

    async def turn(self, item_id: str, *deltas: str) -> None:
        """Wait for a commit and transcribe it."""
        await self.until("input_audio_buffer.commit")
        await self.send("input_audio_buffer.committed", item_id=item_id)
        prefix = "conversation.item.input_audio_transcription"
        for delta in deltas:
            await self.send(f"{prefix}.delta", item_id=item_id, delta=delta)
        await self.send(f"{prefix}.completed", item_id=item_id, transcript="".join(deltas))


@pytest.fixture
def scripted() -> Callable[[Script], AbstractAsyncContextManager[str]]:
    """A realtime server that plays a script on every connection; yields its URL."""

    @asynccontextmanager
    async def run(script: Script) -> AsyncIterator[str]:
        failures: list[BaseException] = []

        async def play(connection: ServerConnection) -> None:
            try:
                await script(Peer(connection))
            except AssertionError as error:
                failures.append(error)
                raise

        async with serve(play, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            yield f"http://127.0.0.1:{port}"
            await asyncio.sleep(0)
        assert not failures

    return run
