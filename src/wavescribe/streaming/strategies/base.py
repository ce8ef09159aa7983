"""The seam between the Transcriber and a strategy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from wavescribe.engines.base import Hypothesis
from wavescribe.streaming.units import Unit


@dataclass(frozen=True, slots=True)
class Window:
    """The audio that one decode sees, and what it is told.

    Attributes:
        start: absolute sample position.
        end: absolute sample position.
        speech_end: absolute sample position where the last speech in it ends.
        prefix: token ids that the hypothesis must start with.
        context: text before the window.
        token_budget: most tokens to generate.
    """

    start: int
    end: int
    speech_end: int
    prefix: tuple[int, ...]
    context: str
    token_budget: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a hypothesis changed.

    Attributes:
        settled: units that settle now.
        draft: the current rest of the hypothesis.
        unheard: whether a segment's last hypothesis left out speech that the next window begins with.
    """

    settled: tuple[Unit, ...]
    draft: tuple[Unit, ...]
    unheard: bool = False


class Strategy(Protocol):
    """Windows and reconciliation of one stream; a segment is opened, planned and reconciled, and closed."""

    @property
    def is_open(self) -> bool:
        """Whether a segment is open."""

    @property
    def needed_from(self) -> int | None:
        """Absolute position of the first sample that the open segment still needs, or None."""

    def open(self, start: int) -> None:
        """Begin a segment at an absolute sample position."""

    def plan(self, end: int, speech_end: int) -> Window:
        """The window of a step; where it ends and where its last speech does, as absolute sample positions."""

    def reconcile(self, window: Window, hypothesis: Hypothesis, *, final: bool) -> Outcome:
        """Take the engine's answer for a window; a final one settles everything that is left."""

    def finish(self, speech_end: int) -> Outcome:
        """Settle what the last hypothesis left: it heard everything that was said, up to `speech_end`."""

    def is_doubtful(self, window: Window, hypothesis: Hypothesis) -> bool:
        """Whether a segment's last hypothesis should be decoded once more, thoroughly, before it settles."""

    def rest(self, position: int) -> None:
        """Pass over silence between segments, up to an absolute sample position."""

    def close(self, *, in_pause: bool = False) -> None:
        """End the segment; what it wrote before a pause may serve the next one as context."""
