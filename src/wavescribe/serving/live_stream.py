"""A live stream: the Transcriber with an inbox, its voice activity detection and its steps off the event loop."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable

import numpy as np

from wavescribe.engines.base import Hypothesis, Samples
from wavescribe.errors import EngineError, WavescribeError
from wavescribe.serving.inbox import Clear, Configure, EndTurn, Finish, Inbox, Mark
from wavescribe.serving.logs import transcripts
from wavescribe.serving.mute_watch import MuteWatch
from wavescribe.serving.pacing import Pace, least_advance
from wavescribe.serving.scheduler import Scheduler
from wavescribe.serving.stream_metrics import StreamMetrics
from wavescribe.serving.tracing import span
from wavescribe.streaming.events import Event, Settled, TurnEnded
from wavescribe.streaming.parameters import StreamParameters
from wavescribe.streaming.transcriber import Step, Transcriber

logger = logging.getLogger(__name__)


AHEAD_SECONDS = 10.0
"""Audio that is taken ahead of its transcription from a source that can wait, and two steps where they are longer: a
step begins only when all of its audio is there."""

MOST_MARKS, MOST_CONFIGURATIONS = 20_000, 100
"""Ends of turns and the like that may wait behind audio: those of turns of a tenth of a second in all that may wait. A
configuration may have a long prompt."""


class BufferOverflowError(WavescribeError):
    """More was received and not yet worked off than the limits allow."""


class LiveStream:
    """One client's stream.

    `feed`, `end_turn` and `finish` return at once and never wait for inference; `run` does the work.

    Args:
        transcriber: the stream's core.
        scheduler: where its steps run.
        metrics: counts its audio, words and lag.
        sample_rate: samples per second of what is fed.
        step_seconds: seconds of audio between two steps.
        max_buffer_seconds: most audio received and not yet decoded.
        mute_seconds: speech decoded without any text after which that is reported.
        live: whether somebody is speaking; the steps of files wait for those of live streams.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        transcriber: Transcriber,
        scheduler: Scheduler,
        metrics: StreamMetrics,
        *,
        sample_rate: int,
        step_seconds: float,
        max_buffer_seconds: float,
        mute_seconds: float = 20.0,
        live: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._live = live
        self._clock = clock
        self._pace = Pace()
        self._step_seconds = step_seconds
        self._mute = MuteWatch(mute_seconds)
        self._metrics = metrics
        self._transcriber = transcriber
        self._scheduler = scheduler
        self._sample_rate = sample_rate
        self._max_buffer_seconds = max_buffer_seconds
        self._inbox = Inbox(sample_rate)
        self._taking = 0
        """Samples that have been taken out of the inbox and are not in the core yet."""
        self._progress = asyncio.Event()
        self._received = 0
        if live:
            scheduler.load.seen(transcriber.stream_id, clock())

    @property
    def received_seconds(self) -> float:
        """Seconds of audio fed so far."""
        return self._received / self._sample_rate

    @property
    def backlog_seconds(self) -> float:
        """Seconds of audio fed and not yet decoded or known to be silence."""
        return (self._inbox.waiting_samples + self._taking) / self._sample_rate + self._transcriber.lag

    def feed(self, samples: Samples) -> None:
        """Take the next audio: shape (samples,), float32, at the engine's rate.

        Raises:
            BufferOverflowError: the backlog would pass its limit; these samples were not taken.
        """
        if self.backlog_seconds + len(samples) / self._sample_rate > self._max_buffer_seconds:
            raise BufferOverflowError(
                f"Accumulated audio exceeded {self._max_buffer_seconds:g}s; "
                "client is sending faster than inference can keep up"
            )
        self.feed_anyway(samples)

    async def feed_in_time(self, samples: Samples) -> None:
        """Take the next audio of a source that can wait, when little enough waits; `run` must be at work.

        The limit of what clients may have waiting does not apply: it may be less than a step needs.
        """
        ahead = max(AHEAD_SECONDS, 2 * self._step_seconds)
        while self.backlog_seconds >= ahead:
            self._progress.clear()
            await self._progress.wait()
        self.feed_anyway(samples)

    def feed_anyway(self, samples: Samples) -> None:
        """Take audio as `feed` does, whatever waits: for what its caller bounds, or is the rest of what was taken."""
        self._received += len(samples)
        seconds = len(samples) / self._sample_rate
        self._pace.fed(seconds, self._clock())
        self._metrics.fed(seconds)
        self._inbox.put(samples)

    def end_turn(self) -> None:
        """End the turn at the audio fed so far.

        Raises:
            BufferOverflowError: too many marks wait.
        """
        self._mark(EndTurn(self._clock()))

    def clear(self, *, unheard: bool = True) -> None:
        """Drop the audio fed since the last turn's end.

        Args:
            unheard: whether what still waits is dropped without looking at it. Where turns are detected they may
                have ended in it, so it has to be heard first.

        Raises:
            BufferOverflowError: too many marks wait.
        """
        if unheard:
            self._inbox.drop_last_audio()
        self._mark(Clear())

    def configure(self, parameters: StreamParameters) -> None:
        """Transcribe what is fed from here on in another way.

        Raises:
            BufferOverflowError: too many configurations wait.
        """
        self._mark(Configure(parameters))

    def _mark(self, mark: Mark) -> None:
        most = MOST_CONFIGURATIONS if isinstance(mark, Configure) else MOST_MARKS
        if self._inbox.waiting_marks(type(mark)) >= most:
            raise BufferOverflowError(
                f"More than {most} events wait behind audio that is not transcribed; "
                "client is sending faster than inference can keep up"
            )
        self._inbox.put(mark)

    def finish(self) -> None:
        """End the stream: `run` returns once everything before this is done."""
        self._inbox.put(Finish())

    async def run(self) -> AsyncIterator[Event]:
        """Work until `finish`: yields the core's events in order. Closing the iterator stops the work."""
        try:
            while not isinstance(entry := await self._inbox.take(), Finish):
                for event in await self._take_in(entry):
                    yield event
                async for event in self._decode():
                    self._count(event)
                    yield event
                self._progress.set()
        finally:
            self._scheduler.leave(self._transcriber.stream_id)

    async def _take_in(self, entry: Samples | Mark) -> list[Event]:
        """Give an entry of the inbox to the core."""
        match entry:
            case EndTurn(asked=asked):
                self._metrics.end_asked(asked)
                self._transcriber.end_turn()
            case Clear():
                self._transcriber.clear()
            case Configure(parameters=parameters):
                return self._transcriber.reconfigure(parameters)
            case np.ndarray():
                self._taking = len(entry)
                await asyncio.to_thread(self._transcriber.push, entry)
                self._taking = 0
        return []

    async def _decode(self) -> AsyncIterator[Event]:
        """Make the steps that the audio pushed so far allows."""
        while True:
            step, events = self._transcriber.request(self._least_advance())
            for event in events:
                yield event
            if step is None:
                return
            for event in await self._answer(step):
                yield event

    @property
    def _is_paced(self) -> bool:
        """Whether somebody is waiting for the text of what is spoken now."""
        return self._live and not self._pace.is_fast(self._clock())

    @property
    def _is_awaited(self) -> bool:
        """Whether its next step should not wait for others: somebody speaks, or has ended a turn."""
        return self._is_paced or (self._live and self._transcriber.turns_pending > 0)

    @property
    def _lateness(self) -> float:
        """Seconds of audio that could be decoded by now had the machine kept up."""
        return max(0.0, self.backlog_seconds - self._pace.ahead(self._clock()))

    def _least_advance(self) -> int:
        """Samples that the next step has to cover at least: under load, live streams make fewer steps."""
        skipped = self._transcriber.steps_skipped
        self._metrics.skipped(skipped)
        if not self._is_paced:
            return 0
        interval = self._scheduler.load.interval(self._clock())
        return round(least_advance(self._step_seconds, interval, self._lateness) * self._sample_rate)

    def _count(self, event: Event) -> None:
        now = self._clock()
        lag = self._lateness
        self._metrics.take(event, lag=lag, received=self._transcriber.received / self._sample_rate, now=now)
        if isinstance(event, TurnEnded) and event.transcript:
            transcripts.info("%s", event.transcript)
        if isinstance(event, Settled):
            self._mute.text()
            if self._is_paced:
                self._scheduler.load.settled(lag, now)

    async def _answer(self, step: Step) -> list[Event]:
        if self._mute.speech(step.advance):
            self._metrics.mute()
            logger.warning("%.0f s of speech gave no text", self._mute.seconds)
        try:
            with span("step", final=step.final, advance_seconds=step.advance, lag_seconds=step.lag):
                hypothesis = await self._decoded(step)
        except EngineError as error:
            return self._transcriber.reject(error)
        return self._transcriber.accept(hypothesis)

    async def _decoded(self, step: Step) -> Hypothesis:
        if not self._is_paced:
            return await self._scheduler.decode(step, live=self._is_awaited)
        load, stream = self._scheduler.load, self._transcriber.stream_id
        load.asked(stream)
        try:
            return await self._scheduler.decode(step)
        finally:
            load.seen(stream, self._clock())
