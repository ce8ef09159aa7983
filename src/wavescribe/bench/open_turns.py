"""Which commits of a stream have no answer yet, and which of its turns no end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any


class OpenTurns:
    """The turns of one stream, followed by its events; turns without a name end in the order of their commits.

    Attributes:
        unanswered: commits that were sent and not answered.
    """

    def __init__(self) -> None:
        self.unanswered = 0
        self._open: Counter[str] = Counter()

    @property
    def count(self) -> int:
        """Turns that were committed and have not ended."""
        return self._open.total()

    def commit(self) -> None:
        """A commit is sent."""
        self.unanswered += 1

    def answer(self) -> None:
        """A commit is answered; the server's own commits answer none."""
        self.unanswered = max(0, self.unanswered - 1)

    def begin(self, event: Mapping[str, Any]) -> None:
        """Take the event that a turn is committed."""
        self.answer()
        self._open[_name(event)] += 1

    def end(self, event: Mapping[str, Any]) -> None:
        """Take the event that a turn is completed or failed; of one that was never announced, it answers its commit."""
        if self._open[_name(event)]:
            self._open[_name(event)] -= 1
        else:
            self.answer()


def _name(event: Mapping[str, Any]) -> str:
    return str(event.get("item_id") or "")
