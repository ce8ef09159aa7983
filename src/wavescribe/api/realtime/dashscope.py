"""The dialect of `WS /api-ws/v1/realtime`: Qwen-ASR-Realtime, as DashScope's clients speak it; pure."""

from __future__ import annotations

from collections import deque

from wavescribe.api.realtime.actions import Action, ClearAudio, CommitTurn, ConfigureStream, EndSession, FeedAudio
from wavescribe.api.realtime.client_events import ClientEvent
from wavescribe.api.realtime.dashscope_events import DashscopeTexts
from wavescribe.api.realtime.dashscope_last_turn import LastTurn
from wavescribe.api.realtime.dashscope_session import dashscope_updated, render_dashscope_session
from wavescribe.api.realtime.dialect import MINIMUM_COMMIT_SECONDS, Engine
from wavescribe.api.realtime.items import Items
from wavescribe.api.realtime.server_events import Frame, error_frame, frame
from wavescribe.api.realtime.session_configuration import AudioFormat, SessionConfiguration
from wavescribe.api.realtime.turn_numbers import TurnNumbers
from wavescribe.errors import InvalidRequestError
from wavescribe.serving.live_service import StreamOptions
from wavescribe.streaming.events import (
    Event,
    Reconfigured,
    SpeechStarted,
    SpeechStopped,
    TurnCleared,
    TurnCommitted,
)

CLIENT_EVENTS = (
    "session.update",
    "input_audio_buffer.append",
    "input_audio_buffer.commit",
    "input_audio_buffer.clear",
    "session.finish",
)
"""Types that are served."""


class DashscopeDialect:
    """One session's translator.

    Args:
        session_id: "sess_...".
        configuration: what the session starts with.
        engine: facts of the engine.
    """

    client_events = CLIENT_EVENTS

    def __init__(self, session_id: str, configuration: SessionConfiguration, engine: Engine) -> None:
        self._session_id = session_id
        self._configuration = configuration
        self._engine = engine
        self._items = Items()
        self._texts = DashscopeTexts(self._items)
        self._last_turn = LastTurn()
        self._turns = TurnNumbers(detecting=self._detects)
        self._announced: set[int] = set()
        """Turns whose end the client was told of before the core came to it."""
        self._clears: deque[float] = deque()
        """Seconds of audio before each clear that the core has not come to."""
        self._offset = 0.0
        """Seconds of audio that were cleared before the core took them in: they have no positions there."""
        self._received = 0.0
        """Seconds of audio received."""
        self._ended_at = 0.0
        """Seconds of audio up to the last known end of a turn."""

    @property
    def session_id(self) -> str:
        """The session's id."""
        return self._session_id

    @property
    def audio_format(self) -> AudioFormat:
        """How audio arrives."""
        return self._configuration.format

    @property
    def received_seconds(self) -> float:
        """Seconds of audio received."""
        return self._received

    @property
    def options(self) -> StreamOptions:
        """The configuration as the stream takes it."""
        transcription = self._configuration.transcription
        detection = self._configuration.core_turn_detection()
        if transcription is None:
            return StreamOptions(turn_detection=detection)
        return StreamOptions(
            language=transcription.language_code,
            prompt=transcription.prompt,
            keywords=transcription.keywords or (),
            strategy=transcription.strategy,
            delay=transcription.delay,
            turn_detection=detection,
        )

    def opened(self) -> list[Frame]:
        """The first frame of a connection."""
        return [self._session_frame("created")]

    def apply(self, event: ClientEvent) -> list[Frame | Action]:
        """Frames to send and actions to take, in order, for a client's event."""
        try:
            if event.error is not None:
                raise event.error
            return self._apply(event)
        except InvalidRequestError as error:
            return [error_frame(str(error), code=error.code, param=error.param, event_id=event.event_id)]

    def render(self, event: Event) -> list[Frame]:
        """The frames of an event of the core."""
        return self._last_turn.pass_on(event, self._render(event))

    def finished(self) -> list[Frame]:
        """The last frame, after everything that was committed."""
        return [frame("session.finished")]

    def given_up(self) -> list[Frame]:
        """The failures of all turns that were committed and are not through."""
        return self._last_turn.give_up(self._texts.give_up())

    def _apply(self, event: ClientEvent) -> list[Frame | Action]:
        match event.type:
            case "input_audio_buffer.append":
                return self._append(event)
            case "input_audio_buffer.commit":
                return self._commit()
            case "input_audio_buffer.clear":
                return self._clear()
            case "session.finish":
                return self._finish()
            case _:
                return self._update(event)

    def _render(self, event: Event) -> list[Frame]:
        match event:
            case SpeechStarted(turn=turn, position=position):
                return [self._speech("started", turn, audio_start_ms=self._milliseconds(position))]
            case SpeechStopped(turn=turn, position=position):
                # A commit that the client was told of came first.
                stopped = self._milliseconds(position)
                return [] if turn in self._announced else [self._speech("stopped", turn, audio_end_ms=stopped)]
            case TurnCommitted(turn=turn, end=end):
                return [] if self._ended(turn) else self._core_committed(turn, self._seconds(end))
            case TurnCleared(turn=turn, position=position):
                self._core_cleared(turn, position)
                return [] if self._ended(turn) else [frame("input_audio_buffer.cleared")]
            case Reconfigured(turn=turn):
                self._turns.changed(turn)
                return []
            case _:
                return self._texts.render(event, self.options.language)

    @property
    def _detects(self) -> bool:
        """Whether the session is in VAD mode."""
        return self._configuration.turn_detection is not None

    def _update(self, event: ClientEvent) -> list[Frame | Action]:
        before, detecting = self.options, self._detects
        self._configuration = dashscope_updated(
            self._configuration,
            event.fields.get("session"),
            check_model=self._engine.check_model,
            languages=self._engine.languages,
        )
        answer = self._session_frame("updated")
        if self.options == before:
            return [answer]
        if self._detects != detecting:
            self._turns.change(detecting=self._detects)
        self._turns.changing()
        return [answer, ConfigureStream(self.options)]

    def _append(self, event: ClientEvent) -> list[Frame | Action]:
        rate = self._configuration.format.rate
        self._received += len(event.samples) / rate
        return [FeedAudio(event.samples, rate)] if len(event.samples) else []

    def _commit(self) -> list[Frame | Action]:
        if self._detects:
            raise InvalidRequestError(
                "'input_audio_buffer.commit' is disabled in VAD mode, where the server commits: set "
                "'session.turn_detection' to null to commit yourself.",
                code="invalid_state",
                param="type",
            )
        if self._uncommitted_seconds < MINIMUM_COMMIT_SECONDS:
            raise InvalidRequestError(
                "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but buffer "
                f"only has {1000 * self._uncommitted_seconds:.2f}ms of audio.",
                code="input_audio_buffer_commit_empty",
            )
        turn = self._end_turn()
        return [CommitTurn()] if turn is None else [*self._committed(turn), CommitTurn()]

    def _clear(self) -> list[Frame | Action]:
        self._clears.append(self._received)
        turn = self._end_turn()
        if turn is None:
            return [ClearAudio()]
        self._texts.silence(turn)
        return [frame("input_audio_buffer.cleared"), ClearAudio()]

    def _finish(self) -> list[Frame | Action]:
        """The session ends; what is not committed yet is, and only its speech is spoken of."""
        if not self._uncommitted_seconds:
            return [EndSession()]
        self._last_turn.ends_with_session = True
        return [CommitTurn(), EndSession()]

    @property
    def _uncommitted_seconds(self) -> float:
        # Seconds are sums of floats: less than a sample is nothing, and it takes nothing from a minimum.
        return round(self._received - self._ended_at, 6)

    def _end_turn(self) -> int | None:
        """The client ends the open turn: its number, if it is known and so announced at once."""
        self._ended_at = self._received
        turn = self._turns.end()
        if turn is not None:
            self._announced.add(turn)
        return turn

    def _ended(self, turn: int) -> bool:
        """The core has come to the end of a turn; returns whether that was announced before."""
        self._turns.ended(turn)
        announced = turn in self._announced
        self._announced.discard(turn)
        return announced

    def _core_committed(self, turn: int, end: float) -> list[Frame]:
        self._ended_at = max(self._ended_at, min(end, self._received))
        return self._committed(turn)

    def _core_cleared(self, turn: int, position: int) -> None:
        self._items.drop(turn)
        self._texts.clear(turn)
        self._offset = self._clears.popleft() - position / self._engine.sample_rate

    def _committed(self, turn: int) -> list[Frame]:
        item = self._items.of_turn(turn)
        previous = self._items.commit(item)
        self._texts.commit(turn)
        return [
            frame("input_audio_buffer.committed", item_id=item.id, previous_item_id=previous),
            frame("conversation.item.created", previous_item_id=previous, item=item.rendered()),
        ]

    def _speech(self, what: str, turn: int, **position: int) -> Frame:
        return frame(f"input_audio_buffer.speech_{what}", item_id=self._items.of_turn(turn).id, **position)

    def _milliseconds(self, position: int) -> int:
        return round(1000 * self._seconds(position))

    def _seconds(self, position: int) -> float:
        """Seconds since the session's start at a position of the core."""
        return position / self._engine.sample_rate + self._offset

    def _session_frame(self, what: str) -> Frame:
        return frame(f"session.{what}", session=render_dashscope_session(self._configuration, self._session_id))
