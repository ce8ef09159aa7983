"""Which turn of the core the audio being received belongs to, so that a commit can be answered at once.

While only the client ends turns, every commit and every clear makes exactly one turn, and the number is known when
the event is read. With turn detection it is known only when the core gets there: commits are then announced by the
core, in order. After a change from one to the other it is known again once the core has caught up.
"""

from __future__ import annotations


class TurnNumbers:
    """Counts turns for one session.

    Args:
        detecting: whether turns are detected.
    """

    def __init__(self, *, detecting: bool) -> None:
        self._detecting = detecting
        self._open: int | None = None if detecting else 0
        self._changes = 0
        """Changes of the configuration that the core has not taken yet."""
        self._unknown = 0
        """Commits and clears since the last change that the core has not come to yet."""

    @property
    def open_turn(self) -> int | None:
        """The turn that audio received now belongs to, or None when only the core can tell."""
        return self._open

    def end(self) -> int | None:
        """The client ends the open turn, or clears it: its number, or None when only the core can tell."""
        if self._open is None:
            self._unknown += 1
            return None
        number, self._open = self._open, self._open + 1
        return number

    def change(self, *, detecting: bool) -> None:
        """The client's audio from here on has its turns detected, or not; `changing` follows."""
        if detecting != self._detecting:
            self._detecting = detecting
            self._open = None

    def changing(self) -> None:
        """A change of the configuration was given to the core."""
        self._changes += 1
        # Whatever came before the change is through when the core takes it.
        self._unknown = 0

    def changed(self, open_turn: int) -> None:
        """The core has taken a change; this turn is open there."""
        self._changes -= 1
        self._catch_up(open_turn)

    def ended(self, number: int) -> None:
        """The core has come to the end of a turn, by commit, clear or detection."""
        if self._open is None and not self._changes and not self._detecting:
            self._unknown -= 1
            self._catch_up(number + 1)

    def _catch_up(self, open_turn: int) -> None:
        if self._open is None and not self._detecting and not self._changes and self._unknown <= 0:
            self._open = open_turn
