"""The times of settled words as they are told: they never go back."""

from __future__ import annotations

from wavescribe.streaming.events import SettledWord
from wavescribe.streaming.joining import spoken_word
from wavescribe.streaming.units import Unit


class WordTimes:
    """Keeps the words of a stream in order.

    An alignment may stretch a word over sound that follows it. The next hypothesis knows better, but the word has been
    told: the words after it would seem to be said before it. Neither starts nor ends go back.
    """

    def __init__(self) -> None:
        self._start = self._end = 0

    def told(self, unit: Unit) -> SettledWord:
        """The next settled unit as a word."""
        self._start = max(self._start, unit.start)
        self._end = max(self._end, unit.end)
        return SettledWord(spoken_word(unit.text), self._start, self._end, unit.probability)
