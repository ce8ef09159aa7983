from __future__ import annotations

import importlib.util
import io
import os
import signal
import socket
import ssl
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest
from openai import OpenAI
from whisper_normalizer.english import EnglishTextNormalizer

from wavescribe.audio.decoding import decode_audio
from wavescribe.engines.base import Samples

START_SECONDS = 120
STOP_SECONDS = 30

NOT_BY_LAG = ("--max-lag-seconds", "0")
"""Streams are let in however slow the machine is that runs the tests."""


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server process that is ready; base URLs without a slash at the end."""

    http: str
    websocket: str

    def client(self, *, max_retries: int = 0) -> OpenAI:
        """The stock client; the caller closes it."""
        return OpenAI(base_url=f"{self.http}/v1", api_key="x", max_retries=max_retries)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """The server as it comes, on the multilingual model; shared by all tests."""
    with running_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="session")
def english_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server on the small English model, which answers several times faster; shared by all tests."""
    with running_server(tmp_path_factory.mktemp("server"), "--model", "whisper-tiny.en") as running:
        yield running


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., RunningServer]]:
    """Start servers with other flags; one of the same flags is started once, and all end with the module."""
    started: dict[tuple[str, ...], RunningServer] = {}
    with ExitStack() as servers:

        def start(*flags: str, certificate: Path | None = None) -> RunningServer:
            if flags not in started:
                folder = tmp_path_factory.mktemp("server")
                started[flags] = servers.enter_context(running_server(folder, *flags, certificate=certificate))
            return started[flags]

        yield start


@pytest.fixture
def serve_on(tmp_path: Path) -> Callable[..., AbstractContextManager[RunningServer]]:
    """Run a server on a port while a context is open: (port, *flags). One left by an exception is killed."""
    return lambda port, *flags: running_server(tmp_path, *flags, port=port)


@pytest.fixture
def unused_port() -> int:
    """A port that nobody listens on."""
    return free_port()


@pytest.fixture(scope="session")
def client(server: RunningServer) -> Iterator[OpenAI]:
    """The stock client of `server`."""
    with server.client() as made:
        yield made


@pytest.fixture(scope="session")
def english_client(english_server: RunningServer) -> Iterator[OpenAI]:
    """The stock client of `english_server`."""
    with english_server.client() as made:
        yield made


@pytest.fixture(scope="session")
def clips() -> Path:
    """The directory of short recordings: <language>/<name>.wav, each with its text in <name>.txt."""
    return package_directory("pytest_audioeval") / "samples" / "audio"


@pytest.fixture(scope="session")
def fox(clips: Path) -> Path:
    """Three seconds of English: the quick brown fox jumps over the lazy dog."""
    return clips / "en" / "quick_brown_fox.wav"


@pytest.fixture(scope="session")
def two_cities() -> Path:
    """44 seconds of English: the opening of A Tale of Two Cities."""
    return package_directory("moonshine_voice") / "assets" / "two_cities.wav"


@pytest.fixture(scope="session")
def encode() -> Callable[..., bytes]:
    """Encode mono samples at 16 kHz: (samples, container, codec, sample format, rate, channels=)."""
    return encode_file


@pytest.fixture(scope="session")
def normalise() -> Callable[[str], str]:
    """Whisper's normaliser of English text."""
    normaliser = EnglishTextNormalizer()
    return lambda text: str(normaliser(text))


@contextmanager
def running_server(
    directory: Path, *flags: str, certificate: Path | None = None, port: int | None = None
) -> Iterator[RunningServer]:
    """Start the installed program on a port or a free one, wait until it is ready, and end it with SIGTERM.

    Where the context is left by an exception it is killed.
    """
    secure = "s" if certificate else ""
    port = port or free_port()
    program = Path(sysconfig.get_path("scripts")) / "wavescribe"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WAVESCRIBE_")}
    log = directory / "server.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [program, "serve", "--port", str(port), *NOT_BY_LAG, *flags], stdout=output, stderr=output, env=environment
        ) as process,
    ):
        try:
            wait_until_ready(f"http{secure}://127.0.0.1:{port}", process, log, certificate)
            yield RunningServer(f"http{secure}://127.0.0.1:{port}", f"ws{secure}://127.0.0.1:{port}")
            stop(process, log)
        finally:
            process.kill()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path, certificate: Path | None = None) -> None:
    deadline = time.monotonic() + START_SECONDS
    trusted = ssl.create_default_context(cafile=certificate) if certificate else True
    with httpx.Client(verify=trusted) as http:
        while time.monotonic() < deadline:
            assert process.poll() is None, f"the server ended while it started:\n{log.read_text()}"
            try:
                if http.get(f"{url}/ready").status_code == 200:
                    return
            except httpx.TransportError:
                pass  # it does not listen yet
            time.sleep(0.1)
    pytest.fail(f"the server was not ready after {START_SECONDS} s:\n{log.read_text()}")


def stop(process: subprocess.Popen[bytes], log: Path) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        code = process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        pytest.fail(f"the server did not end within {STOP_SECONDS} s of SIGTERM:\n{log.read_text()}")
    # The server ends by itself, or passes the signal on to its default action once everything is closed.
    assert code in (0, -signal.SIGTERM), f"the server ended with {code}:\n{log.read_text()}"


def package_directory(name: str) -> Path:
    """Where an installed package lies, without importing it."""
    found = importlib.util.find_spec(name)
    assert found is not None, f"the package {name} is not installed"
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0])


def encode_file(
    source: Path | Samples, container: str, codec: str, sample_format: str, rate: int, *, channels: int = 1
) -> bytes:
    """Encode a recording, or samples of shape (samples,) at 16 kHz, with the real encoder."""
    samples = decode_audio(source, max_seconds=600) if isinstance(source, Path) else source
    layout = {1: "mono", 2: "stereo"}[channels]
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        sound: Any = output.add_stream(codec, rate=rate)
        sound.codec_context.format = sample_format
        sound.codec_context.layout = layout
        sound.codec_context.open()
        for frame in _frames(samples, sound.codec_context):
            output.mux(sound.encode(frame))
        output.mux(sound.encode(None))
    return file.getvalue()


def _frames(samples: Samples, encoder: Any) -> list[av.AudioFrame]:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.reshape(1, -1)), "flt", "mono")
    frame.sample_rate = 16_000
    frame.pts = 0
    converter = av.AudioResampler(encoder.format, encoder.layout, encoder.sample_rate, encoder.frame_size)
    return [*converter.resample(frame), *converter.resample(None)]
