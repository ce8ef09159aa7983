"""Streams that join and leave a server at full load, and whether it keeps its memory, descriptors and tasks.

    python scripts/soak.py --seconds 600 --streams 12

It starts the installed server with the small English model. Each of its clients speaks at the pace of speech for a
while, ends its turn and reads the text, or vanishes; then it comes back. What was chosen is the same in every run.
The last line is the verdict; the exit code is 0 when it holds, else 1.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import importlib.util
import itertools
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from wavescribe.audio.decoding import decode_audio
from wavescribe.audio.pcm import encode_pcm16

RATE = 16_000
BYTES_PER_SECOND = 2 * RATE
PACKET_SECONDS = 0.2
SHORTEST, LONGEST = 4.0, 25.0
"""Seconds that a client speaks."""

VANISHING = 0.25
"""The share of clients that leave without a word."""

SAMPLE_SECONDS = 2.0
WARM_UP_SHARE, WARM_UP_MOST = 1 / 3, 180.0
"""The start of a run that is not judged: allocators fill their pools with the first long streams."""

CROWD_SHARE = 2 / 3
"""The part of the warm-up with twice as many clients: allocators keep what the worst moment so far needed, and without
a worse one before them the judged minutes still bring worse ones, ever more rarely."""

MOST_MEGABYTES_PER_MINUTE = 1.0
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Sample:
    """What the server holds at a moment, in seconds since the start of the run."""

    seconds: float
    megabytes: float
    descriptors: int
    tasks: int


@dataclass(slots=True)
class Outcomes:
    """What became of the clients."""

    finished: int = 0
    vanished: int = 0
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    process: subprocess.Popen[bytes]
    port: int

    def metric(self, name: str) -> float:
        """A number of /metrics."""
        text = httpx.get(f"http://127.0.0.1:{self.port}/metrics", timeout=PATIENCE_SECONDS).text
        return next(float(line.split()[-1]) for line in text.splitlines() if line.startswith(f"{name} "))

    def is_ready(self) -> bool:
        """Whether it takes work."""
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/ready", timeout=PATIENCE_SECONDS).status_code == 200
        except httpx.TransportError:
            return False

    def sample(self, seconds: float) -> Sample:
        """What it and its engines hold now."""
        family = [self.process.pid, *_children(self.process.pid)]
        descriptors = len(os.listdir(f"/proc/{self.process.pid}/fd"))
        tasks = int(self.metric("wavescribe_tasks"))
        return Sample(seconds, sum(map(_megabytes, family)), descriptors, tasks)


def _children(pid: int) -> list[int]:
    threads = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for thread in threads for child in thread.read_text().split()]


def _megabytes(pid: int) -> float:
    """Memory that is a process's own: what it shares with others would be counted several times."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


@contextmanager
def running_server(streams: int) -> Iterator[Server]:
    """Start the server and end it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    flags = ["--model", "whisper-tiny.en", "--max-sessions", str(2 * streams + 2), "--max-lag-seconds", "0"]
    command = [sys.executable, "-m", "wavescribe", "serve", "--port", str(port), *flags]
    with tempfile.TemporaryFile() as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            yield Server(process, port)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_SECONDS)


async def until(holds: Any, what: str) -> None:
    """Wait for something.

    Raises:
        TimeoutError: it did not come about.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not await asyncio.to_thread(holds):
        if time.monotonic() > deadline:
            raise TimeoutError(f"the server did not become {what} in {PATIENCE_SECONDS:g} s")
        await asyncio.sleep(0.2)


def recording() -> bytes:
    """44 seconds of reading as PCM16."""
    package = importlib.util.find_spec("moonshine_voice")
    assert package is not None, "the package moonshine-voice is not installed"
    assert package.submodule_search_locations
    path = Path(package.submodule_search_locations[0]) / "assets" / "two_cities.wav"
    return encode_pcm16(decode_audio(path, max_seconds=60))


async def speak_realtime(server: Server, pcm: bytes, *, vanishing: bool) -> None:
    """One session of the realtime protocol."""
    async with connect(f"ws://127.0.0.1:{server.port}/v1/realtime", max_size=None) as connection:
        audio_input = {"format": {"type": "audio/pcm", "rate": RATE}, "turn_detection": None}
        session = {"type": "transcription", "audio": {"input": audio_input}}
        await connection.send(json.dumps({"type": "session.update", "session": session}))
        async for packet in paced(pcm):
            audio = base64.b64encode(packet).decode()
            await connection.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
        if vanishing:
            connection.transport.abort()
            return
        await connection.send(json.dumps({"type": "input_audio_buffer.commit"}))
        await read_until(connection, "conversation.item.input_audio_transcription.completed")


async def speak_stream(server: Server, pcm: bytes, *, vanishing: bool) -> None:
    """One session of the stream protocol."""
    url = f"ws://127.0.0.1:{server.port}/v1/audio/transcriptions/stream"
    async with connect(url, max_size=None) as connection:
        await connection.send(json.dumps({"type": "session.start", "language": "en"}))
        async for packet in paced(pcm):
            await connection.send(packet)
        if vanishing:
            connection.transport.abort()
            return
        await connection.send(json.dumps({"type": "session.end"}))
        await read_until(connection, "transcript.final")


async def paced(pcm: bytes) -> Any:
    """Packets at the pace of speech."""
    size = int(PACKET_SECONDS * BYTES_PER_SECOND)
    began = time.monotonic()
    for number, first in enumerate(range(0, len(pcm), size)):
        await asyncio.sleep(max(0.0, began + number * PACKET_SECONDS - time.monotonic()))
        yield pcm[first : first + size]


async def read_until(connection: ClientConnection, kind: str) -> None:
    """Read to an event.

    Raises:
        RuntimeError: an error or a failure came before it.
    """
    async with asyncio.timeout(PATIENCE_SECONDS):
        async for frame in connection:
            event = json.loads(frame)
            if event["type"] == kind:
                return
            if event["type"] == "error" or event["type"].endswith(".failed"):
                raise RuntimeError(f"{event}")
    raise RuntimeError(f"the connection was closed with {connection.close_code} before {kind}")


async def come_and_go(server: Server, number: int, pcm: bytes, end: float, outcomes: Outcomes) -> None:
    """A client that comes back until the end of the run."""
    chance = random.Random(number)
    for speak in itertools.cycle((speak_realtime, speak_stream)):
        if time.monotonic() >= end:
            return
        seconds = min(chance.uniform(SHORTEST, LONGEST), max(SHORTEST, end - time.monotonic()))
        start = chance.randrange(0, len(pcm) // 2) // 2 * 2
        vanishing = chance.random() < VANISHING
        try:
            await speak(server, pcm[start : start + int(seconds) * BYTES_PER_SECOND], vanishing=vanishing)
        except Exception as error:  # whatever it is, it belongs into the verdict
            outcomes.failures.append(repr(error))
            await asyncio.sleep(1)
        else:
            outcomes.vanished += vanishing
            outcomes.finished += not vanishing


def warm_up_seconds(seconds: float) -> float:
    """How much of a run of so many seconds is not judged."""
    return min(WARM_UP_MOST, WARM_UP_SHARE * seconds)


async def watch(server: Server, began: float, end: float) -> list[Sample]:
    """Samples until the end of the run."""
    samples = []
    while time.monotonic() < end:
        samples.append(await asyncio.to_thread(server.sample, time.monotonic() - began))
        await asyncio.sleep(SAMPLE_SECONDS)
    return samples


def megabytes_per_minute(samples: list[Sample]) -> float:
    """The slope of the memory: the median over all pairs of samples (Theil and Sen), which outliers do not move."""
    slopes = [
        (late.megabytes - early.megabytes) / (late.seconds - early.seconds) * 60
        for early, late in itertools.combinations(samples, 2)
        if late.seconds - early.seconds > SAMPLE_SECONDS * 5
    ]
    return statistics.median(slopes)


async def soak(seconds: float, streams: int) -> bool:
    """Run it; True when the server held."""
    pcm, outcomes = recording(), Outcomes()
    with running_server(streams) as server:
        await until(server.is_ready, "ready")
        await speak_realtime(server, pcm[: 4 * BYTES_PER_SECOND], vanishing=False)
        await until(lambda: server.metric("wavescribe_active_streams") == 0, "idle")
        rest = server.sample(0.0)
        began = time.monotonic()
        end = began + seconds
        crowded_until = began + CROWD_SHARE * warm_up_seconds(seconds)
        ends = [end] * streams + [crowded_until] * streams
        clients = (come_and_go(server, number, pcm, stops, outcomes) for number, stops in enumerate(ends))
        samples, *_ = await asyncio.gather(watch(server, began, end), *clients)
        restarts = server.metric("wavescribe_engine_restarts")
        try:
            await until(lambda: server.metric("wavescribe_active_streams") == 0, "idle")
            await until(lambda: _is_at_rest(server.sample(seconds), rest), "what it was at rest")
        except TimeoutError as error:
            outcomes.failures.append(str(error))
        return _judge(samples, rest, server.sample(seconds), outcomes, restarts)


def _is_at_rest(now: Sample, rest: Sample) -> bool:
    return now.descriptors <= rest.descriptors and now.tasks <= rest.tasks


def _judge(samples: list[Sample], rest: Sample, last: Sample, outcomes: Outcomes, restarts: float) -> bool:
    warm_up = warm_up_seconds(samples[-1].seconds)
    judged = [sample for sample in samples if sample.seconds >= warm_up]
    slope = megabytes_per_minute(judged)
    for sample in samples[:: max(1, len(samples) // 20)]:
        print(f"{sample.seconds:6.0f} s  {sample.megabytes:7.1f} MB  {sample.descriptors} files  {sample.tasks} tasks")
    for failure in outcomes.failures[:10]:
        print(f"failed: {failure}")
    holds = slope < MOST_MEGABYTES_PER_MINUTE and _is_at_rest(last, rest) and not outcomes.failures and restarts == 0
    print(
        f"soak {'holds' if holds else 'FAILED'}: memory {slope:+.2f} MB/min (limit {MOST_MEGABYTES_PER_MINUTE:g}) "
        f"after {warm_up:.0f} s, descriptors {rest.descriptors} -> {last.descriptors}, "
        f"tasks {rest.tasks} -> {last.tasks}, streams {outcomes.finished} finished, {outcomes.vanished} vanished, "
        f"{len(outcomes.failures)} failed, engine restarts {restarts:g}"
    )
    return holds


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description="Streams that join and leave a server at full load.")
    parser.add_argument("--seconds", type=float, default=600, help="length of the run (default: 600)")
    parser.add_argument("--streams", type=int, default=12, help="clients at the same time (default: 12)")
    given = parser.parse_args()
    sys.exit(0 if asyncio.run(soak(given.seconds, given.streams)) else 1)


if __name__ == "__main__":
    main()
