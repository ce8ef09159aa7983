from __future__ import annotations

import asyncio
import base64
import importlib.util
import os
import re
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, ViewportSize

from wavescribe.audio.decoding import decode_audio
from wavescribe.audio.pcm import encode_pcm16
from wavescribe.engines.base import Samples

RATE = 48_000
DESKTOP, PHONE = ViewportSize(width=1280, height=800), ViewportSize(width=390, height=844)
FAKE_SOUND = "--use-fake-device-for-media-stream"
ALLOW = "--use-fake-ui-for-media-stream"
PATIENCE_MILLISECONDS = 90_000
TWO_CITIES_TEXT = (
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, "
    "it was the epoch of belief, it was the epoch of incredulity, it was the season of Light, it was the season of "
    "Darkness, it was the spring of hope, it was the winter of despair, we had everything before us, we had nothing "
    "before us, we were all going direct to Heaven, we were all going direct the other way. In short, the period was "
    "so far like the present period, that some of its noisiest authorities insisted on its being received, for good "
    "or for evil, in the superlative degree of comparison only."
)

REFUSED_BY_DESIGN = re.compile(r"Failed to load resource|WebSocket connection to .* failed")
"""What Chromium itself writes where a request fails; tests that make requests fail allow it."""


@dataclass
class OpenPage:
    """The page in a browser, and what it wrote to the console."""

    page: Page
    errors: list[str] = field(default_factory=list)
    requests_may_fail: bool = False

    def hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(f"{message.type}: {message.text}")

    async def state(self, *states: str) -> None:
        """Wait until the page is in one of these states."""
        wanted = ", ".join(f"body[data-state='{state}']" for state in states)
        await self.page.wait_for_selector(wanted, timeout=PATIENCE_MILLISECONDS)

    async def settled(self) -> str:
        """All text that is settled."""
        parts = await self.page.locator(".settled").all_text_contents()
        return " ".join(part for part in parts if part)

    async def draft(self) -> str:
        return "".join(await self.page.locator(".draft").all_text_contents())

    async def until_text(self, pattern: str, part: str = "#captions") -> None:
        """Wait until a part of the page has a text; cases are one."""
        await self.page.wait_for_function(
            """([part, pattern]) => new RegExp(pattern, "i").test(
                 [...document.querySelectorAll(part)].map((found) => found.textContent).join(" ").trim())""",
            arg=[part, pattern],
            timeout=PATIENCE_MILLISECONDS,
        )

    async def trouble(self) -> str:
        """Wait for a message of something that went wrong."""
        await self.page.wait_for_selector("#trouble strong", timeout=PATIENCE_MILLISECONDS)
        return await self.page.inner_text("#trouble")

    async def picture(self, name: str) -> None:
        """Keep a picture for people to look at, where WAVESCRIBE_PICTURES names a directory."""
        if folder := os.environ.get("WAVESCRIBE_PICTURES"):
            await self.page.screenshot(path=Path(folder) / f"{name}.png")

    async def stop(self) -> None:
        """Press Stop, and wait for the last words."""
        await self.page.click("#stop")
        await self.state("idle")

    def check(self) -> None:
        allowed = REFUSED_BY_DESIGN if self.requests_may_fail else None
        assert [error for error in self.errors if not (allowed and allowed.search(error))] == []


OpenPageOn = Callable[..., AbstractAsyncContextManager[OpenPage]]


@pytest.fixture
def open_page(launch: Callable[..., Awaitable[Browser]]) -> OpenPageOn:
    """Open the page of a server: (its URL, sound=a wav that the microphone hears, allow=, requests_may_fail=, phone=).

    Whatever it writes to the console as an error or a warning fails the test.
    """

    @asynccontextmanager
    async def opened(
        url: str,
        *,
        sound: Path | None = None,
        allow: bool = True,
        flags: tuple[str, ...] = (),
        requests_may_fail: bool = False,
        phone: bool = False,
        **options: Any,
    ) -> AsyncIterator[OpenPage]:
        heard = [f"--use-file-for-fake-audio-capture={sound}%noloop"] if sound else []
        browser = await launch(FAKE_SOUND, *([ALLOW] if allow else []), *heard, *flags)
        context = await browser.new_context(viewport=PHONE if phone else DESKTOP, accept_downloads=True, **options)
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        page = await context.new_page()
        opened = OpenPage(page, requests_may_fail=requests_may_fail)
        page.on("console", opened.hear)
        page.on("pageerror", lambda error: opened.errors.append(f"exception: {error}"))
        await page.goto(url)
        await page.wait_for_function("() => document.querySelector('#model').textContent")
        yield opened
        await context.close()
        opened.check()

    return opened


@pytest.fixture(scope="session")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Write recordings one after the other, a second of silence around each, as a wav that a microphone can hear."""
    folder = tmp_path_factory.mktemp("spoken")

    def write(*sources: Path, seconds: float | None = None) -> Path:
        pause = np.zeros(RATE, dtype=np.float32)
        parts: list[Samples] = [pause]
        for source in sources:
            parts += [decode_audio(source, sample_rate=RATE, max_seconds=120), pause]
        samples = np.concatenate(parts)
        if seconds is not None:
            samples = samples[: int(seconds * RATE)]
        path = folder / f"{'-'.join(source.stem for source in sources)}-{len(samples)}.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(encode_pcm16(samples))
        return path

    return write


@pytest.fixture(scope="session")
def error_rate(normalise: Callable[[str], str]) -> Callable[[str], float]:
    """The word error rate of a text against what is said in `two_cities`."""
    return lambda text: float(jiwer.wer(normalise(TWO_CITIES_TEXT), normalise(text)))


class Wire:
    """A network between a browser and a server that can be cut, and that can fall silent.

    Args:
        port: of the server.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def restore(self) -> None:
        """Take connections; with the silence, what was held back goes on."""
        self._flowing.set()
        if self._listener is None:
            self._listener = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
            self.port = self._listener.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Reset every connection, and take no more."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for writer in list(self._open):
            writer.transport.abort()

    def silence(self) -> None:
        """Carry nothing more, and tell nobody."""
        self._flowing.clear()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, far_writer}
        try:
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        except OSError:
            pass  # cut
        finally:
            self._open -= {writer, far_writer}
            for end in (writer, far_writer):
                end.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            await self._flowing.wait()
            writer.write(data)
            await writer.drain()
        writer.write_eof()


@pytest.fixture
async def wire_to() -> AsyncIterator[Callable[[Any], Awaitable[Wire]]]:
    """Lay a wire to a server."""
    wires: list[Wire] = []

    async def lay(server: Any) -> Wire:
        wire = Wire(int(server.http.rpartition(":")[2]))
        await wire.restore()
        wires.append(wire)
        return wire

    yield lay
    for wire in wires:
        await wire.cut()


@pytest.fixture(scope="session")
def encoded() -> Callable[[Path], str]:
    """A file's bytes as base64."""
    return lambda path: base64.b64encode(path.read_bytes()).decode()


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core's script, which a development dependency carries; the package itself is not imported."""
    found = importlib.util.find_spec("axe_playwright_python")
    assert found is not None
    assert found.submodule_search_locations
    return (Path(found.submodule_search_locations[0]) / "axe.min.js").read_text()
