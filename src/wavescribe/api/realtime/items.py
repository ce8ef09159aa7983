"""The items of one session: their ids, their chain and what is remembered of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from wavescribe.api.realtime.ids import new_id

MOST_ITEMS = 1_000
"""Items that can be retrieved; the oldest are forgotten first."""

LONGEST_ID = 256
"""Characters of an id that a client chose."""

LONGEST_TEXT = 10_000
"""Characters of an item's text that are kept."""

MOST_PARTS = 100
"""Parts of an item's content that are looked at."""


@dataclass(slots=True)
class Item:
    """An item: the conversation's name for a turn.

    Attributes:
        id: "item_...", or the client's own.
        content: its parts, as the API writes them.
        role: whose message it is.
    """

    id: str
    content: list[dict[str, Any]] = field(default_factory=lambda: [{"type": "input_audio", "transcript": None}])
    role: str = "user"

    @classmethod
    def of_text(cls, item_id: str, given: dict[str, object]) -> Item:
        """An item without audio, from a client's JSON: its texts, which nothing is done with."""
        role = str(given["role"]) if given.get("role") in ("system", "assistant") else "user"
        kind = "output_text" if role == "assistant" else "input_text"
        return cls(item_id, [{"type": kind, "text": text} for text in _texts(given.get("content"))], role)

    def rendered(self) -> dict[str, Any]:
        """The item as JSON."""
        return {
            "id": self.id,
            "object": "realtime.item",
            "type": "message",
            "role": self.role,
            "status": "completed",
            "content": self.content,
        }


class Items:
    """Items by turn and by id."""

    def __init__(self) -> None:
        self._by_turn: dict[int, Item] = {}
        self._by_id: dict[str, Item] = {}
        self._last: str | None = None

    def of_turn(self, turn: int) -> Item:
        """The item of a turn; its id is reserved when it is first asked for."""
        if turn not in self._by_turn:
            self._by_turn[turn] = Item(new_id("item"))
        return self._by_turn[turn]

    def name(self, turn: int, item_id: str) -> None:
        """Give a turn that the client has heard nothing of yet the id that it wants."""
        self._by_turn[turn] = Item(item_id)

    def is_taken(self, item_id: str) -> bool:
        """Whether an item has that id already."""
        return item_id in self._by_id or any(item.id == item_id for item in self._by_turn.values())

    def drop(self, turn: int) -> None:
        """The turn was cleared: its id, if one was reserved, is never used."""
        self._by_turn.pop(turn, None)

    def commit(self, item: Item) -> str | None:
        """Add an item to the chain; returns the id of the one before it, or None."""
        previous, self._last = self._last, item.id
        self._by_id[item.id] = item
        while len(self._by_id) > MOST_ITEMS:
            self._by_id.pop(next(iter(self._by_id)))
        return previous

    def finish(self, turn: int, transcript: str | None = None) -> Item:
        """The turn is through: what is remembered of it is its item with its transcript."""
        item = self.of_turn(turn)
        self._by_turn.pop(turn)
        if transcript is not None:
            item.content = [{"type": "input_audio", "transcript": transcript}]
        return item

    def find(self, item_id: object) -> Item | None:
        """The committed item of that id, or None."""
        return self._by_id.get(item_id) if isinstance(item_id, str) else None

    def delete(self, item: Item) -> None:
        """Forget an item; the chain goes on from the last committed one."""
        self._by_id.pop(item.id, None)


def _texts(content: object) -> list[str]:
    """The texts of a message's parts, as many as are kept."""
    parts = content if isinstance(content, list) else []
    texts: list[str] = []
    room = LONGEST_TEXT
    for part in parts[:MOST_PARTS]:
        text = part.get("text") if isinstance(part, dict) else None
        if isinstance(text, str) and text[:room]:
            texts.append(text[:room])
            room -= len(texts[-1])
    return texts
