"""What every metric over time is computed from: gold words with their place, and text with its arrival."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GoldWord:
    """A word that was said; start and end in seconds of the stream's audio."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Emission:
    """Text that arrived and will not change.

    Attributes:
        text: as it came; joined in order the emissions are the stream's text.
        time: of its arrival, in seconds since the stream's first sample was spoken.
        item: the turn that it belongs to; "" where there are no turns.
    """

    text: str
    time: float
    item: str = ""


@dataclass(frozen=True, slots=True)
class StatedWord:
    """A word as a server or a model tells it.

    Attributes:
        text: as written.
        end: where it ends, as is told, in seconds of the stream's audio.
        time: of its arrival, in seconds since the stream's first sample was spoken.
    """

    text: str
    end: float
    time: float
