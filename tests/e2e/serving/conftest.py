from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
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
PATIENCE_SECONDS = 90
PROGRAM = Path(sysconfig.get_path("scripts")) / "wavescribe"
BREAKABLE = Path(__file__).parent / "programs" / "breakable_server.py"
USUAL = ("--model", "whisper-tiny.en", "--max-lag-seconds", "0")
"""The fastest model; streams are let in however slow the machine is."""


class Server:
    """A server process, looked at from outside.

    Args:
        process: the process.
        port: where it listens.
        log: where it writes.
    """

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process = process
        self.http = f"http://127.0.0.1:{port}"
        self.websocket = f"ws://127.0.0.1:{port}"
        self.port = port
        self._log = log
        self.alone: dict[str, str] = {}
        """What a witness hears when nobody else is there."""

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    @property
    def engines(self) -> list[int]:
        """The processes that decode."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        found = [int(pid) for path in children.parent.parent.glob("*/children") for pid in path.read_text().split()]
        return sorted(pid for pid in found if "spawn_main" in _command(pid))

    @property
    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    @property
    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self, *, peak: bool = False) -> float:
        name = "VmHWM:" if peak else "VmRSS:"
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith(name)).split()[1]) / 1024

    def metric(self, name: str) -> float:
        """A number of /metrics by its whole name, labels included; 0 where a label has not been counted yet."""
        text = httpx.get(f"{self.http}/metrics", timeout=PATIENCE_SECONDS).text
        family, labels, _ = name.partition("{")
        found = [line for line in text.splitlines() if line.startswith(f"{name} ")]
        assert found or (labels and f"# HELP {family} " in text), f"there is no metric {name}"
        return float(found[0].split()[-1]) if found else 0.0

    def readiness(self) -> str:
        """What /ready says; a machine that asks goes by the status."""
        answer = httpx.get(f"{self.http}/ready", timeout=PATIENCE_SECONDS)
        status = str(answer.json()["status"])
        assert (answer.status_code == 200) == (status == "ready")
        return status

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not await asyncio.to_thread(holds):
            assert self.process.poll() is None, f"the server ended:\n{self.log}"
            assert time.monotonic() < deadline, f"it never came about: {what}\n{self.log[-4000:]}"
            await asyncio.sleep(0.05)

    async def until_at_rest(self, descriptors: int) -> None:
        """Wait until no stream is open, no descriptor is left over, all engines are there and the server is ready."""
        await self.until(lambda: self.metric("wavescribe_active_streams") == 0, "no stream is open")
        await self.until(lambda: self.metric("wavescribe_engine_processes") == 2, "both engines are there")
        await self.until(lambda: self.readiness() == "ready", "ready")
        await self.until(lambda: self.descriptors <= descriptors, f"{descriptors} descriptors, not {self.descriptors}")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_SECONDS)


def _command(pid: int) -> str:
    with suppress(OSError):  # it has just ended
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""


class Session:
    """A realtime session: PCM16 at 16 kHz, turns ended by hand. Every event that is read is kept.

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

    async def until(self, *kinds: str) -> Event:
        """Read up to the event whose type ends as one of these; an error on the way fails."""
        while True:
            event = await self.receive()
            assert event["type"] != "error" or "error" in kinds, f"an error came before {kinds}: {event}"
            if event["type"].endswith(kinds):
                return event

    async def configure(self, prompt: str = "") -> None:
        audio_input = {
            "format": {"type": "audio/pcm", "rate": RATE},
            "transcription": {"language": "en", "prompt": prompt},
            "turn_detection": None,
        }
        await self.send("session.update", session={"type": "transcription", "audio": {"input": audio_input}})
        await self.until("session.updated")

    async def append(self, pcm: bytes) -> None:
        """Send audio in one message."""
        await self.send("input_audio_buffer.append", audio=base64.b64encode(pcm).decode())

    async def commit(self) -> None:
        await self.send("input_audio_buffer.commit")

    async def transcribe(self, pcm: bytes) -> str:
        """Append and commit; returns the transcript, which is the join of the deltas."""
        await self.append(pcm)
        await self.commit()
        completed = await self.until(".completed")
        assert self.deltas() == completed["transcript"]
        return str(completed["transcript"])

    async def until_closed(self) -> int | None:
        """Read to the close; returns its code."""
        with suppress(ConnectionClosed):
            while True:
                await self.receive()
        return self.connection.close_code

    def of_type(self, kind: str) -> list[Event]:
        return [event for event in self.events if event["type"].endswith(kind)]

    def deltas(self) -> str:
        return "".join(event["delta"] for event in self.of_type(".delta"))


@dataclass(frozen=True, slots=True)
class Talk:
    """What a witness says, as PCM16 at 16 kHz."""

    first: bytes
    second: bytes


@asynccontextmanager
async def opened(server: Server, *, prompt: str = "", **options: Any) -> AsyncIterator[Session]:
    async with connect(f"{server.websocket}/v1/realtime", max_size=None, **options) as connection:
        session = Session(connection)
        await session.until("session.created")
        await session.configure(prompt)
        yield session


@asynccontextmanager
async def witnessing(server: Server, talk: Talk, **options: Any) -> AsyncIterator[Session]:
    """A stream beside what happens in the context: its text is what it is when nothing happens."""
    if "text" not in server.alone:
        async with opened(server, **options) as session:
            server.alone["text"] = await session.transcribe(talk.first + talk.second)
    async with opened(server, **options) as session:
        await session.append(talk.first)
        await session.until(".delta")
        yield session
        await session.append(talk.second)
        await session.commit()
        await session.until(".completed")
    assert session.deltas() == server.alone["text"]
    assert len(server.alone["text"]) > 100


@pytest.fixture(scope="session")
def open_session() -> Callable[..., AbstractAsyncContextManager[Session]]:
    """Open and configure a session: (server, prompt=, and options of `websockets.connect`)."""
    return opened


@pytest.fixture(scope="session")
def witness(two_cities: Path) -> Callable[..., AbstractAsyncContextManager[Session]]:
    """A stream beside what happens in the context: (server, and options of `websockets.connect`)."""
    pcm = encode_pcm16(decode_audio(two_cities, max_seconds=60)[: 24 * RATE])
    talk = Talk(pcm[: len(pcm) // 2], pcm[len(pcm) // 2 :])
    return lambda server, **options: witnessing(server, talk, **options)


@pytest.fixture(scope="session")
def speech(two_cities: Path) -> Callable[[float], bytes]:
    """So many seconds of reading as PCM16 at 16 kHz; past its end it begins anew."""
    pcm = encode_pcm16(decode_audio(two_cities, max_seconds=60))

    def first(seconds: float) -> bytes:
        wanted = 2 * round(seconds * RATE)
        return (pcm * (wanted // len(pcm) + 1))[:wanted]

    return first


Start = Callable[..., Server]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start servers: (flags, breakable=, prepare=, environment); one of the same flags is started once."""
    started: dict[tuple[str, ...], Server] = {}
    with ExitStack() as servers:

        def begin(*flags: str, breakable: bool = False, anew: bool = False, **options: Any) -> Server:
            known = (str(breakable), *flags)
            if anew or known not in started or started[known].process.poll() is not None:
                folder = tmp_path_factory.mktemp("server")
                server = servers.enter_context(_running(folder, *flags, breakable=breakable, **options))
                if anew:
                    return server
                started[known] = server
            return started[known]

        yield begin


@contextmanager
def _running(
    folder: Path, *flags: str, breakable: bool, prepare: Callable[[], None] | None = None, **environment: str
) -> Iterator[Server]:
    command = [sys.executable, str(BREAKABLE)] if breakable else [str(PROGRAM)]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("WAVESCRIBE_")}
    log = folder / "server.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [*command, "serve", "--port", str(port), *USUAL, *flags],
            stdout=output,
            stderr=output,
            env=inherited | environment,
            preexec_fn=prepare,
        ) as process,
    ):
        server = Server(process, port, log)
        try:
            _wait_until_ready(server)
            yield server
            if process.poll() is None:
                code = server.stop()
                assert code in (0, -signal.SIGTERM), f"the server ended with {code}:\n{server.log}"
        finally:
            process.kill()


def _wait_until_ready(server: Server) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        assert server.process.poll() is None, f"the server ended while it started:\n{server.log}"
        with suppress(httpx.TransportError):
            if server.readiness() == "ready":
                return
        time.sleep(0.1)
    pytest.fail(f"the server was not ready:\n{server.log}")
