from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest

from wavescribe.errors import InvalidRequestError, OverloadedError
from wavescribe.serving import live_service
from wavescribe.serving.live_service import LiveService, StreamOptions
from wavescribe.serving.live_stream import BufferOverflowError
from wavescribe.serving.metrics import Metrics
from wavescribe.settings import load_settings
from wavescribe.streaming.events import TurnCommitted, TurnEnded

if TYPE_CHECKING:
    from tests.serving.conftest import FakeEngine

RATE = 16_000


def sample(metrics: Metrics, name: str) -> float | None:
    return metrics.registry.get_sample_value(f"wavescribe_{name}")


def new_service(engine: FakeEngine, metrics: Metrics, max_sessions: int = 2) -> LiveService:
    return LiveService(engine, load_settings(max_sessions=max_sessions, max_buffer_seconds=5), metrics)


def test_a_full_server_refuses_streams_until_one_ends(engine: FakeEngine, metrics: Metrics) -> None:
    service = new_service(engine, metrics)
    with service.open():
        with service.open():
            assert service.active == 2
            with pytest.raises(OverloadedError, match=r"Maximum concurrent sessions reached \(2\)"), service.open():
                pass
            assert service.active == 2
        with service.open(StreamOptions("en")):
            assert sample(metrics, "active_streams") == 2
    assert service.active == 0
    assert (
        sample(metrics, "active_streams"),
        metrics.registry.get_sample_value("wavescribe_refused_streams_total", {"reason": "sessions"}),
    ) == (0, 1)


def test_a_stream_that_breaks_frees_its_place(engine: FakeEngine, metrics: Metrics) -> None:
    service = new_service(engine, metrics, max_sessions=1)
    with pytest.raises(BufferOverflowError), service.open() as stream:
        stream.feed(np.ones(round(5.1 * RATE), dtype=np.float32))
    with service.open():
        assert service.active == 1


def test_an_unknown_language_takes_no_place(engine: FakeEngine, metrics: Metrics) -> None:
    service = new_service(engine, metrics)
    with (
        pytest.raises(InvalidRequestError, match="Unknown language 'xx'.*en, de") as caught,
        service.open(StreamOptions("xx")),
    ):
        pass
    assert (caught.value.code, caught.value.param) == ("invalid_value", "language")
    assert service.active == 0


def test_a_file_takes_no_place_among_live_streams(engine: FakeEngine, metrics: Metrics) -> None:
    service = new_service(engine, metrics, max_sessions=1)
    with service.open():
        service.open_file(StreamOptions("de"))
        assert service.active == 1
    with pytest.raises(InvalidRequestError, match="Unknown language 'xx'"):
        service.open_file(StreamOptions("xx"))


async def test_a_stream_of_silence_ends_empty_and_is_not_decoded(engine: FakeEngine, metrics: Metrics) -> None:
    service = new_service(engine, metrics)
    async with service.running():
        with service.open() as stream:
            stream.feed(np.zeros(4 * RATE, dtype=np.float32))
            stream.end_turn()
            stream.finish()
            assert [event async for event in stream.run()] == [
                TurnCommitted(0, 0, 4 * RATE),
                TurnEnded(0, "", "", 0, 4 * RATE),
            ]
    assert engine.calls == []


async def test_a_client_waits_for_the_first_decode_and_is_refused_when_there_is_none(
    engine: FakeEngine, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = new_service(engine, metrics)
    waiting = asyncio.create_task(service.until_expecting())
    await asyncio.sleep(0)
    assert not waiting.done()
    service.expect(0.25)
    await waiting
    assert service.scheduler.load.step_seconds == 0.25
    monkeypatch.setattr(live_service, "STARTING_SECONDS", 0.0)
    with pytest.raises(OverloadedError, match="still starting"):
        await new_service(engine, Metrics()).until_expecting()
    await service.until_expecting()


async def test_the_time_to_a_turns_last_text_counts_from_when_its_end_was_asked_for(
    engine: FakeEngine, metrics: Metrics
) -> None:
    times = itertools.count()
    service = LiveService(engine, load_settings(), metrics, clock=lambda: float(next(times)))
    async with service.running():
        with service.open() as stream:
            stream.feed(np.ones(RATE, dtype=np.float32))
            asked = next(times)
            stream.end_turn()
            stream.finish()
            next(itertools.islice(times, 1000, None))
            async for _ in stream.run():
                pass
    assert asked < 100
    assert (sample(metrics, "final_seconds_sum") or 0) > 1000
