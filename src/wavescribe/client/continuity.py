"""The events of one session after another, as those of one stream."""

from __future__ import annotations

from dataclasses import replace

from wavescribe.client.events import Draft, Settled, SpeechStarted, SpeechStopped, TurnEnded, TurnEvent, TurnFailed
from wavescribe.engines.base import Word


class Continuity:
    """Moves the turn numbers and times of later sessions behind those of the earlier ones."""

    def __init__(self) -> None:
        self._origin = 0.0
        """Seconds of the stream where the session's audio begins."""
        self._first_turn = 0
        self._next_turn = 0

    def begin(self, origin: float) -> None:
        """A session begins: its first turn follows the last one that was told of.

        Args:
            origin: seconds since the stream's first sample where the session's audio begins.
        """
        self._origin = origin
        self._first_turn = self._next_turn

    def take(self, event: TurnEvent) -> TurnEvent:
        """The stream's event for one of the session's."""
        turn = self._first_turn + event.turn
        self._next_turn = max(self._next_turn, turn + 1)
        match event:
            case SpeechStarted(time=time) | SpeechStopped(time=time):
                return replace(event, turn=turn, time=self._moved(time))
            case Settled(words=words):
                return replace(event, turn=turn, words=tuple(map(self._moved_word, words)))
            case TurnEnded(start=start, end=end):
                return replace(event, turn=turn, start=self._moved(start), end=self._moved(end))
            case Draft() | TurnFailed():
                return replace(event, turn=turn)

    def _moved_word(self, word: Word) -> Word:
        return replace(word, start=self._moved(word.start), end=self._moved(word.end))

    def _moved(self, seconds: float) -> float:
        """To the microsecond, which hides what sums of floats leave over."""
        return round(self._origin + seconds, 6) if self._origin else seconds
