"""The scheduler: steps of all streams in one queue, run by as many workers as the engine has."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from wavescribe.engines.answers import decode_each
from wavescribe.engines.base import Answer, DecodeRequest, Engine, Hypothesis
from wavescribe.errors import EngineError, WavescribeError
from wavescribe.serving.departures import Departures
from wavescribe.serving.load import Load
from wavescribe.serving.logs import log_context
from wavescribe.serving.metrics import Metrics
from wavescribe.serving.tracing import engine_span
from wavescribe.streaming.transcriber import Step

logger = logging.getLogger(__name__)


@dataclass(order=True, slots=True)
class _Job:
    """A queued step; live streams sort first, then ends of turns, then those whose audio has waited longest."""

    rank: tuple[bool, bool, float, int]
    step: Step = field(compare=False)
    answer: asyncio.Future[Hypothesis] = field(compare=False)
    context: Mapping[str, str] = field(compare=False)
    """What the log says of the stream: ids of its session and request."""

    @property
    def is_live(self) -> bool:
        return not self.rank[0]

    @property
    def stream(self) -> str:
        return self.step.request.cache_key[0]

    def fail(self, error: EngineError) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class Scheduler:
    """Runs steps: collect, order, batch, run, deliver.

    Args:
        engine: the engine that all steps run on.
        workers: engine calls at the same time.
        metrics: where steps are counted.
        batch_size: most steps in one engine call; 1 for engines that gain nothing from batches.
        clock: seconds, monotonic.
        load: where its load is measured; without it, of workers that have processors of their own.
    """

    def __init__(
        self,
        engine: Engine,
        workers: int,
        metrics: Metrics,
        batch_size: int = 1,
        *,
        clock: Callable[[], float] = time.monotonic,
        load: Load | None = None,
    ) -> None:
        self._clock = clock
        self._engine = engine
        self._workers = workers
        self._metrics = metrics
        self._batch_size = batch_size
        self._queue: list[_Job] = []
        self._order = itertools.count()
        self._arrived = asyncio.Condition()
        self._running: dict[int, float] = {}
        """When each engine call under way began, by the clock."""
        self._departures = Departures(engine)
        self.load = load or Load(workers * batch_size)
        """What live steps take and how many streams ask for them."""

    @property
    def queued(self) -> int:
        """Steps that wait for a worker."""
        return sum(not job.answer.done() for job in self._queue)

    @property
    def longest_call(self) -> float:
        """Seconds that the oldest engine call under way has taken so far; 0 with none."""
        return self._clock() - min(self._running.values()) if self._running else 0.0

    async def run(self) -> None:
        """Run the workers until cancelled. The caller owns this task."""
        threads = ThreadPoolExecutor(self._workers, thread_name_prefix="decode")
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._workers):
                    group.create_task(self._work(threads))
        finally:
            # Nobody waits here for a decode that is under way: this is the event loop's thread.
            threads.shutdown(wait=False, cancel_futures=True)
            self._departures.close()

    def leave(self, stream: str) -> None:
        """A stream is closed: what the engine keeps of it is freed, and its load is no longer expected.

        Args:
            stream: its id.
        """
        self.load.left(stream)
        self._departures.leave(stream)

    async def decode(self, step: Step, *, live: bool = True) -> Hypothesis:
        """Queue a step and wait for its answer. Cancelling the wait takes the step out of the queue.

        Args:
            step: the step.
            live: False for a file's step, which waits until no live stream has one.

        Raises:
            EngineError: the engine failed on it.
        """
        answer: asyncio.Future[Hypothesis] = asyncio.get_running_loop().create_future()
        # The lag of a step that waits grows: by when its audio began to wait, it is the same order at any time.
        waits_since = self._clock() - step.lag
        rank = (not live, not step.final, waits_since, next(self._order))
        async with self._arrived:
            heapq.heappush(self._queue, _Job(rank, step, answer, log_context.get()))
            self._arrived.notify()
        try:
            return await answer
        finally:
            if answer.cancelled():
                self._drop_unwanted()

    def _drop_unwanted(self) -> None:
        """Let go of steps whose streams have left; those of files might never get to the front."""
        self._queue = [job for job in self._queue if not job.answer.done()]
        heapq.heapify(self._queue)

    async def _work(self, threads: ThreadPoolExecutor) -> None:
        while True:
            jobs = await self._collect()
            await self._run(jobs, threads)

    async def _collect(self) -> list[_Job]:
        """The next steps to run, the most urgent first; steps whose stream has left are dropped."""
        async with self._arrived:
            jobs: list[_Job] = []
            while not jobs:
                await self._arrived.wait_for(lambda: bool(self._queue))
                while self._queue and len(jobs) < self._batch_size:
                    job = heapq.heappop(self._queue)
                    if not job.answer.done():
                        jobs.append(job)
            return jobs

    async def _run(self, jobs: Sequence[_Job], threads: ThreadPoolExecutor) -> None:
        requests = [job.step.request for job in jobs]
        started = self._clock()
        call = next(self._order)
        self._running[call] = started
        self._departures.begin(job.stream for job in jobs)
        try:
            answers = await self._call(requests, threads)
        except Exception as error:  # an engine may raise anything; every waiting stream must hear of it
            expected = isinstance(error, WavescribeError)
            with _logged_for(jobs):
                logger.error("a decode of %d steps failed: %s", len(jobs), error, exc_info=None if expected else error)
            self._deliver(jobs, [_engine_error(error)] * len(jobs))
            return
        finally:
            del self._running[call]
            self._departures.end(job.stream for job in jobs)
        self._measure(jobs, self._clock() - started)
        for job, answer in zip(jobs, answers, strict=True):
            if isinstance(answer, WavescribeError):
                with _logged_for([job]):
                    logger.error("a step of a batch of %d failed: %s", len(jobs), answer)
        self._deliver(jobs, answers)

    async def _call(self, requests: Sequence[DecodeRequest], threads: ThreadPoolExecutor) -> list[Answer]:
        with engine_span(len(requests)):
            return await asyncio.get_running_loop().run_in_executor(threads, decode_each, self._engine, requests)

    def _deliver(self, jobs: Sequence[_Job], answers: Sequence[Answer]) -> None:
        """Give each step its own answer; nobody waits for those of streams that have left."""
        for job, answer in zip(jobs, answers, strict=True):
            if isinstance(answer, WavescribeError):
                self._metrics.steps_failed.inc()
                job.fail(_engine_error(answer))
            elif not job.answer.done():
                job.answer.set_result(answer)

    def _measure(self, jobs: Sequence[_Job], seconds: float) -> None:
        self._metrics.step_seconds.observe(seconds)
        self._metrics.batch_size.observe(len(jobs))
        if any(job.is_live for job in jobs):
            self.load.took(seconds)
        for job in jobs:
            if job.step.advance:
                self._metrics.step_factor.observe(seconds / len(jobs) / job.step.advance)


@contextmanager
def _logged_for(jobs: Sequence[_Job]) -> Iterator[None]:
    """Log with the ids of the sessions that steps belong to; several are joined by spaces."""
    names = sorted({name for job in jobs for name in job.context})
    token = log_context.set(
        {name: " ".join(job.context[name] for job in jobs if name in job.context) for name in names}
    )
    try:
        yield
    finally:
        log_context.reset(token)


def _engine_error(error: Exception) -> EngineError:
    """What a stream is told of any failure."""
    if isinstance(error, EngineError):
        return error
    return EngineError(str(error) if isinstance(error, WavescribeError) else f"the engine failed: {error!r}")
