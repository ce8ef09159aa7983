"""The package's own client against the real server, over connections that are lost."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import wavescribe
from wavescribe.audio.decoding import decode_audio
from wavescribe.client import SessionOptions, Settled, TranscriptionClient, TurnEnded
from wavescribe.engines.base import Samples
from wavescribe.errors import AuthenticationError, OverloadedError, ServerUnreachableError

pytestmark = pytest.mark.model

ENGLISH = SessionOptions(language="en")
TINY = ("--model", "whisper-tiny.en")


class LossyLine:
    """A TCP line to a server that is cut after so many bytes from the client, each connection anew.

    Args:
        port: the server's.
        most_bytes: that a connection carries to the server.
    """

    def __init__(self, port: int, most_bytes: int) -> None:
        self._port = port
        self._most_bytes = most_bytes
        self.connections = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._port)
        ways = {
            asyncio.create_task(self._pass(server_reader, writer, None)),
            asyncio.create_task(self._pass(reader, server_writer, self._most_bytes)),
        }
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        for end in (writer, server_writer):
            # With a reset, what is on its way is lost too.
            end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, most: int | None) -> None:
        passed = 0
        while (most is None or passed < most) and (data := await reader.read(4096)):
            writer.write(data)
            await writer.drain()
            passed += len(data)


async def text_of(client: TranscriptionClient, samples: Samples) -> list[str]:
    """Send a recording and read to the end; the transcripts, which are the joins of their deltas."""

    async def send() -> None:
        for first in range(0, len(samples), 4_000):
            await client.send(samples[first : first + 4_000])
        client.finish()

    deltas: dict[int, str] = {}
    transcripts: list[str] = []
    sending = asyncio.create_task(send())
    async for event in client:
        if isinstance(event, Settled):
            deltas[event.turn] = deltas.get(event.turn, "") + event.delta
        if isinstance(event, TurnEnded):
            assert deltas.get(event.turn, "") == event.transcript
            transcripts.append(event.transcript)
    await sending
    return transcripts


def port_of(server: Any) -> int:
    return int(server.http.rsplit(":", 1)[1])


async def test_over_lost_connections_the_text_is_the_same_to_the_byte(english_server: Any, two_cities: Path) -> None:
    samples = decode_audio(two_cities, max_seconds=600)[: 15 * 16_000]
    async with TranscriptionClient(english_server.http, ENGLISH) as client:
        expected = await text_of(client, samples)
    line = LossyLine(port_of(english_server), 150_000)
    async with line.open() as url, TranscriptionClient(url, ENGLISH, buffer_seconds=5) as client:
        text = await text_of(client, samples)
    assert line.connections >= 4
    assert "best of times" in "".join(expected)
    assert text == expected


async def test_a_stream_on_a_server_and_one_in_this_process_give_the_same_text(english_server: Any, fox: Path) -> None:
    async def transcripts(**where: Any) -> list[str]:
        events = wavescribe.stream(fox, language="en", **where)
        return [event.transcript async for event in events if isinstance(event, TurnEnded) and event.transcript]

    remote = await transcripts(url=english_server.http)
    assert remote == await transcripts(model="whisper-tiny.en")
    assert "quick brown fox" in remote[0]


async def test_turns_end_where_the_client_commits(english_server: Any, fox: Path) -> None:
    samples = decode_audio(fox, max_seconds=10)
    async with TranscriptionClient(english_server.http, SessionOptions(language="en", silence_ms=None)) as client:
        for _ in range(2):
            await client.send(samples)
            client.commit()
        client.finish()
        ended = [event async for event in client if isinstance(event, TurnEnded)]
    seconds = len(samples) / 16_000
    assert [round(event.end / seconds, 2) for event in ended] == [1, 2]
    assert all("quick brown fox" in event.transcript for event in ended)


async def test_refusals_are_raised_on_opening(serve: Callable[..., Any]) -> None:
    server = serve(*TINY, "--max-sessions", "1", "--api-key", "the-key")
    with pytest.raises(AuthenticationError, match="Incorrect API key"):
        async with TranscriptionClient(server.http, api_key="wrong"):
            pass
    with pytest.raises(AuthenticationError, match="didn't provide an API key"):
        async with TranscriptionClient(server.http):
            pass
    async with TranscriptionClient(server.http, api_key="the-key"):
        with pytest.raises(OverloadedError):
            async with TranscriptionClient(server.http, api_key="the-key"):
                pass
    async with TranscriptionClient(server.http, api_key="the-key"):
        pass


async def test_a_connection_that_does_not_come_back_ends_reading_and_sending(english_server: Any, fox: Path) -> None:
    samples = decode_audio(fox, max_seconds=10)
    line = LossyLine(port_of(english_server), 30_000)
    async with line.open() as url:
        client = TranscriptionClient(url, ENGLISH, reconnect_seconds=0.2)
        await client.__aenter__()
    try:
        await client.send(samples)
        with pytest.raises(ServerUnreachableError, match=r"did not come back in 0\.2 s: cannot connect to ws://"):
            async for _ in client:
                pass
        with pytest.raises(ServerUnreachableError):
            await client.send(samples)
    finally:
        await client.close()
