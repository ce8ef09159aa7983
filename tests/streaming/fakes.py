"""A scripted engine: it "hears" a known list of words in samples whose value tells the word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from wavescribe.engines.base import DecodeRequest, Hypothesis, Piece, Samples
from wavescribe.streaming.events import Event
from wavescribe.streaming.parameters import StreamParameters
from wavescribe.streaming.transcriber import Transcriber
from wavescribe.vad.detector import FRAME_SAMPLES

WORD_SAMPLES = 8_000
"""Each word of the fake speech lasts half a second."""


def speak(words: list[int], *, silence: float = 0.0) -> Samples:
    """Fake speech: half a second of a constant per word number (1 to 99), then silence."""
    spoken = [np.full(WORD_SAMPLES, number / 100, dtype=np.float32) for number in words]
    return np.concatenate([*spoken, np.zeros(round(silence * 16_000), dtype=np.float32)])


class LevelDetector:
    """Speech is whatever is not zero."""

    def __init__(self) -> None:
        self._rest = np.zeros(0, dtype=np.float32)

    def probabilities(self, samples: Samples) -> list[float]:
        pending = np.concatenate([self._rest, samples])
        whole = len(pending) // FRAME_SAMPLES * FRAME_SAMPLES
        self._rest = pending[whole:]
        return [float(np.any(frame)) for frame in pending[:whole].reshape(-1, FRAME_SAMPLES)]


@dataclass
class FakeEngine:
    """Reads the words out of the samples; a word cut short at the window's end is misheard."""

    name: Callable[[int], str] = lambda number: f" w{number}"
    alter: Callable[[int, list[Piece]], list[Piece]] | None = None
    requests: list[DecodeRequest] = field(default_factory=list)

    def decode(self, request: DecodeRequest) -> Hypothesis:
        self.requests.append(request)
        heard = self._hear(request.samples)
        forced = [
            replace(heard[place], token_ids=(token,), text=self.name(token % 1000))
            for place, token in enumerate(request.prefix[: len(heard)])
        ]
        rest = heard[len(forced) :]
        if self.alter is not None:
            rest = self.alter(len(self.requests), rest)
        return Hypothesis((*forced, *rest), "en", 1.0, 0.0, -0.1)

    def _hear(self, samples: Samples) -> list[Piece]:
        pieces: list[Piece] = []
        changes = np.flatnonzero(np.diff(samples)) + 1
        for start, end in zip([0, *changes], [*changes, len(samples)], strict=True):
            number = round(float(samples[start]) * 100)
            if number and end - start >= WORD_SAMPLES // 4:
                misheard = 500 if end == len(samples) and end - start < WORD_SAMPLES * 3 // 4 else 0
                pieces.append(
                    Piece((number + misheard,), self.name(number + misheard), start / 16_000, end / 16_000, 0.8)
                )
        return pieces


def drive(transcriber: Transcriber, engine: FakeEngine) -> list[Event]:
    """Make every step that is due."""
    events: list[Event] = []
    while True:
        step, more = transcriber.request()
        events += more
        if step is None:
            return events
        events += transcriber.accept(engine.decode(step.request))


def transcribe(samples: Samples, engine: FakeEngine, packet: int = 1_600, **parameters: float) -> list[Event]:
    """One turn, in packets of that many samples."""
    transcriber = Transcriber("s", StreamParameters(**parameters), LevelDetector())  # type: ignore[arg-type]
    events: list[Event] = []
    for start in range(0, len(samples), packet):
        transcriber.push(samples[start : start + packet])
        events += drive(transcriber, engine)
    transcriber.end_turn()
    return events + drive(transcriber, engine)
