from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import numpy as np
import pytest

from wavescribe.engines.base import DecodeRequest
from wavescribe.serving.departures import Departures
from wavescribe.serving.live_stream import LiveStream
from wavescribe.serving.metrics import Metrics
from wavescribe.serving.scheduler import Scheduler
from wavescribe.serving.stream_metrics import StreamMetrics
from wavescribe.streaming.parameters import StreamParameters
from wavescribe.streaming.transcriber import Step, Transcriber
from wavescribe.vad.detector import AlwaysSpeech

if TYPE_CHECKING:
    from tests.serving.conftest import FakeEngine, Gate, StatefulEngine

RATE = 16_000


def step(stream: str) -> Step:
    request = DecodeRequest(np.zeros(RATE, dtype=np.float32), cache_key=(stream, 0))
    return Step(request, final=False, lag=0.0)


def new_stream(name: str, scheduler: Scheduler, metrics: Metrics) -> LiveStream:
    """A stream that has been fed a turn."""
    stream = LiveStream(
        Transcriber(name, StreamParameters(), AlwaysSpeech()),
        scheduler,
        StreamMetrics(metrics, live=True, sample_rate=RATE),
        sample_rate=RATE,
        step_seconds=1.0,
        max_buffer_seconds=60,
    )
    stream.feed(np.random.default_rng(0).uniform(-0.5, 0.5, 4 * RATE).astype(np.float32))
    stream.end_turn()
    return stream


async def test_a_live_stream_that_ends_or_is_closed_leaves(stateful: StatefulEngine, metrics: Metrics) -> None:
    scheduler = Scheduler(stateful, 1, metrics)
    task = asyncio.create_task(scheduler.run())
    ended, closed = (new_stream(name, scheduler, metrics) for name in ("ended", "closed"))
    ended.finish()
    assert [event async for event in ended.run()]
    await stateful.was_told()
    assert stateful.forgotten == ["ended"]
    events = closed.run()
    await anext(events)
    assert stateful.kept == {"closed"}
    await events.aclose()  # type: ignore[attr-defined]  # an asynchronous generator
    await stateful.was_told()
    assert stateful.forgotten == ["ended", "closed"]
    assert not stateful.kept
    task.cancel()


async def test_a_stream_that_leaves_is_told_to_an_engine_that_keeps_state(
    stateful: StatefulEngine, metrics: Metrics
) -> None:
    scheduler = Scheduler(stateful, 1, metrics)
    task = asyncio.create_task(scheduler.run())
    await scheduler.decode(step("leaves"))
    await scheduler.decode(step("stays"))
    scheduler.leave("leaves")
    await stateful.was_told()
    assert stateful.kept == {"stays"}
    task.cancel()


async def test_a_stream_that_leaves_during_its_step_is_told_after_it(
    stateful: StatefulEngine, held: Gate, metrics: Metrics
) -> None:
    scheduler = Scheduler(stateful, 1, metrics)
    task = asyncio.create_task(scheduler.run())
    waiting = asyncio.create_task(scheduler.decode(step("s")))
    await held.entered()
    waiting.cancel()
    scheduler.leave("s")
    await asyncio.sleep(0.05)
    assert stateful.forgotten == []
    held.open()
    await stateful.was_told()
    assert stateful.forgotten == ["s"]
    assert not stateful.kept
    task.cancel()


async def test_a_stream_whose_step_waits_in_the_queue_is_told_at_once_and_never_decoded(
    stateful: StatefulEngine, held: Gate, metrics: Metrics
) -> None:
    scheduler = Scheduler(stateful, 1, metrics)
    task = asyncio.create_task(scheduler.run())
    busy = asyncio.create_task(scheduler.decode(step("busy")))
    await held.entered()
    queued = asyncio.create_task(scheduler.decode(step("queued")))
    await asyncio.sleep(0)
    queued.cancel()
    scheduler.leave("queued")
    await stateful.was_told()
    assert stateful.forgotten == ["queued"]
    held.open()
    await busy
    await scheduler.decode(step("next"))
    assert stateful.kept == {"busy", "next"}
    task.cancel()


async def test_an_engine_without_state_is_told_nothing(engine: FakeEngine, metrics: Metrics) -> None:
    scheduler = Scheduler(engine, 1, metrics)
    task = asyncio.create_task(scheduler.run())
    assert (await scheduler.decode(step("s"))).text == " w0"
    scheduler.leave("s")
    task.cancel()


async def test_an_engine_that_cannot_forget_is_told_of_the_next_stream_all_the_same(
    stateful: StatefulEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(stream: str) -> None:
        stateful.forgotten.append(stream)
        stateful.told.release()
        raise RuntimeError("the device is gone")

    monkeypatch.setattr(stateful, "forget", fails)
    departures = Departures(stateful)
    with caplog.at_level(logging.ERROR):
        departures.leave("a")
        departures.leave("b")
        for _ in range(2):
            await stateful.was_told()
        departures.close(wait=True)
    assert caplog.text.count("could not forget") == 2
    departures.leave("c")
    assert stateful.forgotten == ["a", "b"]
