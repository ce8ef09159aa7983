"""A stream at the pace of speech through the serving layer, in this process: when each word came, and each turn's end.

python -m wavescribe.bench.paced --corpus DIR --seconds 180
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from wavescribe.bench.corpus import joined, read_corpus, spoken
from wavescribe.bench.quality import percentile
from wavescribe.engines.base import Samples
from wavescribe.engines.whisper import load_whisper
from wavescribe.serving.live_service import LiveService, StreamOptions
from wavescribe.serving.live_stream import LiveStream
from wavescribe.serving.metrics import Metrics
from wavescribe.settings import Settings, load_settings
from wavescribe.streaming.events import Event, Settled, TurnEnded
from wavescribe.vad.endpointer import TurnDetection

PACKET_SECONDS = 0.04
"""Audio of one packet; a microphone's are of this order."""


@dataclass(slots=True)
class PacedRun:
    """What a paced stream gave.

    Attributes:
        settle_lags: for each word, seconds from its end in the audio to its arrival.
        final_lags: for each turn with text, seconds from where its silence was long enough to its end's arrival.
        slip: most seconds that a packet was sent late.
    """

    settle_lags: list[float] = field(default_factory=list)
    final_lags: list[float] = field(default_factory=list)
    slip: float = 0.0

    def take(self, event: Event, now: float, sample_rate: int) -> None:
        """Time an event that arrived `now` seconds after the stream began."""
        match event:
            case Settled(words=words):
                self.settle_lags += [now - word.end / sample_rate for word in words]
            case TurnEnded(transcript=transcript, end=end) if transcript:
                self.final_lags.append(now - end / sample_rate)
            case _:
                pass


async def run_paced(stream: LiveStream, samples: Samples, sample_rate: int) -> PacedRun:
    """Feed a recording at its own pace and time what comes back.

    Args:
        stream: an open stream with turn detection, fed by nobody else.
        samples: float32 at the engine's rate.
        sample_rate: samples per second.
    """
    run = PacedRun()
    began = time.monotonic()
    feeding = asyncio.create_task(_feed(stream, samples, sample_rate, began, run))
    async for event in stream.run():
        run.take(event, time.monotonic() - began, sample_rate)
    await feeding
    return run


async def _feed(stream: LiveStream, samples: Samples, sample_rate: int, began: float, run: PacedRun) -> None:
    packet = round(PACKET_SECONDS * sample_rate)
    for start in range(0, len(samples), packet):
        block = samples[start : start + packet]
        due = began + (start + len(block)) / sample_rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        run.slip = max(run.slip, time.monotonic() - due)
        stream.feed(block)
    stream.end_turn()
    stream.finish()


def main(
    corpus: Annotated[Path, typer.Option(help="Directory of manifest.jsonl.")],
    seconds: Annotated[float, typer.Option(help="Length of the stream.")] = 180.0,
    silence_ms: Annotated[int, typer.Option(help="Silence that ends a turn.")] = 500,
    delay: Annotated[str, typer.Option(help="The delay level.")] = "medium",
) -> None:
    """Print how long after its end each word settled, decoding included, and how late each turn's last text was."""
    settings = load_settings(delay=delay)
    recordings = spoken(read_corpus(corpus), {"short"}, {"en"})
    run = asyncio.run(_paced(settings, joined(recordings, seconds), silence_ms))
    console = Console()
    for name, lags in (("words settled after their end", run.settle_lags), ("turns ended after", run.final_lags)):
        lags = sorted(lags)
        console.print(
            f"{name}: median {percentile(lags, 0.5):.2f} s, p95 {percentile(lags, 0.95):.2f} s, {len(lags)} in all"
        )
    console.print(f"delay {delay}, silence {silence_ms} ms; a packet was sent {run.slip:.3f} s late at most")


async def _paced(settings: Settings, samples: Samples, silence_ms: int) -> PacedRun:
    engine = load_whisper(settings.model, threads_per_worker=settings.threads_per_worker)
    service = LiveService(engine, settings, Metrics())
    options = StreamOptions(language="en", turn_detection=TurnDetection.server_vad(silence_duration_ms=silence_ms))
    async with service.running():
        with service.open(options) as stream:
            return await run_paced(stream, samples, engine.info.sample_rate)


if __name__ == "__main__":
    typer.run(main)
