"""`make demo`: the server, real speech at speaking pace over a WebSocket, and what it was worth.

Starts `wavescribe serve` on the embedded model as a process of its own, streams the opening of "A Tale of Two Cities"
to it as fast as it was spoken, prints the text as it arrives, and then the word error rate, the time to the first
text and how far settled text was behind the speaker. Exits with 0 only if the word error rate is at most 0.10 and
text arrived while audio was still being sent.
"""

from __future__ import annotations

import asyncio
import difflib
import importlib.util
import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jiwer
import websockets
from whisper_normalizer.english import EnglishTextNormalizer

from wavescribe.audio.decoding import decode_audio
from wavescribe.audio.pcm import encode_pcm16
from wavescribe.engines.base import FileOptions, Samples, Word
from wavescribe.engines.whisper import load_whisper
from wavescribe.streaming.units import comparison_key

TEXT = (
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, "
    "it was the epoch of belief, it was the epoch of incredulity, it was the season of Light, it was the season of "
    "Darkness, it was the spring of hope, it was the winter of despair, we had everything before us, we had nothing "
    "before us, we were all going direct to Heaven, we were all going direct the other way. In short, the period was "
    "so far like the present period that some of its noisiest authorities insisted on its being received, for good or "
    "for evil, in the superlative degree of comparison only."
)
SAMPLE_RATE = 16_000
PACKET_SAMPLES = 1_600
LARGEST_ERROR_RATE = 0.10
START_SECONDS = 120.0


@dataclass(slots=True)
class Report:
    """What was seen: times in seconds from the first packet.

    Attributes:
        first_text: when the first word came, or None.
        sending_ended: when the last packet had been sent.
        finished: when the final text came.
        arrivals: each word and when it came.
        text: the final text.
    """

    first_text: float | None = None
    sending_ended: float = 0.0
    finished: float = 0.0
    arrivals: list[tuple[str, float]] = field(default_factory=list)
    text: str = ""

    @property
    def error_rate(self) -> float:
        """The word error rate after Whisper's English normaliser."""
        normalise = EnglishTextNormalizer()
        return float(jiwer.wer(normalise(TEXT), normalise(self.text)))

    @property
    def succeeded(self) -> bool:
        """Whether the text is right and came while audio was still being sent."""
        return (
            self.error_rate <= LARGEST_ERROR_RATE
            and self.first_text is not None
            and self.first_text < self.sending_ended
        )


def recording() -> Path:
    """The recording that the moonshine-voice package ships."""
    package = importlib.util.find_spec("moonshine_voice")
    if package is None or package.origin is None:
        sys.exit("wavescribe demo: the package moonshine-voice is not installed; run `make install`")
    return Path(package.origin).parent / "assets" / "two_cities.wav"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    """Wait for the server's /ready.

    Raises:
        SystemExit: the server ended, or was not ready in time.
    """
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            sys.exit(f"wavescribe demo: the server ended with exit code {server.returncode}")
        try:
            with urllib.request.urlopen(f"{url}/ready", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    sys.exit(f"wavescribe demo: the server was not ready after {START_SECONDS:g} seconds")


async def stream(url: str, samples: Samples) -> Report:
    """Send the samples at speaking pace and print the text as it comes."""
    report = Report()
    async with websockets.connect(f"{url}/v1/audio/transcriptions/stream") as connection:
        await connection.send(json.dumps({"type": "session.start", "language": "en"}))
        await connection.recv()
        started = time.perf_counter()
        sending = asyncio.create_task(_send(connection, samples, started, report))
        await _receive(connection, started, report)
        await sending
    return report


async def _send(connection: Any, samples: Any, started: float, report: Report) -> None:
    for start in range(0, len(samples), PACKET_SAMPLES):
        packet = samples[start : start + PACKET_SAMPLES]
        # A packet leaves when its last sample has been spoken; deadlines are absolute, so that waiting cannot drift.
        await asyncio.sleep(started + (start + len(packet)) / SAMPLE_RATE - time.perf_counter())
        await connection.send(encode_pcm16(packet))
    report.sending_ended = time.perf_counter() - started
    await connection.send(json.dumps({"type": "session.end"}))


async def _receive(connection: Any, started: float, report: Report) -> None:
    async for frame in connection:
        message = json.loads(frame)
        now = time.perf_counter() - started
        match message["type"]:
            case "transcript.delta":
                report.first_text = report.first_text or now
                report.arrivals.append((message["delta"], now))
                print(message["delta"], end=" ", flush=True)
            case "transcript.final":
                report.text, report.finished = message["text"], now
                return
            case "error":
                sys.exit(f"\nwavescribe demo: the server answered {message['code']}: {message['message']}")


def spoken_words(samples: Samples) -> list[Word]:
    """The words of the recording with their times, from the same model over the whole file."""
    engine = load_whisper("whisper-base")
    try:
        transcription = engine.transcribe_file(samples, FileOptions(language="en", word_times=True))
        return [word for segment in transcription.segments for word in segment.words]
    finally:
        engine.close()


def word_lags(arrivals: list[tuple[str, float]], spoken: list[Word]) -> list[float]:
    """Seconds from the end of each word to its arrival, for the words that both sides have in common."""
    arrived_keys = [comparison_key(word) for word, _ in arrivals]
    spoken_keys = [comparison_key(word.text) for word in spoken]
    matcher = difflib.SequenceMatcher(a=arrived_keys, b=spoken_keys, autojunk=False)
    return sorted(
        arrivals[block.a + offset][1] - spoken[block.b + offset].end
        for block in matcher.get_matching_blocks()
        for offset in range(block.size)
    )


def main() -> None:
    """Run the demo; exits with 0 on success and 1 otherwise."""
    samples = decode_audio(recording(), sample_rate=SAMPLE_RATE, max_seconds=600)
    port = free_port()
    command = [sys.executable, "-m", "wavescribe", "serve", "--port", str(port)]
    print(f"starting the server: wavescribe serve --port {port}", flush=True)
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        try:
            wait_until_ready(f"http://127.0.0.1:{port}", server)
            print(f"speaking for {len(samples) / SAMPLE_RATE:.0f} seconds; the text as it settles:\n", flush=True)
            report = asyncio.run(stream(f"ws://127.0.0.1:{port}", samples))
            cpu = _cpu_seconds(server.pid)
        finally:
            server.terminate()
    _print_report(report, word_lags(report.arrivals, spoken_words(samples)), cpu, len(samples) / SAMPLE_RATE)
    sys.exit(0 if report.succeeded else 1)


def _cpu_seconds(process: int) -> float | None:
    """CPU seconds that a process and those it started have used, where /proc tells (Linux)."""
    used, parents = {}, {}
    try:
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):  # a process may end while it is looked at
                number, rest = stat.read_text().split(" ", 1)
                fields = rest.rsplit(")", 1)[1].split()
                parents[int(number)], used[int(number)] = int(fields[1]), int(fields[11]) + int(fields[12])
    except OSError:
        return None
    family = {process} | {child for child, parent in parents.items() if parent == process}
    return sum(used.get(member, 0) for member in family) / 100 if process in used else None


def _print_report(report: Report, lags: list[float], cpu: float | None, seconds: float) -> None:
    first = "none" if report.first_text is None else f"{report.first_text:.2f} s after the first packet"
    print(f"\n\nword error rate      {report.error_rate:.3f} (at most {LARGEST_ERROR_RATE:.2f})")
    print(f"time to first text   {first}")
    if lags:
        median, late = lags[len(lags) // 2], lags[int(len(lags) * 0.95)]
        print(f"lag of a word        median {median:.2f} s, 95th percentile {late:.2f} s after it was spoken")
    print(f"final text           {report.finished - report.sending_ended:.2f} s after the last packet")
    if cpu is not None:
        print(f"server CPU           {cpu / seconds:.2f} s per second of audio, loading the model included")
    print("result               " + ("good" if report.succeeded else "NOT good enough"))


if __name__ == "__main__":
    main()
