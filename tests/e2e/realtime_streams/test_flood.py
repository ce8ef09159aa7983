"""Clients that send as fast as the socket takes it, and clients that do not read."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets import ConnectionClosed
from websockets.asyncio.client import ClientConnection

pytestmark = [
    pytest.mark.model,
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the memory of a process from /proc"),
]

SECOND = 32_000
MINUTES = 10
PONG_SECONDS = 20
SILENT_SECONDS = 10


@pytest.fixture(scope="module")
def flooded(program: Any) -> Iterator[Any]:
    """A server of this module's own, whose memory nobody else's streams are in."""
    with program("--model", "whisper-tiny.en") as running:
        asyncio.run(running.until_ready())
        yield running


@pytest.fixture(scope="module")
async def alone(flooded: Any, session_on: Any, reading: bytes) -> str:
    """What the reading gives a client that does nothing else; the model has all the memory it needs after that."""
    async with session_on(flooded) as session:
        return str(await session.transcribe(reading))


@pytest.fixture(scope="module")
def reading(pcm: Any, two_cities: Path) -> bytes:
    """20 seconds."""
    audio: bytes = pcm(two_cities, seconds=20)
    return audio


async def ping_until_cancelled(connection: ClientConnection) -> None:
    """Ping again and again; a pong that takes longer than clients wait fails."""
    while True:
        async with asyncio.timeout(PONG_SECONDS):
            await (await connection.ping())
        await asyncio.sleep(0.2)


async def create_item(session: Any, item_id: str, characters: int) -> None:
    """Have the server send two events of that many characters and more."""
    content = [{"type": "input_text", "text": "x" * characters}]
    item = {"id": item_id, "type": "message", "role": "user", "content": content}
    await session.send("conversation.item.create", item=item)


async def test_rt_43_ten_minutes_pushed_at_once_are_all_transcribed_while_pings_are_answered(
    flooded: Any, session_on: Any, alone: str, pcm: Any, fox: Path
) -> None:
    speech = pcm(fox)
    minute = speech + bytes(60 * SECOND - len(speech))
    before = flooded.memory()
    async with session_on(flooded) as session:
        pinging = asyncio.create_task(ping_until_cancelled(session.connection))

        async def push() -> None:
            for _ in range(MINUTES):
                await session.append(minute)
                await session.commit()

        await asyncio.gather(push(), session.until(".completed", times=MINUTES))
        assert not pinging.done(), pinging.result()
        pinging.cancel()
    completed = session.of_type(".completed")
    assert {event["transcript"] for event in completed} == {completed[0]["transcript"]}
    assert "quick brown fox" in completed[0]["transcript"].lower()
    assert [event["item_id"] for event in completed] == [event["item_id"] for event in session.of_type(".committed")]
    assert len({event["item_id"] for event in completed}) == MINUTES
    # The audio that waits, at the engine's rate and precision, is 37 of these.
    assert flooded.memory(peak=True) - before < 200


async def test_rt_44_a_client_that_does_not_read_for_a_while_gets_every_event_in_order(
    flooded: Any, session_on: Any, alone: str, reading: bytes
) -> None:
    before = flooded.memory(peak=True)
    async with session_on(flooded, ping_interval=None) as session:
        # With little room on the way the server itself has to keep what is not read.
        session.connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        names = [f"item_{second}_{number}" for second in range(20) for number in range(30)]
        for second in range(20):
            await session.append(reading[second * SECOND : (second + 1) * SECOND])
            for name in names[30 * second : 30 * second + 30]:
                await create_item(session, name, 5_000)
            await asyncio.sleep(SILENT_SECONDS / 20)
        await session.commit()
        completed = await session.until(".completed")
    assert completed["transcript"] == session.deltas() == alone
    for kind in ("added", "done"):
        ids = [event["item"]["id"] for event in session.of_type(f"conversation.item.{kind}")]
        assert [name for name in ids if name in set(names)] == names
    assert len({event["event_id"] for event in session.events}) == len(session.events)
    assert flooded.memory(peak=True) - before < 100


async def stall(session: Any) -> None:
    """Make the server send more and more, and read nothing."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            await create_item(session, "", 10_000)
            await asyncio.sleep(0)  # sending alone does not let anybody else run while the socket takes it


async def test_a_client_that_never_reads_loses_its_place_and_what_it_reads_at_last_is_in_order(
    flooded: Any, session_on: Any, until_no_streams: Any
) -> None:
    await until_no_streams(flooded)
    async with session_on(flooded, ping_interval=None) as session:
        stalling = asyncio.create_task(stall(session))
        await until_no_streams(flooded)
        await session.until_closed()
        await stalling
    added, done = (session.of_type(f"conversation.item.{kind}") for kind in ("added", "done"))
    assert len(added) > 100
    assert [event["item"]["id"] for event in done] == [event["item"]["id"] for event in added][: len(done)]
    assert [event["previous_item_id"] for event in added] == [None, *(event["item"]["id"] for event in added[:-1])]
