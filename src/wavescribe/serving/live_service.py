"""Live streams of one server: admission, creation and the scheduler's life."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass

from wavescribe.engines.base import Engine
from wavescribe.errors import InvalidRequestError, OverloadedError
from wavescribe.serving.live_stream import LiveStream
from wavescribe.serving.metrics import Metrics
from wavescribe.serving.scheduler import Scheduler
from wavescribe.settings import Settings
from wavescribe.streaming.delay import SETTLING_RULES, Delay
from wavescribe.streaming.parameters import StrategyName, StreamParameters
from wavescribe.streaming.transcriber import Transcriber
from wavescribe.vad.endpointer import TurnDetection
from wavescribe.vad.silero import SileroDetector


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

    def __init__(self, engine: Engine, settings: Settings, metrics: Metrics) -> None:
        self._engine = engine
        self._settings = settings
        self._metrics = metrics
        self._scheduler = Scheduler(engine, settings.workers, metrics)
        self._active = 0

    @property
    def active(self) -> int:
        """Streams that are open."""
        return self._active

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

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the scheduler while the context is open; its failure ends the context with its exception."""
        task = asyncio.create_task(self._scheduler.run(), name="scheduler")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    @contextmanager
    def open(self, options: StreamOptions = StreamOptions()) -> Iterator[LiveStream]:
        """Open a stream; it is closed, and its place free again, when the context ends.

        Args:
            options: what the client wants of it.

        Raises:
            OverloadedError: as many streams are open as the server takes.
            InvalidRequestError: the engine does not know the language.
        """
        self._check_language(options.language)
        with self.place():
            yield self._stream(options, live=True)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold one of the server's places for live streams.

        Raises:
            OverloadedError: as many streams are open as the server takes.
        """
        if self._active >= self._settings.max_sessions:
            self._metrics.refused_streams.inc()
            raise OverloadedError(f"Maximum concurrent sessions reached ({self._settings.max_sessions}).")
        self._active += 1
        self._metrics.active_streams.inc()
        try:
            yield
        finally:
            self._active -= 1
            self._metrics.active_streams.dec()

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
        rule = SETTLING_RULES[options.delay or self._settings.delay]
        return StreamParameters(
            strategy=options.strategy or self._settings.strategy,
            sample_rate=self.sample_rate,
            turn_detection=options.turn_detection,
            maximum_turn_seconds=self._settings.max_turn_seconds if options.turn_detection else None,
            step_seconds=self._settings.step_seconds,
            window_seconds=self._settings.window_seconds,
            agreements=rule.agreements,
            hold_seconds=rule.hold_seconds,
            sure_seconds=rule.sure_seconds,
            confident_seconds=rule.confident_seconds,
            language=options.language,
            prompt=options.prompt,
            keywords=options.keywords,
        )

    def _stream(self, options: StreamOptions, *, live: bool) -> LiveStream:
        return LiveStream(
            Transcriber(f"stream_{secrets.token_hex(8)}", self.parameters(options), SileroDetector()),
            self._scheduler,
            self._metrics,
            sample_rate=self.sample_rate,
            max_buffer_seconds=self._settings.max_buffer_seconds,
            live=live,
        )
