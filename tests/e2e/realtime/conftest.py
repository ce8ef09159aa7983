from __future__ import annotations

import asyncio
import base64
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sysconfig
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter
from websockets import ConnectionClosed
from websockets.asyncio.client import ClientConnection, connect

from wavescribe.audio.decoding import decode_audio
from wavescribe.audio.pcm import encode_pcm16
from wavescribe.engines.base import Samples

Event = dict[str, Any]

RATE = 24_000
PATIENCE_SECONDS = 90
TRANSCRIPTION = "conversation.item.input_audio_transcription"
LOGPROBS = "item.input_audio_transcription.logprobs"
LARGEST_EVENT_BYTES = 1024 * 1024

SERVER_EVENTS: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)


class Conversation:
    """A realtime session over a raw socket. Every event that is read is kept, and checked as the stock client does.

    Args:
        connection: the open connection.
        strict: whether events are held to the types of the OpenAI package; off for dialects of others.
    """

    def __init__(self, connection: ClientConnection, *, strict: bool = True) -> None:
        self.connection = connection
        self.events: list[Event] = []
        self._strict = strict
        self._markers = 0

    async def send(self, kind: str, **fields: Any) -> None:
        await self.connection.send(json.dumps({"type": kind, **fields}))

    async def receive(self) -> Event:
        async with asyncio.timeout(PATIENCE_SECONDS):
            frame = await self.connection.recv()
        return self._checked(frame)

    async def until(self, kind: str, times: int = 1) -> list[Event]:
        """The events up to the one of that type, or the last of several of it; short names of transcription events."""
        wanted = f"{TRANSCRIPTION}.{kind}" if "." not in kind and kind != "error" else kind
        read: list[Event] = []
        while sum(event["type"] == wanted for event in read) < times:
            event = await self.receive()
            read.append(event)
            assert event["type"] != "error" or wanted == "error", f"an error came before {wanted}: {event}"
        return read

    async def rest(self) -> list[Event]:
        """The events up to the close, whatever its code."""
        read: list[Event] = []
        with suppress(ConnectionClosed):
            while True:
                read.append(await self.receive())
        return read

    async def before_marker(self) -> list[Event]:
        """The events that were on their way; a question of which the answer is known shows where they end."""
        self._markers += 1
        marker = f"marker-{self._markers}"
        await self.send("conversation.item.retrieve", item_id="item_that_never_was", event_id=marker)
        read: list[Event] = []
        while (event := await self.receive()).get("error", {}).get("event_id") != marker:
            read.append(event)
        return read

    async def update(self, *, include: Any = ..., **audio_input: Any) -> Event:
        """Change the configuration; returns the session of the answer."""
        session: Event = {"type": "transcription", "audio": {"input": audio_input}}
        await self.send("session.update", session=session if include is ... else {**session, "include": include})
        answer: Event = (await self.until("session.updated"))[-1]["session"]
        return answer

    async def append(self, samples: Samples, *, packet: int = RATE // 10) -> None:
        """Send samples as PCM16, so many in each event."""
        for first in range(0, len(samples), packet):
            await self.append_bytes(encode_pcm16(samples[first : first + packet]))

    async def append_bytes(self, data: bytes) -> None:
        await self.send("input_audio_buffer.append", audio=base64.b64encode(data).decode())

    async def commit(self, **fields: Any) -> None:
        await self.send("input_audio_buffer.commit", **fields)

    async def transcribe(self, samples: Samples, *, packet: int = RATE // 10) -> Event:
        """Append and commit; returns the `completed` event."""
        await self.append(samples, packet=packet)
        await self.commit()
        return (await self.until("completed"))[-1]

    def of_type(self, kind: str) -> list[Event]:
        """The events read so far whose type ends so."""
        return [event for event in self.events if event["type"].endswith(kind)]

    def _checked(self, frame: str | bytes) -> Event:
        assert isinstance(frame, str), "the protocol has text frames only"
        assert len(frame.encode()) < LARGEST_EVENT_BYTES
        event: Event = json.loads(frame)
        assert event["event_id"].startswith("event_")
        assert all(event["event_id"] != earlier["event_id"] for earlier in self.events)
        if self._strict and not _beyond_the_package(event):
            SERVER_EVENTS.validate_python(event)
        self.events.append(event)
        return event


def _beyond_the_package(event: Event) -> bool:
    """Whether it shows what was asked for as an extension: a rate, or drafts."""
    session = event.get("session", {})
    audio_format = session.get("audio", {}).get("input", {}).get("format", {})
    extended = set(session.get("include") or ()) - {LOGPROBS}
    return bool(extended) or audio_format.get("rate", RATE) != RATE or event["type"] == f"{TRANSCRIPTION}.text"


@asynccontextmanager
async def conversation(
    server: Any,
    query: str = "?intent=transcription",
    *,
    manual: bool = False,
    strict: bool = True,
    greeted: bool = True,
    **options: Any,
) -> AsyncIterator[Conversation]:
    """Connect; read `session.created` where `greeted`; switch turn detection off where `manual`."""
    async with connect(f"{server.websocket}/v1/realtime{query}", max_size=None, **options) as connection:
        opened = Conversation(connection, strict=strict)
        if greeted:
            await opened.until("session.created")
        if manual:
            await opened.update(turn_detection=None)
        yield opened


@pytest.fixture(scope="session")
def talk() -> Callable[..., AbstractAsyncContextManager[Conversation]]:
    """Open a session on a server: (server, query, manual=, strict=, greeted=, and options of `websockets.connect`)."""
    return conversation


@pytest.fixture(scope="session")
def clip() -> Callable[[str], Samples]:
    """A short recording by "<language>/<name>", at 24 kHz."""
    folder = _package("pytest_audioeval") / "samples" / "audio"
    return lambda name: decode_audio(folder / f"{name}.wav", sample_rate=RATE, max_seconds=60)


@pytest.fixture(scope="session")
def fox(clip: Callable[[str], Samples]) -> Samples:
    """2.9 seconds at 24 kHz, speech from 0.06 to 2.4: the quick brown fox jumps over the lazy dog."""
    return clip("en/quick_brown_fox")


@pytest.fixture(scope="session")
def hello(clip: Callable[[str], Samples]) -> Samples:
    """1.1 seconds at 24 kHz, speech from 0.08 to 0.75: hello world."""
    return clip("en/hello_world")


@pytest.fixture(scope="session")
def reading() -> Samples:
    """12 seconds at 24 kHz of continuous reading: the opening of A Tale of Two Cities."""
    recording = _package("moonshine_voice") / "assets" / "two_cities.wav"
    return decode_audio(recording, sample_rate=RATE, max_seconds=60)[: 12 * RATE]


@pytest.fixture(scope="session")
def silence() -> Callable[[float], Samples]:
    """So many seconds of digital silence at 24 kHz."""
    return lambda seconds: np.zeros(round(seconds * RATE), dtype=np.float32)


@pytest.fixture(scope="session")
def joined() -> Callable[[Sequence[Event]], str]:
    """The text of all deltas among some events."""
    return lambda events: "".join(event["delta"] for event in events if event["type"] == f"{TRANSCRIPTION}.delta")


@pytest.fixture(scope="session")
def gauge() -> Callable[[Any, str], Awaitable[float]]:
    """A number of a server's metrics: (server, name)."""

    async def read(server: Any, name: str) -> float:
        async with httpx.AsyncClient() as http:
            lines = (await http.get(f"{server.http}/metrics")).text.splitlines()
        return float(next(line for line in lines if line.startswith(f"{name} ")).split()[1])

    return read


class Program:
    """A server process of a test's own, which the test may end.

    Args:
        process: the process.
        port: where it listens.
    """

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self._process = process
        self.http = f"http://127.0.0.1:{port}"
        self.websocket = f"ws://127.0.0.1:{port}"

    def terminate(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    async def exit_code(self) -> int:
        return await asyncio.to_thread(self._process.wait, PATIENCE_SECONDS)

    async def until_ready(self) -> None:
        async with httpx.AsyncClient() as http, asyncio.timeout(PATIENCE_SECONDS):
            while not await self._ready(http):
                assert self._process.poll() is None, "the server ended while it started"
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
        port = _free_port()
        command = [
            f"{sysconfig.get_path('scripts')}/wavescribe",
            "serve",
            "--port",
            str(port),
            "--max-lag-seconds",
            "0",
            *flags,
        ]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WAVESCRIBE_")}
        log = tmp_path_factory.mktemp("program") / "server.log"
        with (
            log.open("wb") as output,
            subprocess.Popen(command, stdout=output, stderr=output, env=environment) as process,
        ):
            try:
                yield Program(process, port)
            finally:
                process.kill()

    return run


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _package(name: str) -> Path:
    """Where an installed package lies, without importing it."""
    found = importlib.util.find_spec(name)
    assert found is not None
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0])
