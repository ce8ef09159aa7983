from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from wavescribe.bench.realtime_client import PacedStream, StreamRecord, Target
from wavescribe.bench.stream_plan import COMMIT, TimedMessage

Event = dict[str, Any]
APPEND = '{"type": "input_audio_buffer.append", "audio": ""}'
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


@pytest.fixture
def messages() -> list[TimedMessage]:
    """Two packets and a commit."""
    return [TimedMessage(0.05, APPEND), TimedMessage(0.1, APPEND), TimedMessage(0.1, COMMIT, ends_turn=True)]


@pytest.fixture
def run(messages: list[TimedMessage]) -> Callable[..., Awaitable[StreamRecord]]:
    """Say messages to a URL in one stream; options are those of its target, and its patience."""

    async def say(
        url: str, said: list[TimedMessage] | None = None, *, patience: float = 5.0, **options: Any
    ) -> StreamRecord:
        stream = PacedStream(Target(url, **options), messages if said is None else said, patience_seconds=patience)
        await stream.open()
        await stream.run(time.monotonic() + 0.02)
        return stream.record

    return say


@pytest.fixture
def recorded(
    scripted: Callable[[Script], AbstractAsyncContextManager[str]], run: Callable[..., Awaitable[StreamRecord]]
) -> Callable[..., Awaitable[StreamRecord]]:
    """Say messages to a server that plays a script; options are those of `run`."""

    async def play(script: Script, said: list[TimedMessage] | None = None, **options: Any) -> StreamRecord:
        async with scripted(script) as url:
            return await run(url, said, **options)

    return play
