"""Where a session begins with sound that an earlier one has put into words: those words are not told again.

A decoder that hears a word's first sound without any before it often leaves the word out. So a new session begins some
words early, and what it says of them is left out, by their times.
"""

from __future__ import annotations

from dataclasses import replace

from wavescribe.client.events import Draft, Settled, SpeechStarted, SpeechStopped, TurnEnded, TurnEvent, TurnFailed
from wavescribe.engines.base import Word


class Seam:
    """The events of a session without its lead-in.

    Nothing is told of a turn before it has a word that follows the lead-in; one that has none by its end was never
    there, and the turns after it take its number.

    Args:
        end: seconds since the session's start where the lead-in ends; 0 for none.
    """

    def __init__(self, end: float) -> None:
        self._end = end
        self._is_past = end <= 0
        self._turn = 0
        """The session's turn in which the lead-in ends; those before it are left out."""
        self._text = ""
        """What is told of that turn."""
        self._held: list[TurnEvent] = []

    def take(self, event: TurnEvent) -> list[TurnEvent]:
        """What is told when the session's next event comes."""
        if self._end <= 0:
            return [event]
        if self._is_past:
            return [self._trimmed(event)]
        if event.turn == self._turn:
            return self._weigh(event)
        self._held.append(event)
        return []

    def _weigh(self, event: TurnEvent) -> list[TurnEvent]:
        """Take an event of the first turn that may reach beyond the lead-in."""
        match event:
            case SpeechStarted(time=time) if time < self._end:
                self._held.append(event)
            case SpeechStopped():
                self._held.append(event)
            case Draft():
                pass
            case Settled(words=words) if words and not self._follow(words):
                pass
            case TurnEnded(end=end) if self._held or end <= self._end:
                return self._leave_out_turn()
            case _:
                return self._pass(event)
        return []

    def _pass(self, event: TurnEvent) -> list[TurnEvent]:
        self._is_past = True
        return [self._trimmed(told) for told in (*self._held, event)]

    def _leave_out_turn(self) -> list[TurnEvent]:
        later = [event for event in self._held if event.turn != self._turn]
        self._held = []
        self._turn += 1
        return [told for event in later for told in self.take(event)]

    def _follow(self, words: tuple[Word, ...]) -> tuple[Word, ...]:
        """The words after the lead-in: the first whose middle is there, and all after it."""
        first = next((place for place, word in enumerate(words) if word.start + word.end >= 2 * self._end), len(words))
        return words[first:]

    def _trimmed(self, event: TurnEvent) -> TurnEvent:
        turn, is_first = event.turn - self._turn, event.turn == self._turn
        match event:
            case SpeechStarted(time=time) | SpeechStopped(time=time):
                return replace(event, turn=turn, time=max(time, self._end))
            case Settled() if is_first:
                settled = self._settled(event)
                self._text += settled.delta
                return replace(settled, turn=turn)
            case TurnEnded(start=start, end=end, transcript=transcript):
                text = self._text if is_first else transcript
                start, end = max(start, self._end), max(end, self._end)
                return replace(event, turn=turn, transcript=text, start=start, end=end)
            case Settled() | Draft() | TurnFailed():
                return replace(event, turn=turn)

    def _settled(self, event: Settled) -> Settled:
        if self._text or not event.words:
            return event
        words = tuple(replace(word, start=max(word.start, self._end)) for word in self._follow(event.words))
        return replace(event, delta="".join(word.text for word in words), words=words)
