"""Clients that vanish, read nothing, or come and go by the thousand: no other stream notices, nothing is left over."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import struct
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from websockets.asyncio.client import connect

if TYPE_CHECKING:
    from tests.e2e.serving.conftest import Server

pytestmark = [pytest.mark.model, pytest.mark.slow]

PATHS = ("/v1/realtime", "/v1/audio/transcriptions/stream")
CONNECTIONS = 1000
UNREAD = 'wavescribe_cut_streams_total{limit="unread"}'


@pytest.fixture
def server(start: Callable[..., Server]) -> Server:
    return start("--max-sessions", "50", "--resume-seconds", "1")


def raw_connection(server: Server, path: str, *, receive_bytes: int | None = None) -> socket.socket:
    """A WebSocket whose frames the test writes itself.

    Args:
        receive_bytes: what the system keeps of what is not read. A window that shrinks when it is open already can
            have Linux drop the segments that acknowledge ours, and then nobody sends any more: it is set at first.
    """
    connection = socket.socket()
    if receive_bytes is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    connection.settimeout(60)
    connection.connect(("127.0.0.1", server.port))
    key = base64.b64encode(os.urandom(16)).decode()
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        "",
        "",
    )
    connection.sendall("\r\n".join(lines).encode())
    assert connection.recv(12) == b"HTTP/1.1 101"
    return connection


def frame_header(length: int) -> bytes:
    """The head of a masked binary frame of so many bytes, fewer than 65536."""
    return struct.pack("!BBHI", 0x82, 0x80 | 126, length, 0)


def vanish(connection: socket.socket) -> None:
    """Close a connection with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@pytest.mark.parametrize("path", [*PATHS, "/v1/realtime?resume=1"])
@pytest.mark.parametrize("written", [b"\x82", frame_header(1000), frame_header(1000) + b"\0" * 500])
async def test_a_client_that_vanishes_in_the_middle_of_a_frame_leaves_nothing_behind(
    server: Server, witness: Any, path: str, written: bytes
) -> None:
    async with witness(server):
        pass
    before = server.descriptors
    for end in (vanish, socket.socket.close):
        connections = [await asyncio.to_thread(raw_connection, server, path) for _ in range(5)]
        for connection in connections:
            connection.sendall(written)
            end(connection)
    await server.until_at_rest(before)


async def test_a_stream_notices_nothing_of_clients_that_vanish(server: Server, witness: Any) -> None:
    async with witness(server):
        pass
    before = server.descriptors
    async with witness(server):
        for path in PATHS:
            connection = await asyncio.to_thread(raw_connection, server, path)
            connection.sendall(frame_header(60_000) + b"\0" * 30_000)
            vanish(connection)
    await server.until_at_rest(before)


async def test_a_client_that_vanishes_in_the_middle_of_an_upload_leaves_nothing_behind(
    server: Server, witness: Any
) -> None:
    async with witness(server):
        pass
    before = server.descriptors
    async with witness(server):
        for _ in range(5):
            connection = socket.create_connection(("127.0.0.1", server.port))
            connection.sendall(
                b"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n"
                b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
                b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n' + b"\0" * 3_000_000
            )
            vanish(connection)
    await server.until_at_rest(before)
    assert "Traceback" not in server.log


@pytest.mark.parametrize("path", PATHS)
async def test_a_client_that_never_reads_is_cut_and_nobody_else_notices(
    server: Server, witness: Any, path: str
) -> None:
    async with witness(server):
        pass
    before = server.descriptors
    cut = server.metric(UNREAD)
    async with witness(server):
        connection = await asyncio.to_thread(raw_connection, server, path, receive_bytes=4096)
        connection.sendall(text_frame(b'{"type":"session.start"}' if "stream" in path else b'{"type":"dance"}'))
        await server.until(lambda: server.metric("wavescribe_active_streams") == 2, "it has a stream")
        connection.settimeout(1)
        enough = threading.Event()
        flooding = asyncio.create_task(asyncio.to_thread(flood, connection, enough))
        try:
            await server.until(lambda: server.metric(UNREAD) == cut + 1, "it is cut")
            await server.until(lambda: server.metric("wavescribe_active_streams") == 1, "its stream is closed")
        finally:
            enough.set()
            await flooding
            connection.close()
    await server.until_at_rest(before)


def text_frame(text: bytes) -> bytes:
    """A masked text frame of fewer than 126 bytes; the mask is zero."""
    return struct.pack("!BBI", 0x81, 0x80 | len(text), 0) + text


def flood(connection: socket.socket, enough: threading.Event) -> None:
    """Send what is answered with an error each time, until it is enough or the server cuts; nothing is ever read."""
    frames = unsent = text_frame(b'{"type":"dance"}') * 500
    while not enough.is_set():
        try:
            unsent = unsent[connection.send(unsent) :] or frames
        except TimeoutError:
            continue  # the server takes nothing just now
        except OSError:
            return  # it is cut


async def test_a_thousand_connects_and_disconnects_leave_nothing_behind(server: Server, witness: Any) -> None:
    async with witness(server):
        pass
    before, memory = server.descriptors, server.memory_mb()
    async with witness(server):
        for number in range(CONNECTIONS):
            path = PATHS[number % 2]
            async with connect(f"{server.websocket}{path}", max_size=None) as connection:
                if "stream" in path:
                    await connection.send('{"type":"session.start"}')
                assert json.loads(await connection.recv())["type"] in ("session.created", "session.started")
                if number % 4 < 2:
                    connection.transport.abort()
    await server.until_at_rest(before)
    assert server.metric("wavescribe_tasks") < 40
    assert server.memory_mb() - memory < 50
    assert "Traceback" not in server.log
    async with httpx.AsyncClient() as http:
        assert (await http.get(f"{server.http}/health")).status_code == 200
