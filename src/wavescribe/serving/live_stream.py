"""A live stream: the Transcriber with an inbox, its voice activity detection and its steps off the event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

import numpy as np

from wavescribe.engines.base import Samples
from wavescribe.errors import EngineError, WavescribeError
from wavescribe.serving.metrics import Metrics
from wavescribe.serving.scheduler import Scheduler
from wavescribe.streaming.events import Event, Settled, TurnFailed
from wavescribe.streaming.transcriber import Step, Transcriber

BLOCK_SECONDS = 1.0
"""Audio is handed to the core in blocks of at most this length, so that text comes while a backlog is worked off."""


class BufferOverflowError(WavescribeError):
    """More audio was received and not yet decoded than the limit allows."""


class _EndTurn:
    """Marks a turn's end in the inbox."""


class _Finish:
    """Marks the end of the stream in the inbox."""


class LiveStream:
    """One client's stream.

    `feed`, `end_turn` and `finish` return at once and never wait for inference; `run` does the work.

    Args:
        transcriber: the stream's core.
        scheduler: where its steps run.
        metrics: where audio, words and lag are counted.
        sample_rate: samples per second of what is fed.
        max_buffer_seconds: most audio received and not yet decoded.
        live: whether somebody is speaking; the steps of files wait for those of live streams.
    """

    def __init__(
        self,
        transcriber: Transcriber,
        scheduler: Scheduler,
        metrics: Metrics,
        *,
        sample_rate: int,
        max_buffer_seconds: float,
        live: bool = True,
    ) -> None:
        self._live = live
        self._metrics = metrics
        self._transcriber = transcriber
        self._scheduler = scheduler
        self._sample_rate = sample_rate
        self._max_buffer_seconds = max_buffer_seconds
        self._inbox: deque[Samples | _EndTurn | _Finish] = deque()
        self._waiting_samples = 0
        self._arrived = asyncio.Event()
        self._progress = asyncio.Event()
        self._received = 0

    @property
    def received_seconds(self) -> float:
        """Seconds of audio fed so far."""
        return self._received / self._sample_rate

    @property
    def backlog_seconds(self) -> float:
        """Seconds of audio fed and not yet decoded or known to be silence."""
        return self._waiting_samples / self._sample_rate + self._transcriber.lag

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
        self._received += len(samples)
        self._metrics.audio_seconds.inc(len(samples) / self._sample_rate)
        self._waiting_samples += len(samples)
        self._put(samples)

    async def until_backlog_below(self, seconds: float) -> None:
        """Wait until less than that many seconds of audio are waiting; `run` must be at work."""
        while self.backlog_seconds >= seconds:
            self._progress.clear()
            await self._progress.wait()

    def end_turn(self) -> None:
        """End the turn at the audio fed so far."""
        self._put(_EndTurn())

    def finish(self) -> None:
        """End the stream: `run` returns once everything before this is done."""
        self._put(_Finish())

    async def run(self) -> AsyncIterator[Event]:
        """Work until `finish`: yields the core's events in order. Closing the iterator stops the work."""
        while True:
            item = await self._take()
            if isinstance(item, _Finish):
                return
            if isinstance(item, _EndTurn):
                self._transcriber.end_turn()
            else:
                await asyncio.to_thread(self._transcriber.push, item)
                self._waiting_samples -= len(item)
            async for event in self._decode():
                self._count(event)
                yield event
            self._progress.set()

    async def _decode(self) -> AsyncIterator[Event]:
        """Make the steps that the audio pushed so far allows."""
        while True:
            step, events = self._transcriber.request()
            for event in events:
                yield event
            if step is None:
                return
            for event in await self._answer(step):
                yield event

    def _count(self, event: Event) -> None:
        if isinstance(event, Settled):
            self._metrics.words.inc(len(event.words))
            if self._live:
                self._metrics.lag_seconds.observe(self.backlog_seconds)
        elif isinstance(event, TurnFailed):
            self._metrics.turns_failed.inc()

    async def _answer(self, step: Step) -> list[Event]:
        try:
            hypothesis = await self._scheduler.decode(step, live=self._live)
        except EngineError as error:
            return self._transcriber.reject(error)
        return self._transcriber.accept(hypothesis)

    def _put(self, item: Samples | _EndTurn | _Finish) -> None:
        self._inbox.append(item)
        self._arrived.set()

    async def _take(self) -> Samples | _EndTurn | _Finish:
        """The next item; waiting audio is taken in blocks, however it was packed."""
        while not self._inbox:
            self._arrived.clear()
            await self._arrived.wait()
        item = self._inbox.popleft()
        if isinstance(item, (_EndTurn, _Finish)):
            return item
        return self._block(item)

    def _block(self, first: Samples) -> Samples:
        size = int(BLOCK_SECONDS * self._sample_rate)
        parts, length = [first], len(first)
        while self._inbox and length < size and not isinstance(self._inbox[0], (_EndTurn, _Finish)):
            part = self._inbox.popleft()
            assert not isinstance(part, (_EndTurn, _Finish))
            parts.append(part)
            length += len(part)
        joined = np.concatenate(parts)
        if length > size:
            self._inbox.appendleft(joined[size:])
        return joined[:size]
