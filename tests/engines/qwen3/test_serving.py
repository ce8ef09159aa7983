"""The engine under the scheduler and its live streams, in this process and in one of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from qwen3_files import write_checkpoint
from qwen3_reporting import load_reporting

from wavescribe.engines.base import DecodeRequest, Engine, FileOptions, Hypothesis, Samples
from wavescribe.engines.isolation import IsolatedEngine
from wavescribe.engines.qwen3.configuration import ModelShape
from wavescribe.engines.qwen3.engine import Qwen3AsrEngine
from wavescribe.engines.qwen3.loading import load_qwen3
from wavescribe.errors import EngineError, OverloadedError
from wavescribe.serving.live_service import LiveService, StreamOptions
from wavescribe.serving.metrics import Metrics
from wavescribe.serving.scheduler import Scheduler
from wavescribe.settings import Settings, load_settings
from wavescribe.streaming.events import Event, Settled, TurnEnded
from wavescribe.streaming.transcriber import Step

RATE = 16_000
OPTIONS = StreamOptions(language="en")
PATIENCE_SECONDS = 60


@pytest.fixture(scope="module")
def directory(
    tmp_path_factory: pytest.TempPathFactory, toy: ModelShape, toy_weights: Mapping[str, torch.Tensor]
) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("model"), toy, toy_weights)


@pytest.fixture(scope="module")
def engine(directory: Path) -> Iterator[Qwen3AsrEngine]:
    loaded = load_qwen3(str(directory), device="cpu", threads=1, pool_bytes=2**26)
    yield loaded
    loaded.close()


@pytest.fixture
def settings() -> Settings:
    return load_settings(workers=1, max_lag_seconds=0, max_batch=4)


@asynccontextmanager
async def live_service(engine: Engine, settings: Settings) -> AsyncIterator[LiveService]:
    service = LiveService(engine, settings, Metrics())
    async with service.running(), asyncio.timeout(PATIENCE_SECONDS):
        yield service


async def transcribed(service: LiveService, samples: Samples) -> list[Event]:
    with service.open(OPTIONS) as stream:
        stream.feed(samples)
        stream.end_turn()
        stream.finish()
        return [event async for event in stream.run()]


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what another thread does next; the test's own time limit ends it."""
    while not await asyncio.to_thread(holds):
        await asyncio.to_thread(torch.get_num_threads)


def transcript(events: list[Event]) -> str:
    deltas = "".join(event.delta for event in events if isinstance(event, Settled))
    [ended] = [event for event in events if isinstance(event, TurnEnded)]
    assert deltas == ended.transcript
    return deltas


async def test_streams_batched_by_the_scheduler_are_each_as_alone_and_leave_no_page_behind(
    engine: Qwen3AsrEngine, settings: Settings, speech: Samples
) -> None:
    parts = [speech[start * RATE : (start + 9) * RATE] for start in (0, 14)]
    async with live_service(engine, settings) as service:
        alone = [transcript(await transcribed(service, part)) for part in parts]
        together = await asyncio.gather(*(transcribed(service, part) for part in parts))
        assert [transcript(events) for events in together] == alone
        await until(lambda: engine.memory().streams == 0)
        assert engine.memory().free_pages == engine.memory().pages
    assert all(alone)
    assert alone[0] != alone[1]


async def test_a_stream_that_is_cut_off_gives_its_pages_back_at_once(
    engine: Qwen3AsrEngine, settings: Settings, speech: Samples
) -> None:
    async with live_service(engine, settings) as service:
        with service.open(OPTIONS) as stream:
            stream.feed(speech[: 12 * RATE])
            events = stream.run()
            async for event in events:
                if isinstance(event, Settled):
                    break
            assert engine.memory().free_pages < engine.memory().pages
            await events.aclose()  # type: ignore[attr-defined]  # an asynchronous generator
        await until(lambda: engine.memory().streams == 0)
        assert engine.memory().free_pages == engine.memory().pages


def step(stream: str, samples: Samples, language: str = "en") -> Step:
    request = DecodeRequest(samples, language=language, token_budget=6, cache_key=(stream, 0))
    return Step(request, final=False, lag=0.0)


async def test_a_bad_request_of_a_batch_fails_alone(engine: Qwen3AsrEngine, speech: Samples) -> None:
    good, bad = speech[: 3 * RATE], speech[: 3 * RATE].copy()
    bad[5] = np.nan
    [expected] = engine.decode([step("", good).request])
    scheduler = Scheduler(engine, 1, Metrics(), batch_size=4)
    steps = (step("a", good), step("b", bad), step("c", good, "la"), step("d", good))
    waiting = [asyncio.ensure_future(scheduler.decode(each)) for each in steps]
    await asyncio.sleep(0)
    running = asyncio.create_task(scheduler.run())
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [answer.text if isinstance(answer, Hypothesis) else "" for answer in answers] == [
        expected.text,
        "",
        "",
        expected.text,
    ]
    assert isinstance(answers[1], EngineError)
    assert "not finite" in str(answers[1])
    assert isinstance(answers[2], EngineError)
    assert "does not know the language 'la'" in str(answers[2])
    for stream in "abcd":
        scheduler.leave(stream)
    await until(lambda: engine.memory().streams == 0)
    running.cancel()


async def test_no_more_streams_are_let_in_than_the_memory_holds(directory: Path, settings: Settings) -> None:
    small = load_qwen3(str(directory), device="cpu", threads=1, pool_bytes=5 * 2**20)
    assert small.info.most_streams == 3
    async with live_service(small, settings) as service:
        with (
            service.open(OPTIONS),
            service.open(OPTIONS),
            service.open(OPTIONS),
            pytest.raises(OverloadedError, match="state of 3 live streams"),
            service.open(OPTIONS),
        ):
            pass
        with service.open(OPTIONS):
            pass
    small.close()


async def test_in_a_process_of_its_own_streams_share_batches_and_give_their_pages_back(
    directory: Path, engine: Qwen3AsrEngine, settings: Settings, speech: Samples
) -> None:
    parts = [speech[start * RATE : (start + 6) * RATE] for start in (0, 7)]
    load = partial(load_reporting, str(directory))
    isolated = await asyncio.to_thread(IsolatedEngine, load, 1, PATIENCE_SECONDS)

    def held() -> float:
        return isolated.transcribe_file(speech[:RATE], FileOptions()).duration

    try:
        async with live_service(engine, settings) as service:
            alone = [transcript(await transcribed(service, part)) for part in parts]
        async with live_service(isolated, settings) as service:
            together = await asyncio.gather(*(transcribed(service, part) for part in parts))
            assert [transcript(events) for events in together] == alone
            await until(lambda: held() == 0)
        bad = np.full(RATE, np.nan, dtype=np.float32)
        answers = isolated.decode_each([step("a", parts[0]).request, step("b", bad).request])
        assert isinstance(answers[0], Hypothesis)
        assert isinstance(answers[1], EngineError)
        assert held() > 0
        isolated.forget("a")
        assert held() == 0
    finally:
        await asyncio.to_thread(isolated.close)
