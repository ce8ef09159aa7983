from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import numpy as np
import pytest

from wavescribe.engines.base import DecodeRequest, Hypothesis
from wavescribe.errors import EngineError, InvalidRequestError
from wavescribe.serving.logs import ContextFilter, log_context
from wavescribe.serving.metrics import Metrics
from wavescribe.serving.scheduler import Scheduler
from wavescribe.streaming.transcriber import Step

if TYPE_CHECKING:
    from tests.serving.conftest import FakeEngine, Gate, StatefulEngine

SILENCE = np.zeros(16_000, dtype=np.float32)


def step(name: str, *, final: bool = False, lag: float = 0.0, second: int = 0) -> Step:
    """A step of one second of audio, which the engine hears as the word of that second."""
    request = DecodeRequest(SILENCE, context=name, cache_key=(name, second * 16_000))
    return Step(request, final=final, lag=lag)


@asynccontextmanager
async def running(scheduler: Scheduler) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(scheduler.run())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def queue(
    scheduler: Scheduler, *steps: Step, live: bool = True, after: int = 0
) -> list[asyncio.Task[Hypothesis]]:
    """Queue the steps in this order behind `after` steps that wait already."""
    tasks = []
    for number, waiting in enumerate(steps, start=after + 1):
        tasks.append(asyncio.create_task(scheduler.decode(waiting, live=live)))
        await until_queued(scheduler, number)
    return tasks


async def until_queued(scheduler: Scheduler, count: int) -> None:
    for _ in range(10):
        await asyncio.sleep(0)
    assert scheduler.queued == count


async def occupy(scheduler: Scheduler, gate: Gate) -> asyncio.Task[Hypothesis]:
    """Hold a worker in a decode, so that what comes now has to wait."""
    task = asyncio.create_task(scheduler.decode(step("busy")))
    await gate.entered()
    return task


async def test_a_step_gets_the_engines_answer(engine: FakeEngine, metrics: Metrics) -> None:
    scheduler = Scheduler(engine, 1, metrics)
    async with running(scheduler):
        answers = await asyncio.gather(*(scheduler.decode(step("s", second=second)) for second in range(20)))
    assert [answer.text for answer in answers] == [f" w{second}" for second in range(20)]
    assert metrics.registry.get_sample_value("wavescribe_step_seconds_count") == 20


async def test_ends_of_turns_go_first_then_the_largest_lag_then_the_longest_wait(
    engine: FakeEngine, gate: Gate, metrics: Metrics
) -> None:
    scheduler = Scheduler(engine, 1, metrics)
    async with running(scheduler):
        busy = await occupy(scheduler, gate)
        waiting = await queue(
            scheduler,
            step("draft, first", lag=1.0),
            step("draft, second", lag=1.0),
            step("draft, late", lag=5.0),
            step("final", final=True, lag=0.5),
            step("final, late", final=True, lag=2.0),
        )
        gate.open()
        await asyncio.gather(busy, *waiting)
    assert engine.contexts == ["busy", "final, late", "final", "draft, late", "draft, first", "draft, second"]


async def test_the_lag_of_a_step_grows_while_it_waits(engine: FakeEngine, gate: Gate, metrics: Metrics) -> None:
    now = 100.0
    scheduler = Scheduler(engine, 1, metrics, clock=lambda: now)
    async with running(scheduler):
        busy = await occupy(scheduler, gate)
        early = await queue(scheduler, step("early", lag=1.0))
        now += 2.0
        late = await queue(scheduler, step("later", lag=2.5), step("latest", lag=3.5), after=1)
        gate.open()
        await asyncio.gather(busy, *early, *late)
    assert engine.contexts == ["busy", "latest", "early", "later"]


async def test_the_steps_of_files_wait_for_those_of_live_streams(
    engine: FakeEngine, gate: Gate, metrics: Metrics
) -> None:
    scheduler = Scheduler(engine, 1, metrics)
    async with running(scheduler):
        busy = await occupy(scheduler, gate)
        file = await queue(scheduler, step("file", final=True, lag=100.0), live=False)
        live = await queue(scheduler, step("live"), after=1)
        gate.open()
        await asyncio.gather(busy, *file, *live)
    assert engine.contexts == ["busy", "live", "file"]


async def test_a_cancelled_wait_takes_the_step_out_of_the_queue(
    engine: FakeEngine, gate: Gate, metrics: Metrics
) -> None:
    scheduler = Scheduler(engine, 1, metrics)
    async with running(scheduler):
        busy = await occupy(scheduler, gate)
        left, stayed = await queue(scheduler, step("left", final=True), step("stayed"))
        left.cancel()
        await until_queued(scheduler, 1)
        gate.open()
        await asyncio.gather(busy, stayed)
    assert engine.contexts == ["busy", "stayed"]


async def test_a_queue_of_nothing_but_cancelled_steps_calls_no_engine(
    engine: FakeEngine, gate: Gate, metrics: Metrics
) -> None:
    scheduler = Scheduler(engine, 1, metrics)
    async with running(scheduler):
        busy = await occupy(scheduler, gate)
        for left in await queue(scheduler, step("left"), step("left too")):
            left.cancel()
        await until_queued(scheduler, 0)
        gate.open()
        await busy
        await scheduler.decode(step("next"))
    assert engine.contexts == ["busy", "next"]


async def test_the_result_of_a_running_step_is_dropped_when_its_wait_is_cancelled(
    engine: FakeEngine, gate: Gate, metrics: Metrics
) -> None:
    scheduler = Scheduler(engine, 1, metrics)
    async with running(scheduler):
        busy = await occupy(scheduler, gate)
        busy.cancel()
        with pytest.raises(asyncio.CancelledError):
            await busy
        gate.open()
        answer = await scheduler.decode(step("next", second=7))
    assert answer.text == " w7"


async def test_the_failure_of_a_running_step_is_dropped_when_its_wait_is_cancelled(
    engine: FakeEngine, gate: Gate, metrics: Metrics
) -> None:
    engine.failure = lambda request: ValueError("bad audio") if request.context == "busy" else None
    scheduler = Scheduler(engine, 1, metrics)
    async with running(scheduler):
        busy = await occupy(scheduler, gate)
        busy.cancel()
        gate.open()
        answer = await scheduler.decode(step("next", second=7))
    assert answer.text == " w7"


@pytest.mark.parametrize(
    ("error", "message"),
    [(EngineError("out of memory"), "^out of memory$"), (ValueError("bad audio"), "the engine failed: .*bad audio")],
)
async def test_an_engines_exception_reaches_only_its_own_step(
    engine: FakeEngine, gate: Gate, metrics: Metrics, error: Exception, message: str
) -> None:
    engine.failure = lambda request: error if request.context == "bad" else None
    scheduler = Scheduler(engine, 1, metrics)
    async with running(scheduler):
        busy = await occupy(scheduler, gate)
        bad, good = await queue(scheduler, step("bad", final=True), step("good", second=3))
        gate.open()
        with pytest.raises(EngineError, match=message):
            await bad
        assert (await busy).text == " w0"
        assert (await good).text == " w3"
        assert (await scheduler.decode(step("later", second=4))).text == " w4"
    assert metrics.registry.get_sample_value("wavescribe_steps_failed_total") == 1


async def test_an_engine_that_gives_too_few_answers_fails_its_step_and_no_more(
    engine: FakeEngine, metrics: Metrics
) -> None:
    engine.forgets = 1
    scheduler = Scheduler(engine, 1, metrics)
    workers = asyncio.create_task(scheduler.run())
    answer = asyncio.create_task(scheduler.decode(step("s")))
    done, _ = await asyncio.wait({workers, answer}, return_when=asyncio.FIRST_COMPLETED)
    workers.cancel()
    answer.cancel()
    outcomes = await asyncio.gather(workers, answer, return_exceptions=True)
    assert done == {answer}
    assert isinstance(outcomes[1], EngineError)


async def test_a_decode_does_not_block_the_event_loop(engine: FakeEngine, gate: Gate, metrics: Metrics) -> None:
    scheduler = Scheduler(engine, 1, metrics)
    async with running(scheduler):
        busy = await occupy(scheduler, gate)
        for _ in range(100):
            await asyncio.sleep(0)
        assert not busy.done()
        gate.open()
        assert (await busy).text == " w0"


async def test_stopping_the_workers_does_not_block_the_event_loop_while_a_decode_runs(
    engine: FakeEngine, gate: Gate, metrics: Metrics
) -> None:
    scheduler = Scheduler(engine, 1, metrics)
    async with running(scheduler) as workers:
        busy = await occupy(scheduler, gate)
        rescue = threading.Timer(2, gate.open)
        rescue.start()
        workers.cancel()
        for _ in range(10):
            await asyncio.sleep(0)
        was_blocked = gate.is_open
        gate.open()
        rescue.cancel()
        busy.cancel()
    assert not was_blocked


async def test_as_many_decodes_run_at_once_as_there_are_workers(
    engine: FakeEngine, gate: Gate, metrics: Metrics
) -> None:
    scheduler = Scheduler(engine, 2, metrics)
    async with running(scheduler):
        busy = [await occupy(scheduler, gate), await occupy(scheduler, gate)]
        waiting = await queue(scheduler, step("third"))
        assert engine.contexts == ["busy", "busy"]
        gate.open()
        await asyncio.gather(*busy, *waiting)


async def test_waiting_steps_share_a_call_up_to_the_batch_size(
    engine: FakeEngine, gate: Gate, metrics: Metrics
) -> None:
    scheduler = Scheduler(engine, 1, metrics, batch_size=2)
    async with running(scheduler):
        busy = await occupy(scheduler, gate)
        waiting = await queue(
            scheduler, step("a", second=1), step("b", final=True, second=2), step("c", lag=9.0, second=3)
        )
        gate.open()
        answers = await asyncio.gather(busy, *waiting)
    assert [[request.context for request in call] for call in engine.calls] == [["busy"], ["b", "c"], ["a"]]
    assert [answer.text for answer in answers] == [" w0", " w1", " w2", " w3"]


async def test_steps_queued_before_the_workers_start_are_run(engine: FakeEngine, metrics: Metrics) -> None:
    scheduler = Scheduler(engine, 1, metrics)
    (early,) = await queue(scheduler, step("early", second=5))
    async with running(scheduler):
        assert (await early).text == " w5"


@pytest.mark.parametrize("error", [EngineError("this one"), InvalidRequestError("this one")])
async def test_a_request_of_a_batch_that_fails_for_itself_leaves_the_others_alone(
    stateful: StatefulEngine, metrics: Metrics, error: EngineError
) -> None:
    stateful.failure = lambda request: error if request.context == "bad" else None
    scheduler = Scheduler(stateful, 1, metrics, batch_size=3)
    waiting = await queue(scheduler, step("a", second=1), step("bad", second=2), step("c", second=3))
    async with running(scheduler):
        answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert len(stateful.calls) == 1
    assert [str(answer) if isinstance(answer, EngineError) else getattr(answer, "text", "") for answer in answers] == [
        " w1",
        "this one",
        " w3",
    ]
    assert metrics.registry.get_sample_value("wavescribe_steps_failed_total") == 1


async def test_a_batch_that_fails_as_a_whole_fails_all_its_steps(engine: FakeEngine, metrics: Metrics) -> None:
    engine.failure = lambda request: EngineError("all") if request.context == "bad" else None
    scheduler = Scheduler(engine, 1, metrics, batch_size=2)
    waiting = await queue(scheduler, step("a", second=1), step("bad", second=2))
    async with running(scheduler):
        answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [str(answer) for answer in answers] == ["all", "all"]
    assert metrics.registry.get_sample_value("wavescribe_steps_failed_total") == 2


async def test_steps_of_files_that_have_left_are_not_kept_behind_those_of_live_streams(
    engine: FakeEngine, gate: Gate, metrics: Metrics
) -> None:
    engine.gate = gate
    scheduler = Scheduler(engine, 1, metrics)
    async with running(scheduler):
        busy = await occupy(scheduler, gate)
        [kept] = await queue(scheduler, step("live"))
        left = await queue(scheduler, step("file 1"), step("file 2"), live=False, after=1)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        assert len(vars(scheduler)["_queue"]) == 1
        gate.open()
        await asyncio.gather(busy, kept)


async def test_a_failed_step_is_logged_with_the_ids_of_its_session(
    engine: FakeEngine, metrics: Metrics, caplog: pytest.LogCaptureFixture
) -> None:
    engine.failure = lambda _: RuntimeError("broken")
    caplog.handler.addFilter(ContextFilter())
    scheduler = Scheduler(engine, 1, metrics)
    async with running(scheduler):
        log_context.set({"session_id": "sess_a", "request_id": "r1"})
        with pytest.raises(EngineError):
            await scheduler.decode(step("s"))
    [record] = [record for record in caplog.records if "failed" in record.getMessage()]
    assert vars(record)["context"] == {"session_id": "sess_a", "request_id": "r1"}
