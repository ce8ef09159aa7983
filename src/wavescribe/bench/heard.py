"""A stream's record of events as the metrics take it: its text with arrivals, its turns, its words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from wavescribe.bench.metrics.timeline import Emission, StatedWord

PREFIX = "conversation.item.input_audio_transcription."

COMMITTED, PARTIAL = "input_audio_buffer.committed", "input_audio_buffer.partial_transcription"
"""A turn's commit, and the drafts of servers that show them in this event (Speaches)."""

OTHER_DIALECTS = ("transcription.", "transcript.", "response.audio_transcript.")
"""How transcription events of other realtime protocols begin, vLLM's among them."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a server told of one stream; times in seconds since the stream's first sample was spoken.

    Attributes:
        emissions: the settled text in the order of the turns; of a turn that contradicts itself, its transcript at its
            completion.
        shown: when each turn had text for the first time, settled or draft.
        completed: for each turn, when it was completed.
        turns: the transcripts of the turns that have text, in order.
        stated: the words that the server gave times with, in the order of the turns.
        contradictions: turns whose transcript is not the join of their deltas, white space aside.
        failed: turns that ended in failure.
        foreign: types of transcription events that are not of this protocol.
    """

    emissions: tuple[Emission, ...]
    shown: dict[str, float]
    completed: dict[str, float]
    turns: tuple[str, ...]
    stated: tuple[StatedWord, ...]
    contradictions: int
    failed: int
    foreign: frozenset[str]

    @property
    def text(self) -> str:
        """All turns' transcripts."""
        return " ".join(self.turns)


@dataclass(slots=True)
class _Item:
    deltas: list[tuple[str, float]] = field(default_factory=list)
    words: list[StatedWord] = field(default_factory=list)
    shown: float | None = None
    transcript: str = ""
    completed: float | None = None
    failed: bool = False

    @property
    def contradicts(self) -> bool:
        """Whether the deltas were no settled text: the transcript has another."""
        deltas = "".join(text for text, _ in self.deltas)
        return bool(self.deltas) and self.completed is not None and deltas.split() != self.transcript.split()

    def emissions(self, item_id: str) -> list[Emission]:
        """Its settled text; turns are written apart even where a turn's first delta has no leading space."""
        pieces = self.deltas
        if self.completed is not None and (not pieces or self.contradicts):
            pieces = [(self.transcript, self.completed)] if self.transcript else []
        return [Emission(f" {text}" if not place else text, time, item_id) for place, (text, time) in enumerate(pieces)]

    def stated(self) -> list[StatedWord]:
        """Its words, which have come with the transcript where that was the first to have them for good."""
        if self.completed is not None and self.contradicts:
            return [replace(word, time=self.completed) for word in self.words]
        return self.words


def hear(events: Iterable[tuple[float, dict[str, Any]]]) -> Heard:
    """Read a stream's events: arrival in seconds, and the event as parsed from JSON.

    A turn without deltas gives its transcript as one emission when it is completed. Turns without a name are told
    apart by their completions.
    """
    items: dict[str, _Item] = {}
    foreign: set[str] = set()
    unnamed = 0
    for time, event in events:
        kind = event["type"]
        if kind.startswith(PREFIX) or kind in (COMMITTED, PARTIAL):
            item_id = event.get("item_id") or f"unnamed {unnamed}"
            _take(items.setdefault(item_id, _Item()), kind.removeprefix(PREFIX), event, time)
            unnamed += not event.get("item_id") and kind.endswith((".completed", ".failed"))
        elif kind.startswith(OTHER_DIALECTS):
            foreign.add(kind)
    return _heard(items, foreign)


def _take(item: _Item, kind: str, event: dict[str, Any], time: float) -> None:
    match kind:
        case "delta" if event.get("delta"):
            item.deltas.append((event["delta"], time))
            item.words += [StatedWord(word["word"], word["end"], time) for word in event.get("words") or ()]
        case "completed":
            item.transcript, item.completed = event.get("transcript") or "", time
        case "failed":
            item.failed = True
    if item.shown is None and any((event.get(name) or "").strip() for name in ("delta", "transcript", "text", "stash")):
        item.shown = time


def _heard(items: dict[str, _Item], foreign: set[str]) -> Heard:
    return Heard(
        emissions=tuple(emission for item_id, item in items.items() for emission in item.emissions(item_id)),
        shown={item_id: item.shown for item_id, item in items.items() if item.shown is not None},
        completed={item_id: item.completed for item_id, item in items.items() if item.completed is not None},
        turns=tuple(item.transcript for item in items.values() if item.transcript.strip()),
        stated=tuple(word for item in items.values() for word in item.stated()),
        contradictions=sum(item.contradicts for item in items.values()),
        failed=sum(item.failed for item in items.values()),
        foreign=frozenset(foreign),
    )
