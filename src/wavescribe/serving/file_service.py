"""Whole files: admission, decoding and transcription off the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from itertools import chain
from typing import BinaryIO

from wavescribe.audio.decoding import iterate_audio, too_short
from wavescribe.engines.base import Engine, EngineInfo, FileOptions, Samples
from wavescribe.errors import AudioTooLongError, DrainingError, OverloadedError, WavescribeError
from wavescribe.serving.file_parts import PartwiseTranscription, file_parts
from wavescribe.serving.file_result import FileResult
from wavescribe.serving.file_stream import FileStream
from wavescribe.serving.live_service import LiveService, StreamOptions
from wavescribe.serving.metrics import Metrics
from wavescribe.settings import Settings
from wavescribe.streaming.events import Event

MINIMUM_SECONDS = 0.1
"""Shortest audio that is transcribed, as in the OpenAI API."""

RETRY_SECONDS = 5
"""What a refused client is told to wait."""


class FileService:
    """Transcribes files, at most `max_file_jobs` at once and `workers` of them on the engine.

    Args:
        engine: the engine.
        settings: the server's settings.
        metrics: where files are counted.
        live: opens the streams that files are streamed through.
    """

    def __init__(self, engine: Engine, settings: Settings, metrics: Metrics, live: LiveService) -> None:
        self._engine = engine
        self._live = live
        self._settings = settings
        self._metrics = metrics
        self._jobs = 0
        self._idle = asyncio.Event()
        self._draining = False
        self._workers = asyncio.Semaphore(settings.workers)

    @property
    def info(self) -> EngineInfo:
        """What the engine can do."""
        return self._engine.info

    async def transcribe(self, source: BinaryIO, options: FileOptions) -> FileResult:
        """Decode a file and transcribe it; cancelling stops the work at the next segment.

        Args:
            source: the file's bytes, seekable; it must stay open until this returns.
            options: how.

        Raises:
            OverloadedError: too many files are under way, or the server is about to stop.
            InvalidRequestError: the file is not audio, too short or too long, or the engine cannot do what is asked.
            EngineError: the model failed.
        """
        with self._admitted(), self._counting():
            return await self._work(source, options)

    async def drain(self) -> None:
        """Take no more files; returns when those that were begun are through."""
        self._draining = True
        while self._jobs:
            self._idle.clear()
            await self._idle.wait()

    def count_too_large(self) -> None:
        """An upload had more bytes than the limit."""
        self._metrics.refused_files.labels("bytes").inc()

    @asynccontextmanager
    async def streaming(self, source: BinaryIO, options: StreamOptions) -> AsyncIterator[AsyncIterator[Event]]:
        """Transcribe a file through the streaming core; leaving the context stops the work.

        Args:
            source: the file's bytes, seekable; it must stay open until the context ends.
            options: how.

        Raises:
            OverloadedError: too many files are under way, or the server is about to stop.
            InvalidRequestError: the file is not audio or too short, or the engine cannot do what is asked. One that
                turns out to be too long or damaged later raises it from the events.
        """
        with self._admitted():
            stream = self._live.open_file(options)
            blocks = iterate_audio(
                source, sample_rate=self._engine.info.sample_rate, max_seconds=self._settings.max_audio_seconds
            )
            with self._counting(successes=False):
                first = await asyncio.to_thread(self._first_blocks, blocks)
            async with aclosing(self._counted(FileStream(stream, chain(first, blocks)).run())) as events:
                yield events

    def _first_blocks(self, blocks: Iterator[Samples]) -> list[Samples]:
        """Blocks of at least the shortest audio that is transcribed."""
        first: list[Samples] = []
        needed = MINIMUM_SECONDS * self._engine.info.sample_rate
        for block in blocks:
            first.append(block)
            needed -= len(block)
            if needed <= 0:
                return first
        raise too_short(MINIMUM_SECONDS)

    @contextmanager
    def _admitted(self) -> Iterator[None]:
        if self._draining:
            raise DrainingError("The server is about to stop; send the file again.")
        if self._jobs >= self._settings.max_file_jobs:
            self._metrics.files.labels("refused").inc()
            self._metrics.refused_files.labels("jobs").inc()
            raise OverloadedError(
                f"{self._jobs} files are being transcribed, the most this server takes at once; try again later",
                retry_after=RETRY_SECONDS,
            )
        self._jobs += 1
        try:
            yield
        finally:
            self._jobs -= 1
            if not self._jobs:
                self._idle.set()

    @contextmanager
    def _counting(self, *, successes: bool = True) -> Iterator[None]:
        """Count how a file's work ends; a client that leaves counts as neither success nor failure."""
        try:
            yield
        except WavescribeError as error:
            self._metrics.files.labels("failed").inc()
            if isinstance(error, AudioTooLongError):
                self._metrics.refused_files.labels("duration").inc()
            raise
        if successes:
            self._metrics.files.labels("completed").inc()

    async def _counted(self, events: AsyncGenerator[Event]) -> AsyncGenerator[Event]:
        async with aclosing(events):
            with self._counting():
                async for event in events:
                    yield event

    async def _work(self, source: BinaryIO, options: FileOptions) -> FileResult:
        left = threading.Event()
        async with self._workers:
            running = asyncio.ensure_future(asyncio.to_thread(self._run, source, options, left))
            try:
                return await asyncio.shield(running)
            except asyncio.CancelledError:
                # The file must stay open, and the worker taken, until the thread has let go of both.
                left.set()
                await asyncio.wait({running})
                raise

    def _run(self, source: BinaryIO, options: FileOptions, left: threading.Event) -> FileResult:
        parts = file_parts(
            source,
            sample_rate=self._engine.info.sample_rate,
            max_seconds=self._settings.max_audio_seconds,
            min_seconds=MINIMUM_SECONDS,
        )
        return PartwiseTranscription(self._engine, options, lambda _: not left.is_set()).run(parts)
