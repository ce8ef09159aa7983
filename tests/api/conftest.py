from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import uvicorn
from openai import OpenAI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wavescribe.api.server import build_app
from wavescribe.audio.decoding import decode_audio
from wavescribe.engines.base import Engine, Samples
from wavescribe.engines.whisper import load_whisper
from wavescribe.settings import Settings


class CountingApp:
    """Passes everything on and counts the bytes of request bodies that the application read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.bytes_read = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def counted() -> Message:
            message = await receive()
            self.bytes_read += len(message.get("body", b""))
            return message

        await self._app(scope, counted, send)


@dataclass
class RunningServer:
    """A server on a real socket; `app` counts what it reads."""

    url: str
    port: int
    app: CountingApp
    _clients: list[OpenAI] = field(default_factory=list)

    def client(self, max_retries: int = 0) -> OpenAI:
        client = OpenAI(base_url=f"{self.url}/v1", api_key="x", max_retries=max_retries)
        self._clients.append(client)
        return client

    def close(self) -> None:
        for client in self._clients:
            client.close()


Serve = Callable[..., AbstractContextManager[RunningServer]]
Encode = Callable[..., bytes]


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    loaded = load_whisper("whisper-base", threads_per_worker=2)
    yield loaded
    loaded.close()


@pytest.fixture(scope="session")
def serve() -> Serve:
    """Run a server of an engine, with settings, on a free port while the context is open."""
    return serving


@pytest.fixture(scope="session")
def server(engine: Engine) -> Iterator[RunningServer]:
    with serving(engine) as running:
        yield running


@pytest.fixture(scope="session")
def openai(server: RunningServer) -> OpenAI:
    return server.client()


@pytest.fixture(scope="session")
def recordings() -> Path:
    package = find_spec("pytest_audioeval")  # found, never imported: its code needs packages that are not installed
    assert package is not None
    assert package.submodule_search_locations
    return Path(package.submodule_search_locations[0]) / "samples" / "audio"


@pytest.fixture(scope="session")
def fox(recordings: Path) -> bytes:
    """A WAV that says: The quick brown fox jumps over the lazy dog."""
    return (recordings / "en" / "quick_brown_fox.wav").read_bytes()


@pytest.fixture(scope="session")
def fox_samples(fox: bytes) -> Samples:
    return decode_audio(io.BytesIO(fox), max_seconds=60)


@pytest.fixture(scope="session")
def encode() -> Encode:
    """Encode mono samples at 16 kHz as (container, codec, sample format, rate, channels) with the real encoder."""
    return encode_samples


@contextmanager
def serving(engine: Engine, **settings: Any) -> Iterator[RunningServer]:
    app = CountingApp(build_app(engine, Settings(**settings)))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, ws="none", log_config=None))
    thread = threading.Thread(target=server.run, name="server")
    thread.start()
    try:
        port = _port(server, thread)
        running = RunningServer(f"http://127.0.0.1:{port}", port, app)
        yield running
        running.close()
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()


def _port(server: uvicorn.Server, thread: threading.Thread) -> int:
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    port: int = server.servers[0].sockets[0].getsockname()[1]
    return port


def encode_samples(
    samples: Samples, container: str, codec: str, sample_format: str, rate: int, channels: int = 1
) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        sound: Any = output.add_stream(codec, rate=rate)
        sound.codec_context.format = sample_format
        sound.codec_context.layout = "stereo" if channels == 2 else "mono"
        sound.codec_context.open()
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None]), "flt", "mono")
        frame.sample_rate = 16_000
        frame.pts = 0
        encoder = sound.codec_context
        converter = av.AudioResampler(encoder.format, encoder.layout, encoder.sample_rate, encoder.frame_size)
        for converted in (*converter.resample(frame), *converter.resample(None)):
            output.mux(sound.encode(converted))
        output.mux(sound.encode(None))
    return file.getvalue()
