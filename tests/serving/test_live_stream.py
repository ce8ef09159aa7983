from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import numpy as np
import pytest

from wavescribe.engines.base import DecodeRequest, Samples
from wavescribe.errors import EngineError
from wavescribe.serving import live_stream
from wavescribe.serving.live_stream import BufferOverflowError, LiveStream
from wavescribe.serving.metrics import Metrics
from wavescribe.serving.scheduler import Scheduler
from wavescribe.serving.stream_metrics import StreamMetrics
from wavescribe.streaming.events import Event, Settled, TurnCleared, TurnEnded, TurnFailed
from wavescribe.streaming.parameters import StreamParameters
from wavescribe.streaming.transcriber import Transcriber
from wavescribe.vad.detector import FRAME_SAMPLES, AlwaysSpeech, SpeechDetector

if TYPE_CHECKING:
    from tests.serving.conftest import FakeEngine, Gate

RATE = 16_000


def audio(seconds: float, seed: int = 0) -> Samples:
    """Sound of which every instant is different."""
    return np.random.default_rng(seed).uniform(-0.5, 0.5, round(seconds * RATE)).astype(np.float32)


def packets(samples: Samples, size: int) -> Iterator[Samples]:
    return (samples[start : start + size] for start in range(0, len(samples), size))


class SpeechAfter:
    """A detector that hears speech from some seconds on."""

    def __init__(self, seconds: float) -> None:
        self._every = AlwaysSpeech()
        self._quiet = round(seconds * RATE / FRAME_SAMPLES)

    def probabilities(self, samples: Samples) -> list[float]:
        count = len(self._every.probabilities(samples))
        quiet, self._quiet = min(count, self._quiet), max(0, self._quiet - count)
        return [0.0] * quiet + [1.0] * (count - quiet)


def new_stream(
    scheduler: Scheduler,
    metrics: Metrics,
    *,
    name: str = "s",
    max_buffer_seconds: float = 60,
    live: bool = True,
    step_seconds: float = 1.0,
    detector: SpeechDetector | None = None,
) -> LiveStream:
    transcriber = Transcriber(name, StreamParameters(step_seconds=step_seconds), detector or AlwaysSpeech())
    return LiveStream(
        transcriber,
        scheduler,
        StreamMetrics(metrics, live=live, sample_rate=RATE),
        sample_rate=RATE,
        step_seconds=step_seconds,
        max_buffer_seconds=max_buffer_seconds,
        live=live,
    )


@asynccontextmanager
async def running(engine: FakeEngine, metrics: Metrics) -> AsyncIterator[Scheduler]:
    scheduler = Scheduler(engine, 1, metrics)
    task = asyncio.create_task(scheduler.run())
    try:
        yield scheduler
    finally:
        if engine.gate is not None:
            engine.gate.open()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def worked_off(stream: LiveStream, *, below: float) -> None:
    """Wait until less than that many seconds of audio wait."""
    for _ in range(10_000):
        if stream.backlog_seconds < below:
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it is not worked off")


async def collect(stream: LiveStream) -> list[Event]:
    return [event async for event in stream.run()]


def ends(events: list[Event]) -> list[TurnEnded | TurnFailed]:
    return [event for event in events if isinstance(event, TurnEnded | TurnFailed)]


def transcripts(events: list[Event]) -> list[str]:
    return [event.transcript for event in events if isinstance(event, TurnEnded)]


def sample(metrics: Metrics, name: str) -> float | None:
    return metrics.registry.get_sample_value(f"wavescribe_{name}")


async def test_audio_becomes_the_events_of_its_turns(engine: FakeEngine, metrics: Metrics) -> None:
    async with running(engine, metrics) as scheduler:
        stream = new_stream(scheduler, metrics)
        stream.feed(audio(4))
        stream.end_turn()
        stream.feed(audio(2))
        stream.end_turn()
        stream.finish()
        events = await collect(stream)
    assert transcripts(events) == ["w0 w1 w2 w3", "w4 w5"]
    assert [(end.start, end.end) for end in ends(events)] == [(0, 4 * RATE), (4 * RATE, 6 * RATE)]
    deltas = [event.delta for event in events if isinstance(event, Settled) and event.turn == 0]
    assert "".join(deltas) == "w0 w1 w2 w3"
    assert sample(metrics, "audio_seconds_total") == 6
    assert sample(metrics, "words_total") == 6


async def test_text_comes_while_a_backlog_is_worked_off(engine: FakeEngine, metrics: Metrics) -> None:
    async with running(engine, metrics) as scheduler:
        stream = new_stream(scheduler, metrics)
        stream.feed(audio(30))
        run = stream.run()
        async for event in run:
            if isinstance(event, Settled):
                break
        assert stream.backlog_seconds > 20
        await _close(run)


async def test_feeding_never_waits_for_the_engine(engine: FakeEngine, gate: Gate, metrics: Metrics) -> None:
    async with running(engine, metrics) as scheduler:
        stream = new_stream(scheduler, metrics)
        work = asyncio.create_task(collect(stream))
        stream.feed(audio(2))
        await gate.entered()
        stream.feed(audio(1))
        stream.end_turn()
        stream.feed(audio(2))
        stream.end_turn()
        stream.finish()
        assert stream.received_seconds == 5
        assert len(engine.calls) == 1
        assert not work.done()
        gate.open()
        assert transcripts(await work) == ["w0 w1 w2", "w3 w4"]


async def test_feeding_needs_nobody_at_work(engine: FakeEngine, metrics: Metrics) -> None:
    stream = new_stream(Scheduler(engine, 1, metrics), metrics)
    stream.feed(audio(3))
    stream.end_turn()
    stream.finish()
    assert (stream.received_seconds, stream.backlog_seconds) == (3, 3)
    assert engine.calls == []


async def test_a_full_buffer_refuses_audio_and_takes_nothing_of_it(engine: FakeEngine, metrics: Metrics) -> None:
    async with running(engine, metrics) as scheduler:
        stream = new_stream(scheduler, metrics, max_buffer_seconds=2)
        stream.feed(audio(1.5))
        with pytest.raises(BufferOverflowError, match="Accumulated audio exceeded 2s"):
            stream.feed(audio(1))
        assert (stream.received_seconds, stream.backlog_seconds) == (1.5, 1.5)
        stream.feed(audio(0.5))
        stream.end_turn()
        stream.finish()
        assert ends(await collect(stream)) == [TurnEnded(0, "w0 w1", "en", 0, 2 * RATE)]
    assert sample(metrics, "audio_seconds_total") == 2


async def test_audio_that_waits_for_the_engine_counts_as_backlog(
    engine: FakeEngine, gate: Gate, metrics: Metrics
) -> None:
    async with running(engine, metrics) as scheduler:
        stream = new_stream(scheduler, metrics, max_buffer_seconds=3)
        work = asyncio.create_task(collect(stream))
        stream.feed(audio(2))
        await gate.entered()
        stream.feed(audio(1))
        with pytest.raises(BufferOverflowError):
            stream.feed(audio(0.01))
        gate.open()
        stream.end_turn()
        stream.finish()
        await work


async def test_what_was_decoded_makes_room_for_more(engine: FakeEngine, metrics: Metrics) -> None:
    async with running(engine, metrics) as scheduler:
        stream = new_stream(scheduler, metrics, max_buffer_seconds=4)
        work = asyncio.create_task(collect(stream))
        for second in range(10):
            stream.feed(audio(1, second))
            await worked_off(stream, below=2)
        stream.end_turn()
        stream.finish()
        assert transcripts(await work) == [" ".join(f"w{second}" for second in range(10))]


@pytest.mark.parametrize(("step", "most"), [(1.0, 3.0), (10.0, 60.0), (20.0, 5.0)])
async def test_a_source_that_can_wait_is_taken_whole_whatever_the_step_and_the_limit_of_clients(
    step: float, most: float, engine: FakeEngine, metrics: Metrics
) -> None:
    async with running(engine, metrics) as scheduler:
        stream = new_stream(scheduler, metrics, max_buffer_seconds=most, step_seconds=step, detector=SpeechAfter(0.9))
        work = asyncio.create_task(collect(stream))
        ahead = 0.0
        for second in range(60):
            await asyncio.wait_for(stream.feed_in_time(audio(1, second)), timeout=60)
            ahead = max(ahead, stream.backlog_seconds)
        stream.end_turn()
        stream.finish()
        [end] = ends(await work)
    assert isinstance(end, TurnEnded)
    assert end.end == 60 * RATE
    assert ahead <= max(10.0, 2 * step) + 2  # a block that is being taken in counts twice for a moment


async def test_marks_that_wait_are_bounded_and_those_that_were_taken_in_make_room(
    engine: FakeEngine, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_stream, "MOST_MARKS", 3)
    monkeypatch.setattr(live_stream, "MOST_CONFIGURATIONS", 2)
    async with running(engine, metrics) as scheduler:
        stream = new_stream(scheduler, metrics)
        for mark, most in ((stream.end_turn, 3), (stream.clear, 3), (lambda: stream.configure(StreamParameters()), 2)):
            for _ in range(most):
                mark()
            with pytest.raises(BufferOverflowError, match=f"More than {most} events wait behind audio"):
                mark()
        work = asyncio.create_task(collect(stream))
        await asyncio.sleep(0.1)
        stream.clear()
        stream.finish()
        await work


async def test_one_packet_of_ten_seconds_and_packets_of_a_millisecond_make_the_same_decodes(
    engine: FakeEngine, metrics: Metrics
) -> None:
    samples = audio(10)
    decodes = []
    for size in (len(samples), RATE // 1_000):
        engine.calls.clear()
        async with running(engine, metrics) as scheduler:
            stream = new_stream(scheduler, metrics)
            for packet in packets(samples, size):
                stream.feed(packet)
            stream.end_turn()
            stream.finish()
            await collect(stream)
        decodes.append([described(request) for request in engine.requests])
    assert decodes[0] == decodes[1]
    assert len(decodes[0]) >= 10


async def test_packets_that_come_one_by_one_make_the_same_decodes_as_one(engine: FakeEngine, metrics: Metrics) -> None:
    samples = audio(10)
    decodes = []
    for size in (len(samples), 317, 7_001, 40_000):
        engine.calls.clear()
        async with running(engine, metrics) as scheduler:
            stream = new_stream(scheduler, metrics)
            work = asyncio.create_task(collect(stream))
            for packet in packets(samples, size):
                stream.feed(packet)
                await asyncio.sleep(0)
            stream.end_turn()
            stream.finish()
            await work
        decodes.append([described(request) for request in engine.requests])
    assert decodes == [decodes[0]] * len(decodes)


def described(request: DecodeRequest) -> tuple[int, int, bytes, tuple[int, ...]]:
    """Where the window is, its length, its sound and its prefix."""
    return request.cache_key[1], len(request.samples), request.samples.tobytes(), request.prefix


async def test_closing_the_iterator_stops_the_work(engine: FakeEngine, metrics: Metrics) -> None:
    async with running(engine, metrics) as scheduler:
        stream = new_stream(scheduler, metrics, name="left")
        stream.feed(audio(30))
        run = stream.run()
        await anext(run)
        await _close(run)
        made = len(engine.requests)
        assert made < 5
        assert await others_text(scheduler, metrics) == ["w0 w1 w2"]
    assert {request.cache_key[0] for request in engine.requests[made:]} == {"other"}


async def test_cancelling_the_reader_takes_its_step_out_of_the_queue(
    engine: FakeEngine, gate: Gate, metrics: Metrics
) -> None:
    async with running(engine, metrics) as scheduler:
        busy = new_stream(scheduler, metrics, name="busy")
        busy.feed(audio(2))
        busy.finish()
        working = asyncio.create_task(collect(busy))
        await gate.entered()
        left = new_stream(scheduler, metrics, name="left")
        left.feed(audio(3))
        leaving = asyncio.create_task(collect(left))
        await until(lambda: scheduler.queued == 1)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        assert scheduler.queued == 0
        gate.open()
        await working
        assert await others_text(scheduler, metrics) == ["w0 w1 w2"]
    assert {request.cache_key[0] for request in engine.requests} == {"busy", "other"}


async def test_cancelling_the_reader_during_its_decode_harms_no_other_stream(
    engine: FakeEngine, gate: Gate, metrics: Metrics
) -> None:
    async with running(engine, metrics) as scheduler:
        left = new_stream(scheduler, metrics, name="left")
        left.feed(audio(3))
        leaving = asyncio.create_task(collect(left))
        await gate.entered()
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        gate.open()
        assert await others_text(scheduler, metrics) == ["w0 w1 w2"]


async def test_a_step_that_failed_once_is_made_again_and_nothing_is_lost(engine: FakeEngine, metrics: Metrics) -> None:
    errors = iter([EngineError("once")])
    engine.failure = lambda _: next(errors, None)
    async with running(engine, metrics) as scheduler:
        assert await others_text(scheduler, metrics) == ["w0 w1 w2"]


@pytest.mark.parametrize("error", [EngineError("out of memory"), ZeroDivisionError("a bug")])
async def test_an_engines_failure_ends_only_the_turn_of_its_own_stream(
    engine: FakeEngine, metrics: Metrics, error: Exception
) -> None:
    engine.failure = lambda request: error if request.cache_key == ("broken", 0) else None
    async with running(engine, metrics) as scheduler:
        stream = new_stream(scheduler, metrics, name="broken")
        stream.feed(audio(1))
        stream.end_turn()
        stream.feed(audio(2))
        stream.end_turn()
        stream.finish()
        events, other = await asyncio.gather(collect(stream), others_text(scheduler, metrics))
    failed, ended = ends(events)
    assert isinstance(failed, TurnFailed)
    assert isinstance(ended, TurnEnded)
    assert ended.transcript == "w1 w2"
    assert other == ["w0 w1 w2"]
    assert sample(metrics, "turns_failed_total") == 1


async def test_the_lag_of_files_is_not_counted(engine: FakeEngine, metrics: Metrics) -> None:
    async with running(engine, metrics) as scheduler:
        await others_text(scheduler, metrics, live=False)
        assert sample(metrics, "lag_seconds_count") == 0
        await others_text(scheduler, metrics, live=True)
    assert (sample(metrics, "lag_seconds_count") or 0) > 0


async def others_text(scheduler: Scheduler, metrics: Metrics, *, live: bool = True) -> list[str]:
    """The transcripts of another stream, of three seconds."""
    stream = new_stream(scheduler, metrics, name="other", live=live)
    stream.feed(audio(3))
    stream.end_turn()
    stream.finish()
    return transcripts(await collect(stream))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  # the code under test has no event for it
            await asyncio.sleep(0.001)


async def _close(run: AsyncIterator[Event]) -> None:
    await run.aclose()  # type: ignore[attr-defined]  # it is an asynchronous generator


async def test_cleared_audio_that_still_waits_is_not_decoded(engine: FakeEngine, metrics: Metrics) -> None:
    async with running(engine, metrics) as scheduler:
        stream = new_stream(scheduler, metrics)
        stream.feed(audio(5))
        stream.clear()
        stream.feed(audio(3, 5))
        stream.end_turn()
        stream.finish()
        events = await collect(stream)
    assert transcripts(events) == ["w0 w1 w2"]
    assert isinstance(events[0], TurnCleared)
    assert max(len(request.samples) for request in engine.requests) <= 3 * RATE


async def test_audio_in_which_turns_may_have_ended_is_heard_before_it_is_cleared(
    engine: FakeEngine, metrics: Metrics
) -> None:
    async with running(engine, metrics) as scheduler:
        stream = new_stream(scheduler, metrics)
        stream.feed(audio(5))
        stream.clear(unheard=False)
        stream.finish()
        events = await collect(stream)
    assert engine.requests != []
    assert isinstance(events[-1], TurnCleared)


async def test_new_parameters_hold_for_what_is_fed_after_them(engine: FakeEngine, metrics: Metrics) -> None:
    async with running(engine, metrics) as scheduler:
        stream = new_stream(scheduler, metrics)
        stream.feed(audio(3))
        stream.end_turn()
        stream.configure(StreamParameters(language="de"))
        stream.feed(audio(3, 3))
        stream.end_turn()
        stream.finish()
        await collect(stream)
    assert engine.requests[0].language is None
    assert engine.requests[-1].language == "de"
