"""One realtime session: a dialect, a live stream and an outbox. It may outlive its connection."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Literal, Protocol

from wavescribe.api.realtime.actions import (
    Action,
    ClearAudio,
    CommitTurn,
    ConfigureStream,
    EndSession,
    FeedAudio,
)
from wavescribe.api.realtime.audio_input import AudioInput
from wavescribe.api.realtime.client_events import ClientEvent, parse_client_event
from wavescribe.api.realtime.outbox import Outbox, OutboxOverflowError
from wavescribe.api.realtime.server_events import Frame, error_frame
from wavescribe.api.realtime.session_configuration import AudioFormat
from wavescribe.serving.live_service import LiveService, StreamOptions
from wavescribe.serving.live_stream import BufferOverflowError
from wavescribe.serving.logs import log_context
from wavescribe.serving.tracing import span
from wavescribe.streaming.events import Event

logger = logging.getLogger(__name__)

TOO_BIG, INTERNAL_ERROR = 1009, 1011

LARGE_FRAME = 64 * 1024
"""Longer frames are parsed in a thread: base64 and resampling of megabytes take longer than other streams may wait."""


class Dialect(Protocol):
    """What a session needs of a wire protocol."""

    @property
    def session_id(self) -> str:
        """The session's id."""

    @property
    def client_events(self) -> Sequence[str]:
        """Types of a client's events that are served."""

    @property
    def audio_format(self) -> AudioFormat:
        """How audio arrives."""

    @property
    def options(self) -> StreamOptions:
        """The stream that the configuration asks for."""

    @property
    def received_seconds(self) -> float:
        """Seconds of audio received."""

    def opened(self) -> list[Frame]:
        """The first frames."""

    def apply(self, event: ClientEvent) -> Sequence[Frame | Action]:
        """Frames and actions, in order, for a client's event."""

    def render(self, event: Event) -> list[Frame]:
        """The frames of an event of the core."""

    def finished(self) -> list[Frame]:
        """The last frames, after everything that was committed."""

    def given_up(self) -> list[Frame]:
        """The failures of all turns that were committed and are not through."""


class RealtimeSession:
    """A session at work.

    Args:
        dialect: its translator.
        service: its stream's.
    """

    def __init__(self, dialect: Dialect, service: LiveService) -> None:
        self._dialect = dialect
        self._service = service
        self._stream = service.stream(dialect.options)
        self._audio = AudioInput(service.sample_rate)
        self.outbox = Outbox()
        self._end = EndSession()
        self._finishing = False
        self._taking: asyncio.Task[None] | None = None
        """The taking of the last large frame."""

    @property
    def session_id(self) -> str:
        """The session's id."""
        return self._dialect.session_id

    @property
    def received_seconds(self) -> float:
        """Seconds of audio received."""
        return self._dialect.received_seconds

    @property
    def ending(self) -> EndSession:
        """How the connection is to be closed once `run` is through."""
        return self._end

    def open(self) -> None:
        """Greet the client."""
        self._send(self._dialect.opened())

    async def run(self) -> None:
        """Work on the stream until the session ends; its failure is the session's, and reported in its place."""
        log_context.set({**log_context.get(), "session_id": self.session_id})
        try:
            with span("session", session_id=self.session_id):
                await self._run()
        finally:
            why = self._end.reason or ("finished" if self._finishing else "the client left")
            logger.info("session over after %.1f s of audio: %s", self.received_seconds, why)

    async def _run(self) -> None:
        try:
            async for event in self._stream.run():
                self._send(self._dialect.render(event))
            self._send(self._dialect.finished())
        except OutboxOverflowError as error:
            self._cut_unread(error)
            self._finishing = True
        except Exception:  # whatever it is, this client hears of it and no other session does
            logger.exception("session failed")
            self.fail("Internal server error", INTERNAL_ERROR)

    async def receive(self, frame: str | bytes) -> None:
        """Take a client's frame; when this is cancelled, the frame is taken whole or not at all."""
        await self._last_taken()
        audio_format, served = self._dialect.audio_format, self._dialect.client_events
        if len(frame) <= LARGE_FRAME:
            if not self._finishing:
                await self._act(parse_client_event(frame, audio_format, served))
            return
        event = await asyncio.to_thread(parse_client_event, frame, audio_format, served)
        if not self._finishing:
            self._taking = asyncio.create_task(self._act(event), name=f"frame of {self.session_id}")
            await self._last_taken()

    async def close(self) -> None:
        """Wait for a frame that is still being taken; its failure is raised."""
        await self._last_taken()

    def count_too_big(self) -> None:
        """The client sent a message over the limit, which closed its connection."""
        self._service.count_cut("message")

    def count_unread(self) -> None:
        """The client did not take an event in time, which closes its connection."""
        self._service.count_cut("unread")

    def finish(self, end: EndSession) -> None:
        """No more is taken: what was committed is finished, then `run` returns."""
        if self._finishing:
            return
        self._finishing = True
        self._end = end
        if self._taking is None:
            self._stream.finish()
        else:  # what a large frame has committed already is not behind the end
            self._taking.add_done_callback(lambda _: self._stream.finish())

    def fail(self, message: str, close_code: int, *, code: str = "internal_error") -> None:
        """Tell the client that the session cannot go on; what was committed and is not through has failed."""
        self._service.count_failed()
        self._tell_given_up()
        self._tell(error_frame(message, kind="server_error", code=code))
        self._finishing = True
        self._end = EndSession(close_code, code)

    def give_up(self, end: EndSession) -> None:
        """No more is taken and nothing is finished: what was committed and is not through has failed.

        The caller stops `run`.
        """
        self._tell_given_up()
        self._finishing = True
        self._end = end

    def expire(self, limit: Literal["session_length", "idle"], message: str, close_code: int) -> None:
        """End the session because its time is over, or nothing came for too long; one that ends already goes on to."""
        if self._finishing:
            return
        self._service.count_cut(limit)
        self._tell(error_frame(message, code="session_expired"))
        self.finish(EndSession(close_code, message))

    def _cut_unread(self, error: OutboxOverflowError) -> None:
        """The client does not read; reading and writing may both notice, and it is one cut."""
        if self._end.code != TOO_BIG:
            self._service.count_cut("unread")
        end = EndSession(TOO_BIG, str(error))
        self.finish(end)
        self._end = end  # also of a session that was being finished

    def send_first(self, frame: Frame) -> None:
        """Send a frame before those that wait."""
        self.outbox.send_first(frame)

    def _tell_given_up(self) -> None:
        for failure in self._dialect.given_up():
            self._tell(failure)

    def _tell(self, frame: Frame) -> None:
        """Send the reason of an end; a client that reads nothing is not told."""
        try:
            self.outbox.put(frame)
        except OutboxOverflowError:
            logger.info("client reads nothing")

    async def _last_taken(self) -> None:
        """Wait for the last large frame, which goes on when its `receive` is cancelled; its failure is raised."""
        if (taking := self._taking) is not None:
            await asyncio.wait({taking})
            self._taking = None
            taking.result()

    def _send(self, frames: Sequence[Frame]) -> None:
        for frame in frames:
            self.outbox.put(frame)

    async def _act(self, event: ClientEvent) -> None:
        try:
            for step in self._dialect.apply(event):
                if isinstance(step, Frame):
                    self.outbox.put(step)
                else:
                    await self._take(step)
        except BufferOverflowError as error:
            self._service.count_cut("backlog")
            self._tell(error_frame(str(error), code="input_audio_buffer_overflow", event_id=event.event_id))
            self.finish(EndSession(TOO_BIG, "input_audio_buffer_overflow"))
        except OutboxOverflowError as error:
            self._cut_unread(error)

    async def _take(self, action: Action) -> None:
        match action:
            case FeedAudio(samples=samples, rate=rate):
                large = len(samples) > LARGE_FRAME
                push = self._audio.push
                for part in await asyncio.to_thread(push, samples, rate) if large else push(samples, rate):
                    self._stream.feed(part)
            case CommitTurn():
                if len(rest := self._audio.end_turn()):
                    self._stream.feed_anyway(rest)
                self._stream.end_turn()
            case ClearAudio():
                self._audio.end_turn()
                self._stream.clear(unheard=self._dialect.options.turn_detection is None)
            case ConfigureStream(options=options):
                self._stream.configure(self._service.parameters(options))
            case EndSession():
                self.finish(action)
