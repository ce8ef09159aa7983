"""A recording through the streaming core, unpaced, in this process: what it says, when, and what it cost."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field

from wavescribe.engines.base import Engine, Samples
from wavescribe.streaming.events import Event, Settled, TurnEnded
from wavescribe.streaming.parameters import StreamParameters
from wavescribe.streaming.transcriber import Transcriber
from wavescribe.vad.silero import SileroDetector

BLOCK_SAMPLES = 16_000


@dataclass(slots=True)
class StreamedRun:
    """What one recording gave.

    Attributes:
        events: the core's events.
        steps: for each decode, the position in seconds where it ended and its CPU seconds.
        cpu_seconds: CPU of everything: voice activity detection, decodes, bookkeeping.
        held_seconds: most audio in memory at any time.
    """

    events: list[Event] = field(default_factory=list)
    steps: list[tuple[float, float]] = field(default_factory=list)
    cpu_seconds: float = 0.0
    held_seconds: float = 0.0

    @property
    def text(self) -> str:
        """All turns' transcripts."""
        return " ".join(event.transcript for event in self.events if isinstance(event, TurnEnded))

    def settle_lags(self) -> list[float]:
        """Seconds of audio from each word's end to the step that settled it; decoding time is not in it."""
        return sorted(
            (event.position - word.end) / 16_000
            for event in self.events
            if isinstance(event, Settled)
            for word in event.words
        )


def run_streamed(
    engine: Engine, samples: Samples, parameters: StreamParameters, *, skip: random.Random | None = None
) -> StreamedRun:
    """Stream a recording as one turn.

    Args:
        engine: decodes.
        samples: float32 at 16 kHz.
        parameters: of the stream.
        skip: where given, half of the steps are skipped by its chance, as under load.
    """
    run = StreamedRun()
    transcriber = Transcriber("bench", parameters, SileroDetector())
    started = time.process_time()
    for start in range(0, len(samples), BLOCK_SAMPLES):
        transcriber.push(samples[start : start + BLOCK_SAMPLES])
        _decode(engine, transcriber, run, parameters, skip)
        run.held_seconds = max(run.held_seconds, transcriber.held_seconds)
    transcriber.end_turn()
    _decode(engine, transcriber, run, parameters, None)
    run.cpu_seconds = time.process_time() - started
    return run


def _decode(
    engine: Engine,
    transcriber: Transcriber,
    run: StreamedRun,
    parameters: StreamParameters,
    skip: random.Random | None,
) -> None:
    while True:
        advance = 0
        if skip is not None and skip.random() < 0.5:
            advance = 2 * parameters.samples(parameters.step_seconds)
        step, events = transcriber.request(advance)
        run.events += events
        if step is None:
            return
        started = time.process_time()
        run.events += transcriber.accept(engine.decode([step.request])[0])
        run.steps.append((transcriber.received / 16_000, time.process_time() - started))
