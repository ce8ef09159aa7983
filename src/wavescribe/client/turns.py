"""Events of a realtime session about its turns, as the server words them, to typed events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wavescribe.client.events import (
    Draft,
    Settled,
    SpeechStarted,
    SpeechStopped,
    TurnEnded,
    TurnEvent,
    TurnFailed,
    with_spaces,
)
from wavescribe.engines.base import Word

LEAD_IN_SECONDS = 1.5
"""How early a session begins that goes on in the middle of a turn; at least a word."""

SESSION_ENDED = "session_ended"
"""The error of turns that a server had no time left for when it stopped."""

TRANSCRIPTION = "conversation.item.input_audio_transcription."
BUFFER = "input_audio_buffer."


@dataclass(slots=True)
class _Turn:
    number: int
    start: float | None = None
    """Seconds where its audio begins; None for where the turn before ends."""
    stop: float = 0.0
    """Seconds where its audio ends, once that was told."""
    settled_to: float = 0.0
    """Seconds where its last settled word ends."""
    starts: tuple[float, ...] = ()
    """Seconds where its last words start."""
    transcript: str = ""
    """What has settled of it."""
    language: str = ""
    told: bool = False
    """Whether an event of it was given."""


class Turns:
    """The turns of one session that are not through."""

    def __init__(self) -> None:
        self._open: dict[str, _Turn] = {}
        self._seen = 0
        self._committed: set[str] = set()
        self._ended_at = 0.0
        self._covered = 0.0

    @property
    def covered(self) -> float:
        """Seconds since the session's start up to which all text has come.

        It moves with the words that settle. Text without word times moves it only at the end of its turn.
        """
        return self._covered

    @property
    def lead_in(self) -> float:
        """Seconds since the session's start where the last words start of a turn that has text and is open.

        Where there is none it is `covered`.
        """
        turn = next(iter(self._open.values()), None)
        return self._covered if turn is None or not turn.starts else min(turn.starts)

    @property
    def are_through(self) -> bool:
        """Whether every turn that was committed has ended."""
        return not self._committed

    def hear(self, seconds: float) -> None:
        """The server has heard everything up to there, in seconds: where no turn is open, that was silence."""
        if not self._open:
            self._cover(seconds)

    def close(self) -> list[TurnEnded]:
        """End the open turns with what has settled of them: the session is gone, and no more of them comes.

        One without text ends where the next session begins; nothing is said of one that was never told of.
        """
        told = [turn for turn in self._open.values() if turn.told]
        self._open.clear()
        self._committed.clear()
        return [self._cut(turn) for turn in told]

    def take(self, message: dict[str, Any]) -> TurnEvent | None:
        """The typed event of a message, or None for one that tells nothing of text or speech.

        Args:
            message: a server event.
        """
        kind = str(message["type"])
        if not kind.startswith((TRANSCRIPTION, BUFFER)) or "item_id" not in message:
            return None
        item_id = str(message["item_id"])
        turn = self._turn(item_id)
        event = self._event(kind, turn, message)
        turn.told = turn.told or event is not None
        if isinstance(event, TurnEnded | TurnFailed):
            self._open.pop(item_id, None)
            self._committed.discard(item_id)
        return event

    def _event(self, kind: str, turn: _Turn, message: dict[str, Any]) -> TurnEvent | None:
        match kind.removeprefix(TRANSCRIPTION).removeprefix(BUFFER):
            case "speech_started":
                return self._started(turn, message["audio_start_ms"] / 1000)
            case "speech_stopped":
                turn.stop = message["audio_end_ms"] / 1000
                return SpeechStopped(turn.number, turn.stop)
            case "committed":
                self._committed.add(message["item_id"])
                return None
            case "delta":
                return self._settled(turn, message)
            case "text":
                turn.language = message.get("language", turn.language)
                return Draft(turn.number, message["stash"])
            case "completed":
                return self._ended(turn, message)
            case "failed" if message["error"].get("code") == SESSION_ENDED:
                return None  # it stays open, so that another session hears it
            case "failed":
                self._cover(turn.stop)
                return TurnFailed(turn.number, str(message["error"]["message"]))
            case _:
                return None

    def _turn(self, item_id: str) -> _Turn:
        if item_id not in self._open:
            self._open[item_id] = _Turn(self._seen)
            self._seen += 1
        return self._open[item_id]

    def _started(self, turn: _Turn, seconds: float) -> SpeechStarted:
        turn.start = seconds
        if len(self._open) == 1:
            self._cover(seconds)  # the turns before it are through, and between them and it was silence
        return SpeechStarted(turn.number, seconds)

    def _settled(self, turn: _Turn, message: dict[str, Any]) -> Settled:
        delta = message["delta"]
        given = message.get("words", ())
        words = with_spaces(
            delta, (Word(word["word"], word["start"], word["end"], word["probability"]) for word in given)
        )
        turn.transcript += delta
        if words:
            turn.settled_to = words[-1].end
            starts = (*turn.starts, *(word.start for word in words))
            turn.starts = tuple(start for start in starts if start >= turn.settled_to - LEAD_IN_SECONDS) or starts[-1:]
            self._cover(turn.settled_to)
        return Settled(turn.number, delta, words)

    def _ended(self, turn: _Turn, message: dict[str, Any]) -> TurnEnded:
        usage, languages = message.get("usage") or {}, message.get("languages") or [{}]
        # The protocol gives a turn's length in its usage, where that is by duration.
        start = self._start_of(turn)
        self._ended_at = max(turn.settled_to, start + usage.get("seconds", 0.0))
        self._cover(self._ended_at)
        language = str(languages[0].get("code", ""))
        return TurnEnded(turn.number, message["transcript"], language, start, self._ended_at)

    def _cut(self, turn: _Turn) -> TurnEnded:
        if not turn.transcript:
            return TurnEnded(turn.number, "", "", self._covered, self._covered)
        start = self._start_of(turn)
        return TurnEnded(turn.number, turn.transcript, turn.language, start, max(start, turn.settled_to))

    def _start_of(self, turn: _Turn) -> float:
        return self._ended_at if turn.start is None else turn.start

    def _cover(self, seconds: float) -> None:
        self._covered = max(self._covered, seconds)
