from __future__ import annotations

import asyncio
import base64
import json
import socket
import struct
import subprocess
import sysconfig
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets import ConnectionClosed
from websockets.asyncio.client import ClientConnection, connect

from wavescribe.audio.decoding import decode_audio
from wavescribe.audio.pcm import encode_pcm16

Event = dict[str, Any]

RATE = 16_000
BYTES_PER_SECOND = 2 * RATE
PATIENCE_SECONDS = 30
START_SECONDS = 120


class Session:
    """A realtime session over a raw socket: PCM16 at 16 kHz, turns ended by hand. Every event that is read is kept.

    Args:
        connection: the open connection.
    """

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.events: list[Event] = []

    async def send(self, kind: str, **fields: Any) -> None:
        await self.connection.send(json.dumps({"type": kind, **fields}))

    async def receive(self) -> Event:
        async with asyncio.timeout(PATIENCE_SECONDS):
            event: Event = json.loads(await self.connection.recv())
        self.events.append(event)
        return event

    async def until(self, kind: str, times: int = 1) -> Event:
        """Read up to the event whose type ends so, or to the last of several; an error on the way fails."""
        while True:
            event = await self.receive()
            assert event["type"] != "error" or kind == "error", f"an error came before {kind}: {event}"
            times -= event["type"].endswith(kind)
            if not times:
                return event

    async def configure(self, language: str = "en") -> None:
        """Turns by hand, 16 kHz, one language; waits for the answer."""
        audio_input = {
            "format": {"type": "audio/pcm", "rate": RATE},
            "transcription": {"language": language},
            "turn_detection": None,
        }
        await self.send("session.update", session={"type": "transcription", "audio": {"input": audio_input}})
        await self.until("session.updated")

    async def append(self, pcm: bytes, *, packet: int = BYTES_PER_SECOND // 10) -> None:
        """Send audio, so many bytes in each event."""
        for first in range(0, len(pcm), packet):
            audio = base64.b64encode(pcm[first : first + packet]).decode()
            await self.send("input_audio_buffer.append", audio=audio)

    async def commit(self) -> None:
        await self.send("input_audio_buffer.commit")

    async def transcribe(self, pcm: bytes, *, packet: int = BYTES_PER_SECOND // 10) -> str:
        """Append and commit while reading; returns the transcript, which is the join of the deltas."""

        async def push() -> None:
            await self.append(pcm, packet=packet)
            await self.commit()

        _, completed = await asyncio.gather(push(), self.until(".completed"))
        assert self.deltas() == completed["transcript"]
        return str(completed["transcript"])

    async def until_closed(self) -> int | None:
        """Read to the close; returns its code."""
        with suppress(ConnectionClosed):
            while True:
                await self.receive()
        return self.connection.close_code

    def of_type(self, kind: str) -> list[Event]:
        """The events read so far whose type ends so."""
        return [event for event in self.events if event["type"].endswith(kind)]

    def deltas(self) -> str:
        """The text of all deltas read so far."""
        return "".join(event["delta"] for event in self.of_type(".delta"))


@asynccontextmanager
async def open_session(server: Any, query: str = "", *, language: str = "en", **options: Any) -> AsyncIterator[Session]:
    async with connect(f"{server.websocket}/v1/realtime{query}", max_size=None, **options) as connection:
        session = Session(connection)
        await session.until("session.created")
        await session.configure(language)
        yield session


@pytest.fixture(scope="session")
def session_on() -> Callable[..., AbstractAsyncContextManager[Session]]:
    """Open and configure a session: (server, query, language=, and options of `websockets.connect`)."""
    return open_session


@pytest.fixture(scope="session")
def session_over() -> Callable[[ClientConnection], Session]:
    """A session over a connection that is open already."""
    return Session


@pytest.fixture(scope="session")
def pcm() -> Callable[..., bytes]:
    """A recording as PCM16 at 16 kHz: (path, seconds=)."""

    def read(path: Path, seconds: float = 600) -> bytes:
        samples = decode_audio(path, sample_rate=RATE, max_seconds=600)
        return encode_pcm16(samples[: round(seconds * RATE)])

    return read


@pytest.fixture(scope="session")
def cut() -> Callable[..., None]:
    """Lose a connection without a close frame: (connection, reset=); what is on its way is lost too with a reset."""

    def lose(connection: ClientConnection, *, reset: bool = True) -> None:
        if reset:
            linger = struct.pack("ii", 1, 0)
            connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        connection.transport.abort()

    return lose


@pytest.fixture(scope="session")
def active_streams() -> Callable[[Any], int]:
    """The number of live streams that a server has open."""

    def read(server: Any) -> int:
        lines = httpx.get(f"{server.http}/metrics").text.splitlines()
        return int(float(next(line for line in lines if line.startswith("wavescribe_active_streams ")).split()[1]))

    return read


@pytest.fixture(scope="session")
def until_no_streams(active_streams: Callable[[Any], int]) -> Callable[[Any], Any]:
    """Wait until a server has no live stream open, or at most so many."""

    async def wait(server: Any, most: int = 0) -> None:
        for _ in range(PATIENCE_SECONDS * 10):
            if await asyncio.to_thread(active_streams, server) <= most:
                return
            await asyncio.sleep(0.1)
        pytest.fail("a stream stayed open")

    return wait


class Program:
    """A server process whose log and memory can be read.

    Args:
        process: the process.
        log: where it writes.
        port: where it listens.
    """

    def __init__(self, process: subprocess.Popen[bytes], log: Path, port: int) -> None:
        self._process = process
        self._log = log
        self.http = f"http://127.0.0.1:{port}"
        self.websocket = f"ws://127.0.0.1:{port}"

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def memory(self, *, peak: bool = False) -> int:
        """Resident megabytes, now or at the most since the process began."""
        name = "VmHWM:" if peak else "VmRSS:"
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith(name)).split()[1]) // 1024

    async def until_ready(self) -> None:
        async with httpx.AsyncClient() as http, asyncio.timeout(START_SECONDS):
            while not await self._ready(http):
                assert self._process.poll() is None, f"the server ended while it started:\n{self.log()}"
                await asyncio.sleep(0.1)

    async def _ready(self, http: httpx.AsyncClient) -> bool:
        try:
            return (await http.get(f"{self.http}/ready")).status_code == 200
        except httpx.TransportError:
            return False  # it does not listen yet


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Run the installed program with some flags while the context is open."""

    @contextmanager
    def run(*flags: str) -> Iterator[Program]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        command = [
            str(Path(sysconfig.get_path("scripts")) / "wavescribe"),
            "serve",
            "--port",
            str(port),
            "--max-lag-seconds",
            "0",
            *flags,
        ]
        log = tmp_path_factory.mktemp("program") / "server.log"
        with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
            try:
                yield Program(process, log, port)
            finally:
                process.terminate()
                try:
                    process.wait(PATIENCE_SECONDS)
                finally:
                    process.kill()

    return run
