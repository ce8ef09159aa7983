"""A recording through the streaming core, unpaced, in this process: what it says, when, and what it cost."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from wavescribe.bench.metrics.settle_lag import stated_lags
from wavescribe.bench.metrics.timeline import StatedWord
from wavescribe.engines.answers import forget
from wavescribe.engines.base import Engine, Samples
from wavescribe.streaming.events import Draft, Event, Settled, TurnEnded
from wavescribe.streaming.parameters import StreamParameters
from wavescribe.streaming.transcriber import Step, Transcriber
from wavescribe.vad.silero import SileroDetector

RATE = 16_000
BLOCK_SAMPLES = 16_000

STREAM = "bench"
"""The stream's name for engines that keep state."""


@dataclass(frozen=True, slots=True)
class StepCost:
    """One decode; all in seconds.

    Attributes:
        position: audio received when it was made.
        window: audio that it heard.
        cpu: CPU of the decode and of taking its answer.
        wall: the same on the clock.
        total_cpu: CPU of everything since the stream began.
        total_wall: the same on the clock.
        closing: whether the stream had ended: what is written then comes once, however long the stream was.
    """

    position: float
    window: float
    cpu: float
    wall: float
    total_cpu: float
    total_wall: float
    closing: bool = False


@dataclass(slots=True)
class StreamedRun:
    """What one recording gave.

    Attributes:
        events: the core's events.
        steps: each decode.
        cpu_seconds: CPU of everything: voice activity detection, decodes, bookkeeping.
        wall_seconds: the same on the clock.
        held_seconds: most audio in memory at any time.
        stopped_at: seconds of audio after which the run was over its budget and given up, or None.
    """

    events: list[Event] = field(default_factory=list)
    steps: list[StepCost] = field(default_factory=list)
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    held_seconds: float = 0.0
    stopped_at: float | None = None

    def cpu_between(self, start: float, end: float) -> float:
        """CPU seconds of the decodes in a part of the stream, in seconds; those after its end belong to none."""
        return sum(step.cpu for step in self.steps if start < step.position <= end and not step.closing)

    @property
    def text(self) -> str:
        """All that has settled."""
        turns: dict[int, str] = {}
        for event in self.events:
            if isinstance(event, Settled):
                turns[event.turn] = turns.get(event.turn, "") + event.delta
        return " ".join(turns.values())

    def settle_lags(self, words: Sequence[str]) -> list[float]:
        """Seconds of audio from the end of each word to the step that settled it; decoding time is not in it.

        Args:
            words: the gold words; of what was settled those count that match one, and the model says where they end.
        """
        settled = [
            StatedWord(word.text, word.end / RATE, event.position / RATE)
            for event in self.events
            if isinstance(event, Settled)
            for word in event.words
        ]
        return sorted(stated_lags(words, settled))


def shown_texts(events: Iterable[Event]) -> list[list[str]]:
    """For each turn everything that was shown of it, settled text and draft, one text a step, the transcript last."""
    turns: dict[int, list[tuple[int, str]]] = {}
    settled: dict[int, str] = {}
    for event in events:
        match event:
            case Settled(turn=turn, delta=delta, position=position):
                settled[turn] = settled.get(turn, "") + delta
                _show(turns.setdefault(turn, []), position, settled[turn])
            case Draft(turn=turn, text=text, position=position):
                _show(turns.setdefault(turn, []), position, settled.get(turn, "") + text)
            case TurnEnded(turn=turn, transcript=transcript):
                turns.setdefault(turn, []).append((-1, transcript))
            case _:
                pass
    return [[text for _, text in texts] for texts in turns.values()]


def _show(texts: list[tuple[int, str]], position: int, text: str) -> None:
    """What one step settles and drafts is seen at once."""
    if texts and texts[-1][0] == position:
        texts.pop()
    texts.append((position, text))


def run_streamed(
    engine: Engine,
    samples: Samples,
    parameters: StreamParameters,
    *,
    skip: random.Random | None = None,
    budget_seconds: float | None = None,
) -> StreamedRun:
    """Stream a recording as one turn.

    Args:
        engine: decodes.
        samples: float32 at 16 kHz.
        parameters: of the stream.
        skip: where given, half of the steps are skipped by its chance, as under load.
        budget_seconds: CPU seconds after which the run is given up; None for no limit.
    """
    stream = _Stream(engine, parameters, skip)
    for start in range(0, len(samples), BLOCK_SAMPLES):
        stream.push(samples[start : start + BLOCK_SAMPLES])
        if budget_seconds is not None and stream.spent > budget_seconds:
            stream.run.stopped_at = min(start + BLOCK_SAMPLES, len(samples)) / RATE
            break
    else:
        stream.finish()
    forget(engine, STREAM)
    stream.run.cpu_seconds = stream.spent
    stream.run.wall_seconds = stream.elapsed
    return stream.run


class _Stream:
    """A stream and its clocks."""

    def __init__(self, engine: Engine, parameters: StreamParameters, skip: random.Random | None) -> None:
        self._engine = engine
        self._parameters = parameters
        self._skip = skip
        self._transcriber = Transcriber(STREAM, parameters, SileroDetector())
        self._cpu, self._wall = time.process_time(), time.perf_counter()
        self._closing = False
        self.run = StreamedRun()

    @property
    def spent(self) -> float:
        """CPU seconds so far."""
        return time.process_time() - self._cpu

    @property
    def elapsed(self) -> float:
        """Seconds on the clock so far."""
        return time.perf_counter() - self._wall

    def push(self, samples: Samples) -> None:
        self._transcriber.push(samples)
        self._decode(self._skip)
        self.run.held_seconds = max(self.run.held_seconds, self._transcriber.held_seconds)

    def finish(self) -> None:
        self._closing = True
        self._transcriber.end_turn()
        self._decode(None)

    def _decode(self, skip: random.Random | None) -> None:
        while True:
            advance = 0
            if skip is not None and skip.random() < 0.5:
                advance = 2 * self._parameters.samples(self._parameters.step_seconds)
            step, events = self._transcriber.request(advance)
            self.run.events += events
            if step is None:
                return
            self._make(step)

    def _make(self, step: Step) -> None:
        cpu, wall = self.spent, self.elapsed
        self.run.events += self._transcriber.accept(self._engine.decode([step.request])[0])
        self.run.steps.append(
            StepCost(
                position=self._transcriber.received / RATE,
                window=len(step.request.samples) / RATE,
                cpu=self.spent - cpu,
                wall=self.elapsed - wall,
                total_cpu=self.spent,
                total_wall=self.elapsed,
                closing=self._closing,
            )
        )
