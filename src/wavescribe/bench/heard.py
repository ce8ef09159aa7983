"""A stream's record of events as the metrics take it: its text with arrivals, its turns, its words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from wavescribe.bench.metrics.timeline import Emission

PREFIX = "conversation.item.input_audio_transcription."

OTHER_DIALECTS = ("transcription.", "transcript.", "response.audio_transcript.")
"""How transcription events of other realtime protocols begin, vLLM's among them."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a server told of one stream; times in seconds since the stream's first sample was spoken.

    Attributes:
        emissions: the settled text in the order of the turns.
        shown: when each turn had text for the first time, settled or draft.
        completed: for each turn, when it was completed.
        turns: the transcripts of the turns that have text, in order.
        stated_lags: for each word that the server gave times with, its arrival minus its end as the server says.
        contradictions: turns whose transcript is not the join of their deltas.
        failed: turns that ended in failure.
        foreign: types of transcription events that are not of this protocol.
    """

    emissions: tuple[Emission, ...]
    shown: dict[str, float]
    completed: dict[str, float]
    turns: tuple[str, ...]
    stated_lags: tuple[float, ...]
    contradictions: int
    failed: int
    foreign: frozenset[str]

    @property
    def text(self) -> str:
        """All turns' transcripts."""
        return " ".join(self.turns)


@dataclass(slots=True)
class _Item:
    emissions: list[Emission] = field(default_factory=list)
    shown: float | None = None
    transcript: str = ""
    completed: float | None = None
    failed: bool = False


def hear(events: Iterable[tuple[float, dict[str, Any]]]) -> Heard:
    """Read a stream's events: arrival in seconds, and the event as parsed from JSON.

    A turn without deltas gives its transcript as one emission when it is completed.
    """
    items: dict[str, _Item] = {}
    lags: list[float] = []
    foreign: set[str] = set()
    for time, event in events:
        kind, item_id = event["type"], event.get("item_id")
        if item_id is not None and (kind.startswith(PREFIX) or kind == "input_audio_buffer.committed"):
            item = items.setdefault(item_id, _Item())
            lags += _take(item, kind.removeprefix(PREFIX), event, time)
        elif kind.startswith(OTHER_DIALECTS):
            foreign.add(kind)
    return _heard(items, lags, foreign)


def _take(item: _Item, kind: str, event: dict[str, Any], time: float) -> list[float]:
    """Take an event of a turn; returns the lags of words that it gives times with."""
    lags: list[float] = []
    match kind:
        case "delta" if event.get("delta"):
            item.emissions.append(Emission(event["delta"], time, event["item_id"]))
            lags = [time - word["end"] for word in event.get("words") or ()]
        case "completed":
            item.transcript, item.completed = event.get("transcript") or "", time
        case "failed":
            item.failed = True
    if item.shown is None and any((event.get(name) or "").strip() for name in ("delta", "transcript", "text", "stash")):
        item.shown = time
    return lags


def _heard(items: dict[str, _Item], lags: list[float], foreign: set[str]) -> Heard:
    emissions: list[Emission] = []
    for item_id, item in items.items():
        if item.emissions:
            # Turns are written apart even where a turn's first delta has no leading space.
            first = item.emissions[0]
            emissions += [Emission(f" {first.text}", first.time, item_id), *item.emissions[1:]]
        elif item.transcript and item.completed is not None:
            emissions.append(Emission(f" {item.transcript}", item.completed, item_id))
    return Heard(
        emissions=tuple(emissions),
        shown={item_id: item.shown for item_id, item in items.items() if item.shown is not None},
        completed={item_id: item.completed for item_id, item in items.items() if item.completed is not None},
        turns=tuple(item.transcript for item in items.values() if item.transcript.strip()),
        stated_lags=tuple(lags),
        contradictions=sum(_contradicts(item) for item in items.values()),
        failed=sum(item.failed for item in items.values()),
        foreign=frozenset(foreign),
    )


def _contradicts(item: _Item) -> bool:
    deltas = "".join(emission.text for emission in item.emissions)
    return bool(item.emissions) and item.completed is not None and deltas != item.transcript
