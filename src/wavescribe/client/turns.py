"""Events of a realtime session about its turns, as the server words them, to typed events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wavescribe.client.events import (
    Draft,
    Event,
    Settled,
    SpeechStarted,
    SpeechStopped,
    TurnEnded,
    TurnFailed,
    with_spaces,
)
from wavescribe.engines.base import Word

TRANSCRIPTION = "conversation.item.input_audio_transcription."
BUFFER = "input_audio_buffer."


@dataclass(slots=True)
class _Turn:
    number: int
    start: float | None = None
    """Seconds where its audio begins; None for where the turn before ends."""
    settled_to: float = 0.0
    """Seconds where its last settled word ends."""


class Turns:
    """The turns of one session that are not through."""

    def __init__(self) -> None:
        self._open: dict[str, _Turn] = {}
        self._seen = 0
        self._committed: set[str] = set()
        self._ended_at = 0.0

    @property
    def are_through(self) -> bool:
        """Whether every turn that was committed has ended."""
        return not self._committed

    def take(self, message: dict[str, Any]) -> Event | None:
        """The typed event of a message, or None for one that tells nothing of text or speech.

        Args:
            message: a server event.
        """
        kind = str(message["type"])
        if not kind.startswith((TRANSCRIPTION, BUFFER)) or "item_id" not in message:
            return None
        item_id = str(message["item_id"])
        turn = self._turn(item_id)
        match kind.removeprefix(TRANSCRIPTION).removeprefix(BUFFER):
            case "speech_started":
                start = turn.start = message["audio_start_ms"] / 1000
                return SpeechStarted(turn.number, start)
            case "speech_stopped":
                return SpeechStopped(turn.number, message["audio_end_ms"] / 1000)
            case "committed":
                self._committed.add(item_id)
                return None
            case "delta":
                return self._settled(turn, message)
            case "text":
                return Draft(turn.number, message["stash"])
            case "completed":
                self._end(item_id)
                return self._ended(turn, message)
            case "failed":
                self._end(item_id)
                return TurnFailed(turn.number, str(message["error"]["message"]))
            case _:
                return None

    def _turn(self, item_id: str) -> _Turn:
        if item_id not in self._open:
            self._open[item_id] = _Turn(self._seen)
            self._seen += 1
        return self._open[item_id]

    def _settled(self, turn: _Turn, message: dict[str, Any]) -> Settled:
        delta = message["delta"]
        given = message.get("words", ())
        words = with_spaces(
            delta, (Word(word["word"], word["start"], word["end"], word["probability"]) for word in given)
        )
        if words:
            turn.settled_to = words[-1].end
        return Settled(turn.number, delta, words)

    def _ended(self, turn: _Turn, message: dict[str, Any]) -> TurnEnded:
        usage, languages = message.get("usage") or {}, message.get("languages") or [{}]
        # The protocol gives a turn's length in its usage, where that is by duration.
        start = self._ended_at if turn.start is None else turn.start
        self._ended_at = max(turn.settled_to, start + usage.get("seconds", 0.0))
        language = str(languages[0].get("code", ""))
        return TurnEnded(turn.number, message["transcript"], language, start, self._ended_at)

    def _end(self, item_id: str) -> None:
        self._open.pop(item_id, None)
        self._committed.discard(item_id)
