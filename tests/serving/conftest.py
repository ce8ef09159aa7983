"""A fake engine that "hears" one word for every second of the stream, and can be held and made to fail."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from wavescribe.engines.base import (
    Answer,
    DecodeRequest,
    EngineInfo,
    FileOptions,
    FileTranscription,
    Hypothesis,
    Piece,
    Samples,
    StateReport,
)
from wavescribe.errors import WavescribeError
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


@dataclass
class StatefulEngine(FakeEngine):
    """A fake engine that keeps state and answers each request of a batch for itself.

    Attributes:
        kept: streams of which something is kept.
        forgotten: streams that it was told have left, in order, also those of which nothing was kept.
        told: is released with each of them.
    """

    kept: set[str] = field(default_factory=set)
    forgotten: list[str] = field(default_factory=list)
    told: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    async def was_told(self) -> None:
        """Wait until one more stream has left; the event loop goes on meanwhile."""
        assert await asyncio.to_thread(self.told.acquire, timeout=DEADLOCK_SECONDS), "nothing was told"

    def decode_each(self, requests: Sequence[DecodeRequest]) -> list[Answer]:
        self.calls.append(list(requests))
        if self.gate is not None:
            self.gate.hold()
        self.kept |= {request.cache_key[0] for request in requests}
        answers = [self._answer(request) for request in requests]
        return answers[: len(requests) - self.forgets]

    @property
    def state(self) -> StateReport:
        return StateReport(len(self.kept))

    def forget(self, stream_id: str) -> None:
        self.forgotten.append(stream_id)
        self.kept.discard(stream_id)
        self.told.release()

    def _answer(self, request: DecodeRequest) -> Answer:
        error = self.failure(request)
        if error is None:
            return _hear(request)
        if isinstance(error, WavescribeError):
            return error
        raise error


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
def stateful() -> StatefulEngine:
    """An engine that keeps state, and has no gate until a test gives it one."""
    return StatefulEngine()


@pytest.fixture
def held(stateful: StatefulEngine) -> Gate:
    """The gate of `stateful`, closed."""
    stateful.gate = Gate()
    return stateful.gate


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()
