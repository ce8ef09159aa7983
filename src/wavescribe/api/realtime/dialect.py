"""The dialect of `WS /v1/realtime`: OpenAI's transcription session (GA), pure.

Client events go in and come out as frames to send and actions on the stream; the core's events go in and come out as
frames. Nothing here waits, reads a clock or touches a socket.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

from wavescribe.api.realtime.actions import Action, ClearAudio, CommitTurn, ConfigureStream, FeedAudio
from wavescribe.api.realtime.beta_session import beta_updated, render_beta_session
from wavescribe.api.realtime.client_events import CLIENT_EVENTS, ClientEvent, decode_audio_text
from wavescribe.api.realtime.ids import new_id
from wavescribe.api.realtime.items import LONGEST_ID, Item, Items
from wavescribe.api.realtime.json_field import missing_parameter
from wavescribe.api.realtime.server_events import Frame, error_frame, frame
from wavescribe.api.realtime.session_configuration import AudioFormat, SessionConfiguration
from wavescribe.api.realtime.session_rendering import render_session
from wavescribe.api.realtime.session_update import updated
from wavescribe.api.realtime.transcription_events import TranscriptionEvents
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

MINIMUM_COMMIT_SECONDS = 0.1
"""Least audio of a commit, as at OpenAI."""

SGLANG_CODES = {
    "invalid_event": "invalid_payload",
    "invalid_type": "invalid_value",
    "missing_required_parameter": "invalid_value",
    "input_audio_buffer_commit_empty": "invalid_state",
}
"""Error codes that SGLang has other words for."""

Style = Literal["openai", "sglang", "beta"]
"""Which names the events have: OpenAI's of today, SGLang's, or those of OpenAI's beta."""


@dataclass(frozen=True, slots=True)
class Engine:
    """What the dialect has to know of the engine.

    Attributes:
        sample_rate: samples per second of the core's positions.
        languages: ISO 639-1 codes that it transcribes.
        check_model: raises ModelNotFoundError for a model name that is not served.
    """

    sample_rate: int
    languages: Collection[str]
    check_model: Callable[[str], None]


class RealtimeDialect:
    """One session's translator.

    Args:
        session_id: "sess_...".
        configuration: what the session starts with.
        engine: facts of the engine.
        expires_at: end of the session in seconds of Unix time, or None.
        style: the names of events.
    """

    client_events = CLIENT_EVENTS

    def __init__(
        self,
        session_id: str,
        configuration: SessionConfiguration,
        engine: Engine,
        *,
        expires_at: int | None = None,
        style: Style = "openai",
    ) -> None:
        self._session_id = session_id
        self._configuration = configuration
        self._engine = engine
        self._expires_at = expires_at
        self._style = style
        self._items = Items()
        self._texts = TranscriptionEvents(self._items, engine.sample_rate)
        self._turns = TurnNumbers(detecting=configuration.turn_detection is not None)
        self._announced: set[int] = set()
        """Turns whose end the client was told of before the core came to it."""
        self._clears: deque[float] = deque()
        """Seconds of audio before each clear that the core has not come to."""
        self._received = 0.0
        """Seconds of audio received."""
        self._ended_at = 0.0
        """Seconds of audio up to the last known end of a turn."""

    @property
    def session_id(self) -> str:
        """The session's id."""
        return self._session_id

    @property
    def configuration(self) -> SessionConfiguration:
        """The configuration in effect."""
        return self._configuration

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
        return [self._session_frame("created", beta=self._style == "beta")]

    def apply(self, event: ClientEvent) -> list[Frame | Action]:
        """Frames to send and actions to take, in order, for a client's event."""
        try:
            if event.error is not None:
                raise event.error
            return self._apply(event)
        except InvalidRequestError as error:
            return [error_frame(str(error), code=self._code(error), param=error.param, event_id=event.event_id)]

    def _code(self, error: InvalidRequestError) -> str | None:
        """The error's code in the words of the style."""
        if self._style != "sglang":
            return error.code
        if error.code == "invalid_value" and error.param == "type":
            return "unknown_event"
        return SGLANG_CODES.get(error.code or "", error.code)

    def render(self, event: Event) -> list[Frame]:
        """The frames of an event of the core."""
        match event:
            case SpeechStarted(turn=turn, position=position):
                start = self._milliseconds(position)
                return [self._speech("started", turn, audio_start_ms=start)]
            case SpeechStopped(turn=turn, position=position):
                # A commit that the client has seen came first.
                stopped = self._milliseconds(position)
                return [] if turn in self._announced else [self._speech("stopped", turn, audio_end_ms=stopped)]
            case TurnCommitted(turn=turn, end=end):
                return self._core_committed(turn, self._seconds(end))
            case TurnCleared(turn=turn, position=position):
                return self._core_cleared(turn, position)
            case Reconfigured(turn=turn):
                self._turns.changed(turn)
                return []
            case _:
                return self._texts.render(event, self._configuration)

    def finished(self) -> list[Frame]:
        """This protocol has no last frame."""
        return []

    def given_up(self) -> list[Frame]:
        """The failures of all turns that were committed and are not through."""
        return self._texts.give_up()

    def _apply(self, event: ClientEvent) -> list[Frame | Action]:
        match event.type:
            case "input_audio_buffer.append":
                return self._append(event)
            case "input_audio_buffer.commit":
                return self._commit()
            case "input_audio_buffer.clear":
                return self._clear()
            case "conversation.item.create":
                return self._create(event)
            case "conversation.item.retrieve":
                item = self._find(event, "retrieve")
                return [frame("conversation.item.retrieved", item=item.rendered())]
            case "conversation.item.delete":
                item = self._find(event, "delete")
                self._items.delete(item)
                return [frame("conversation.item.deleted", item_id=item.id)]
            case _:
                return self._update(event)

    def _update(self, event: ClientEvent) -> list[Frame | Action]:
        beta = event.type == "transcription_session.update"
        change = beta_updated if beta else updated
        before, detecting = self.options, self._configuration.turn_detection is not None
        self._configuration = change(
            self._configuration,
            event.fields.get("session"),
            check_model=self._engine.check_model,
            languages=self._engine.languages,
        )
        if beta:
            self._style = "beta"
        answer = self._session_frame("updated", beta=beta)
        if self.options == before:
            return [answer]
        detects = self._configuration.turn_detection is not None
        if detects != detecting:
            self._turns.change(detecting=detects)
        self._turns.changing()
        return [answer, ConfigureStream(self.options)]

    def _append(self, event: ClientEvent) -> list[Frame | Action]:
        rate = self._configuration.format.rate
        self._received += len(event.samples) / rate
        return [FeedAudio(event.samples, rate)] if len(event.samples) else []

    def _commit(self) -> list[Frame | Action]:
        _check_length(self._received - self._ended_at)
        self._ended_at = self._received
        turn = self._turns.end()
        if turn is None:
            return [CommitTurn()]
        self._announced.add(turn)
        return [*self._committed(turn), CommitTurn()]

    def _clear(self) -> list[Frame | Action]:
        self._ended_at = self._received
        self._clears.append(self._received)
        turn = self._turns.end()
        if turn is None:
            return [ClearAudio()]
        self._announced.add(turn)
        self._texts.silence(turn)
        return [frame("input_audio_buffer.cleared"), ClearAudio()]

    def _create(self, event: ClientEvent) -> list[Frame | Action]:
        """A user's item: one with audio is transcribed as if it had been appended and committed."""
        given = event.fields.get("item")
        if not isinstance(given, dict):
            raise InvalidRequestError(
                "Missing required parameter: 'item'.", code="missing_required_parameter", param="item"
            )
        audio = _item_audio(given)
        item_id = self._item_id(given)
        if audio is None:
            item = Item.of_text(item_id, given)
            return list(self._added(item, self._items.commit(item)))
        samples = decode_audio_text(audio, self._configuration.format, "item.content.audio")
        turn = self._turns.open_turn
        if turn is None or self._received > self._ended_at:
            raise InvalidRequestError(
                "An item with audio needs an empty input audio buffer and turn_detection null: commit or clear first.",
                code="invalid_value",
                param="item",
            )
        _check_length(len(samples) / self._configuration.format.rate)
        self._items.name(turn, item_id)
        appended = self._append(ClientEvent("input_audio_buffer.append", samples=samples))
        return [*appended, *self._commit()]

    def _item_id(self, given: dict[str, object]) -> str:
        """The id that the client wants for an item, or a fresh one."""
        wanted = given.get("id")
        if not isinstance(wanted, str) or not wanted:
            return new_id("item")
        if len(wanted) > LONGEST_ID or self._items.is_taken(wanted):
            reason = f"at most {LONGEST_ID} characters" if len(wanted) > LONGEST_ID else "an id that no item has"
            raise InvalidRequestError(
                f"Invalid 'item.id' {wanted[:100]!r}: expected {reason}.", code="invalid_value", param="item.id"
            )
        return wanted

    def _find(self, event: ClientEvent, verb: str) -> Item:
        item_id = event.fields.get("item_id")
        if item_id is None:
            raise missing_parameter("item_id")
        item = self._items.find(item_id)
        if item is None:
            raise InvalidRequestError(
                f"Item with item_id {str(item_id)[:100]!r} not found.",
                code=f"item_{verb}_invalid_item_id",
                param="item_id",
            )
        return item

    def _core_committed(self, turn: int, end: float) -> list[Frame]:
        self._turns.ended(turn)
        if turn in self._announced:
            self._announced.discard(turn)
            return []
        self._ended_at = max(self._ended_at, min(end, self._received))
        return self._committed(turn)

    def _core_cleared(self, turn: int, position: int) -> list[Frame]:
        self._turns.ended(turn)
        self._items.drop(turn)
        self._texts.clear(turn)
        # Audio that was cleared before the core took it in has no positions there.
        self._texts.offset_seconds = self._clears.popleft() - position / self._engine.sample_rate
        if turn in self._announced:
            self._announced.discard(turn)
            return []
        return [frame("input_audio_buffer.cleared")]

    def _committed(self, turn: int) -> list[Frame]:
        item = self._items.of_turn(turn)
        previous = self._items.commit(item)
        self._texts.commit(turn, self._configuration)
        committed = frame("input_audio_buffer.committed", item_id=item.id, previous_item_id=previous)
        return [committed, *self._added(item, previous)]

    def _added(self, item: Item, previous: str | None) -> list[Frame]:
        names = ("added", "done") if self._style == "openai" else ("created",)
        return [frame(f"conversation.item.{name}", previous_item_id=previous, item=item.rendered()) for name in names]

    def _speech(self, what: str, turn: int, **position: int) -> Frame:
        return frame(f"input_audio_buffer.speech_{what}", item_id=self._items.of_turn(turn).id, **position)

    def _milliseconds(self, position: int) -> int:
        return max(0, round(1000 * self._seconds(position)))

    def _seconds(self, position: int) -> float:
        """Seconds since the session's start at a position of the core."""
        return position / self._engine.sample_rate + self._texts.offset_seconds

    def _session_frame(self, what: str, *, beta: bool) -> Frame:
        render, prefix = (render_beta_session, "transcription_session") if beta else (render_session, "session")
        return frame(f"{prefix}.{what}", session=render(self._configuration, self._session_id, self._expires_at))


def _check_length(seconds: float) -> None:
    """Refuse to commit less than the minimum; seconds are sums of floats, which a microsecond makes good."""
    if round(seconds, 6) < MINIMUM_COMMIT_SECONDS:
        raise InvalidRequestError(
            "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but buffer "
            f"only has {1000 * max(0.0, seconds):.2f}ms of audio.",
            code="input_audio_buffer_commit_empty",
        )


def _item_audio(item: dict[str, object]) -> str | None:
    """The base64 audio of an item's first part that has some, or None."""
    content = item.get("content")
    for part in content if isinstance(content, list) else []:
        if isinstance(part, dict) and part.get("type") == "input_audio" and isinstance(part.get("audio"), str):
            return str(part["audio"])
    return None
