"""Live streams of one server: admission, creation and the scheduler's life."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass

from wavescribe.engines.base import Engine
from wavescribe.errors import InvalidRequestError, OverloadedError
from wavescribe.serving.admission import RETRY_SECONDS, Admission
from wavescribe.serving.live_stream import LiveStream
from wavescribe.serving.load import Load
from wavescribe.serving.metrics import Metrics
from wavescribe.serving.scheduler import Scheduler
from wavescribe.serving.stream_metrics import StreamMetrics
from wavescribe.settings import Settings
from wavescribe.streaming.delay import SETTLING_RULES, Delay
from wavescribe.streaming.fitting import fitted
from wavescribe.streaming.parameters import StrategyName, StreamParameters
from wavescribe.streaming.transcriber import Transcriber
from wavescribe.vad.endpointer import TurnDetection
from wavescribe.vad.silero import SileroDetector

logger = logging.getLogger(__name__)

STARTING_SECONDS = 20.0
"""How long a client waits for the first decode of a server that has just been started."""


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """What a client wants of a stream.

    Attributes:
        language: ISO 639-1 code, or None to detect it.
        prompt: text in the style wanted, or that came before.
        keywords: words that are likely to occur.
        strategy: how it is transcribed, or None for the server's choice.
        delay: how long its text is held back, or None for the server's choice.
        turn_detection: how silence ends turns, or None when only the client ends them.
    """

    language: str | None = None
    prompt: str = ""
    keywords: tuple[str, ...] = ()
    strategy: StrategyName | None = None
    delay: Delay | None = None
    turn_detection: TurnDetection | None = None


class LiveService:
    """Opens live streams on one engine.

    Args:
        engine: the engine.
        settings: the server's settings.
        metrics: where streams are counted.
    """

    def __init__(
        self, engine: Engine, settings: Settings, metrics: Metrics, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._running: asyncio.Task[None] | None = None
        self._engine = engine
        self._settings = settings
        self._metrics = metrics
        self._clock = clock
        self._expecting = asyncio.Event()
        batch = settings.max_batch if engine.info.batches else 1
        load = Load(
            settings.workers * batch,
            threads=settings.workers * settings.threads_per_worker,
            processors=os.cpu_count(),
        )
        self.scheduler = Scheduler(engine, settings.workers, metrics, batch, load=load)
        self._admission = Admission(
            most=settings.max_sessions,
            most_of_a_key=settings.max_sessions_per_key,
            most_lag=settings.max_lag_seconds,
            least_interval=settings.step_seconds,
            load=self.scheduler.load,
            metrics=metrics,
            clock=clock,
            most_in_memory=engine.info.most_streams,
        )
        metrics.watch("queued_steps", "Steps that wait for a worker", lambda: self.scheduler.queued)
        metrics.watch("speaking_streams", "Live streams that speak", lambda: self.scheduler.load.speaking(clock()))

    @property
    def active(self) -> int:
        """Streams that are open."""
        return self._admission.taken

    @property
    def can_stream(self) -> bool:
        """Whether the engine can continue settled text, which live streams need."""
        return self._engine.info.takes_prefix

    @property
    def languages(self) -> tuple[str, ...]:
        """ISO 639-1 codes that streams can have."""
        return self._engine.info.languages

    @property
    def sample_rate(self) -> int:
        """Samples per second that streams are fed at."""
        return self._engine.info.sample_rate

    @property
    def is_running(self) -> bool:
        """Whether steps are made; a scheduler that has failed leaves every stream waiting."""
        return self._running is not None and not self._running.done()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the scheduler while the context is open; a failure of it is logged at once, and raised at the end."""
        self._running = task = asyncio.create_task(self.scheduler.run(), name="scheduler")
        task.add_done_callback(_log_failure)
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    @contextmanager
    def open(self, options: StreamOptions = StreamOptions(), owner: str = "") -> Iterator[LiveStream]:
        """Open a stream; it is closed, and its place free again, when the context ends.

        Args:
            options: what the client wants of it.
            owner: whose it is; "" for nobody known.

        Raises:
            OverloadedError: the server or its machine is full, or the owner has all that one may have.
            InvalidRequestError: the engine does not know the language.
        """
        self._check_language(options.language)
        with self.place(owner):
            yield self._stream(options, live=True)

    def expect(self, step_seconds: float) -> None:
        """What a step will probably take; from now on it is known how many streams the machine can bear."""
        self.scheduler.load.expect(step_seconds)
        self._expecting.set()

    async def until_expecting(self) -> None:
        """Wait for the first decode, without which everybody would be let in.

        Raises:
            OverloadedError: it does not come.
        """
        try:
            async with asyncio.timeout(STARTING_SECONDS):
                await self._expecting.wait()
        except TimeoutError:
            self._metrics.refused_streams.labels("starting").inc()
            raise OverloadedError("The server is still starting. Try again later.", retry_after=RETRY_SECONDS) from None

    def count_cut(self, limit: str) -> None:
        """A stream was ended by a limit: backlog, session_length, idle, unread or message."""
        self._metrics.cut_streams.labels(limit).inc()

    def count_resumed(self) -> None:
        """A session was taken up by a client that came back."""
        self._metrics.resumed_streams.inc()

    def count_failed(self) -> None:
        """A stream was ended by a fault of the server."""
        self._metrics.failed_streams.inc()

    def place(self, owner: str = "", *, is_last_try: bool = True) -> AbstractContextManager[None]:
        """Hold one of the server's places for live streams; see Admission.place."""
        return self._admission.place(owner, is_last_try=is_last_try)

    def stream(self, options: StreamOptions) -> LiveStream:
        """A live stream for somebody who holds a place.

        Raises:
            InvalidRequestError: the engine does not know the language.
        """
        self._check_language(options.language)
        return self._stream(options, live=True)

    def _check_language(self, language: str | None) -> None:
        if language is not None and language not in self._engine.info.languages:
            known = ", ".join(self._engine.info.languages)
            raise InvalidRequestError(
                f"Unknown language {language!r}; this model knows: {known}", code="invalid_value", param="language"
            )

    def open_file(self, options: StreamOptions) -> LiveStream:
        """A stream for a file: it has no place among the live ones, and its steps yield to theirs.

        Raises:
            InvalidRequestError: the engine does not know the language.
        """
        self._check_language(options.language)
        return self._stream(options, live=False)

    def parameters(self, options: StreamOptions) -> StreamParameters:
        """The parameters of a stream with these options on this server."""
        asked = StreamParameters(
            strategy=options.strategy or self._settings.strategy,
            sample_rate=self.sample_rate,
            turn_detection=options.turn_detection,
            maximum_turn_seconds=self._settings.max_turn_seconds if options.turn_detection else None,
            step_seconds=self._settings.step_seconds,
            window_seconds=self._settings.window_seconds,
            language=options.language,
            prompt=options.prompt,
            keywords=options.keywords,
            **asdict(SETTLING_RULES[options.delay or self._settings.delay]),
        )
        return fitted(asked, self._engine.info)

    def _stream(self, options: StreamOptions, *, live: bool) -> LiveStream:
        return LiveStream(
            Transcriber(f"stream_{secrets.token_hex(8)}", self.parameters(options), SileroDetector()),
            self.scheduler,
            StreamMetrics(self._metrics, live=live, sample_rate=self.sample_rate),
            sample_rate=self.sample_rate,
            step_seconds=self._settings.step_seconds,
            max_buffer_seconds=self._settings.max_buffer_seconds,
            mute_seconds=self._settings.mute_seconds,
            live=live,
            clock=self._clock,
        )


def _log_failure(scheduler: asyncio.Task[None]) -> None:
    if not scheduler.cancelled() and (error := scheduler.exception()) is not None:
        logger.critical("the scheduler has failed, and no stream goes on", exc_info=error)
