"""A fake engine that "hears" one word for every second of the stream, and can be held and made to fail."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from wavescribe.engines.base import (
    DecodeRequest,
    EngineInfo,
    FileOptions,
    FileTranscription,
    Hypothesis,
    Piece,
    Samples,
)
from wavescribe.serving.metrics import Metrics

RATE = 16_000
DEADLOCK_SECONDS = 5
"""A wait this long will never end: the test fails instead of hanging."""


class Gate:
    """Where decodes are held until the test lets them go on."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._entered = threading.Semaphore(0)

    @property
    def is_open(self) -> bool:
        return self._open.is_set()

    def open(self) -> None:
        """Let every decode go on, those to come as well."""
        self._open.set()

    async def entered(self) -> None:
        """Wait until one more decode is held here; the event loop goes on meanwhile."""
        assert await asyncio.to_thread(self._entered.acquire, timeout=DEADLOCK_SECONDS), "no decode began"

    def hold(self) -> None:
        """Hold the calling decode; called from its thread."""
        self._entered.release()
        assert self._open.wait(DEADLOCK_SECONDS), "the gate was never opened"


@dataclass
class FakeEngine:
    """An engine whose hypotheses follow from the window's place on the timeline alone.

    Attributes:
        calls: the requests of each call, in the order of the calls.
        gate: where calls are held, or None.
        failure: gives what a call raises, or None to answer.
        forgets: answers that are missing at the end of each call.
    """

    calls: list[list[DecodeRequest]] = field(default_factory=list)
    gate: Gate | None = None
    failure: Callable[[DecodeRequest], Exception | None] = lambda _: None
    forgets: int = 0

    @property
    def info(self) -> EngineInfo:
        return EngineInfo(
            name="fake",
            sample_rate=RATE,
            languages=("en", "de"),
            max_window_seconds=30.0,
            takes_prefix=True,
            gives_times=True,
            batches=True,
            translates=False,
        )

    @property
    def requests(self) -> list[DecodeRequest]:
        return [request for call in self.calls for request in call]

    @property
    def contexts(self) -> list[str]:
        """What the requests were called by the test."""
        return [request.context for request in self.requests]

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        self.calls.append(list(requests))
        if self.gate is not None:
            self.gate.hold()
        for request in requests:
            error = self.failure(request)
            if error is not None:
                raise error
        return [_hear(request) for request in requests[: len(requests) - self.forgets]]

    def transcribe_file(self, samples: Samples, options: FileOptions) -> FileTranscription:
        raise AssertionError("streams do not transcribe files")

    def close(self) -> None:
        pass


def _hear(request: DecodeRequest) -> Hypothesis:
    """A word for each whole second of the timeline inside the window; its number is its token."""
    start = request.cache_key[1]
    end = start + len(request.samples)
    seconds = range(-(-start // RATE), end // RATE)
    heard = [*request.prefix, *(second for second in seconds if second > max(request.prefix, default=-1))]
    pieces = tuple(
        Piece((second,), f" w{second}", second - start / RATE, second + 1 - start / RATE, 0.9) for second in heard
    )
    return Hypothesis(pieces, request.language or "en", 1.0, 0.0, -0.1)


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def gate(engine: FakeEngine) -> Gate:
    """The engine's gate, closed."""
    engine.gate = Gate()
    return engine.gate


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()
