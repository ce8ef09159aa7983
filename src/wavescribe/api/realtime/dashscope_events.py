"""The transcription events of the Qwen-ASR-Realtime API (DashScope): drafts always, with the text so far."""

from __future__ import annotations

from wavescribe.api.realtime.items import Items
from wavescribe.api.realtime.server_events import Frame, frame
from wavescribe.api.realtime.transcription_events import FAILED, GIVEN_UP, Failure
from wavescribe.streaming.events import Draft, Event, Settled, TurnEnded, TurnFailed

PREFIX = "conversation.item.input_audio_transcription"

EMOTION = "neutral"
"""The API names the speaker's emotion; it is not recognised here."""


class DashscopeTexts:
    """Renders the text of one session's turns.

    Args:
        items: the session's items.
    """

    def __init__(self, items: Items) -> None:
        self._items = items
        self._turn = -1
        """The turn that the next two belong to."""
        self._text = ""
        self._stash = ""
        self._language = ""
        self._silenced: set[int] = set()
        """Turns that the client has cleared and the core has not come to."""
        self._committed: dict[int, None] = {}
        """Turns that the client was told are committed and that are not through, in order."""

    def commit(self, turn: int) -> None:
        """The client is told that a turn is committed."""
        self._committed[turn] = None

    def give_up(self) -> list[Frame]:
        """The failures of all turns that were committed and are not through: the session ends before them."""
        return [self._failed(turn, GIVEN_UP) for turn in list(self._committed)]

    def silence(self, turn: int) -> None:
        """The client is told that a turn is cleared: nothing more is said of it."""
        self._silenced.add(turn)

    def clear(self, turn: int) -> None:
        """The core has cleared a turn."""
        self._silenced.discard(turn)

    def render(self, event: Event, language: str | None) -> list[Frame]:
        """The frames of an event.

        Args:
            event: of the core.
            language: ISO 639-1 code that the client wants, or None when it is detected.
        """
        match event:
            case Settled(turn=turn) | Draft(turn=turn) if turn in self._silenced:
                return []
            case Settled():
                return self._settle(event, language)
            case Draft(turn=turn, text=text):
                self._open(turn)
                self._stash = text
                return [self._preview(language)]
            case TurnEnded():
                return [self._completed(event, language)]
            case TurnFailed(turn=turn):
                return [self._failed(turn, FAILED)]
            case _:
                return []

    def _open(self, turn: int) -> None:
        if turn != self._turn:
            self._turn, self._text, self._stash = turn, "", ""

    def _settle(self, event: Settled, language: str | None) -> list[Frame]:
        self._open(event.turn)
        drafted = bool(self._stash)
        self._text += event.delta
        self._stash = ""
        self._language = event.language
        # A draft that was shown is followed by another one: to show the text without it would make the preview jump.
        return [] if drafted else [self._preview(language)]

    def _preview(self, language: str | None) -> Frame:
        return frame(
            f"{PREFIX}.text",
            item_id=self._items.of_turn(self._turn).id,
            content_index=0,
            language=language or self._language,
            emotion=EMOTION,
            text=self._text,
            stash=self._stash,
        )

    def _completed(self, event: TurnEnded, language: str | None) -> Frame:
        self._committed.pop(event.turn, None)
        return frame(
            f"{PREFIX}.completed",
            item_id=self._items.finish(event.turn, event.transcript).id,
            content_index=0,
            language=event.language or language or "",
            emotion=EMOTION,
            transcript=event.transcript,
        )

    def _failed(self, turn: int, failure: Failure) -> Frame:
        self._committed.pop(turn, None)
        item_id = self._items.finish(turn).id
        error = {"code": failure.code, "message": failure.message.format(item_id), "param": None}
        return frame(f"{PREFIX}.failed", item_id=item_id, content_index=0, error=error)
