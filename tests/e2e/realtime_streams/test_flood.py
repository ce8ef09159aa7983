"""Clients that send as fast as the socket takes it, and clients that do not read."""

from __future__ import annotations

import asyncio
import contextlib
import json
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
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the memory of a process from /proc"),
]

SECOND = 32_000
MINUTES = 10
PONG_SECONDS = 20
SILENT_SECONDS = 10
PATIENCE_SECONDS = 120


@pytest.fixture(scope="module")
def flooded(program: Any) -> Iterator[Any]:
    """A server of this module's own, whose memory nobody else's streams are in."""
    with program("--model", "whisper-tiny.en") as running:
        asyncio.run(running.until_ready())
        yield running


async def ping_until_cancelled(connection: ClientConnection) -> None:
    """Ping again and again; a pong that takes longer than clients wait fails."""
    while True:
        async with asyncio.timeout(PONG_SECONDS):
            await (await connection.ping())
        await asyncio.sleep(0.2)


async def test_rt_43_ten_minutes_pushed_at_once_are_all_transcribed_while_pings_are_answered(
    flooded: Any, session_on: Any, pcm: Any, fox: Path
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
        assert not pinging.done()
        pinging.cancel()
    completed = session.of_type(".completed")
    assert ["fox" in event["transcript"] for event in completed] == [True] * MINUTES
    assert {event["transcript"] for event in completed} == {completed[0]["transcript"]}
    assert [event["item_id"] for event in completed] == [event["item_id"] for event in session.of_type(".committed")]
    # The audio itself, as floats at the engine's rate, is 37 MiB.
    print("MEM", before, flooded.memory(peak=True), flooded.memory())
    assert flooded.memory(peak=True) - before < 200


async def test_rt_44_a_client_that_does_not_read_for_a_while_gets_every_event_in_order(
    flooded: Any, session_on: Any, pcm: Any, two_cities: Path
) -> None:
    audio = pcm(two_cities, seconds=20)
    async with session_on(flooded) as prompt_reader:
        transcript = await prompt_reader.transcribe(audio)
    async with session_on(flooded, ping_interval=None) as session:
        session.connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        for number in range(20):
            await session.append(audio[number * SECOND : (number + 1) * SECOND])
            for part in range(30):
                item = {"id": f"item_{number}_{part}", "type": "message", "role": "user"}
                content = [{"type": "input_text", "text": "x" * 5_000}]
                await session.send("conversation.item.create", item={**item, "content": content})
            await asyncio.sleep(SILENT_SECONDS / 20)
        await session.commit()
        completed = await session.until(".completed")
    assert completed["transcript"] == session.deltas() == transcript
    created = [event["item"]["id"] for event in session.of_type(".item.added") if "_0" in event["item"]["id"][5:]]
    print(len(created), len(session.events))
    added = [event["item"]["id"] for event in session.of_type(".item.added")]
    assert [name for name in added if name.count("_") == 2] == [f"item_{n}_{p}" for n in range(20) for p in range(30)]
    assert len({event["event_id"] for event in session.events}) == len(session.events)
    print("MEM", flooded.memory(peak=True), flooded.memory())


async def test_a_client_that_never_reads_is_cut_off_before_the_servers_memory_grows(
    flooded: Any, session_on: Any, until_no_streams: Any
) -> None:
    await until_no_streams(flooded)
    before = flooded.memory()
    async with session_on(flooded, ping_interval=None, close_timeout=1) as session:
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x" * 10_000}]}
        frame = json.dumps({"type": "conversation.item.create", "item": item})

        async def push() -> None:
            with contextlib.suppress(ConnectionClosed):
                for _ in range(10_000):
                    await session.connection.send(frame)

        pushing = asyncio.create_task(push())
        await until_no_streams(flooded)
        print("MEM", before, flooded.memory())
        pushing.cancel()
        await asyncio.gather(pushing, return_exceptions=True)
    print("close", session.connection.close_code)
