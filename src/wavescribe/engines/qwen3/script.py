"""What an answer consists of: tokens that are given and tokens that the model writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wavescribe.engines.qwen3.special_tokens import ASR_TEXT

TAG_LIMIT = 12
"""Longest language tag (`language English<asr_text>`) that the model is let write before it is ended by force; only
where given text follows it."""


@dataclass(frozen=True, slots=True)
class Script:
    """The plan of an answer: an opening, or a tag that the model writes; given text; then the model's own.

    Attributes:
        opening: given tokens at the start (a forced language tag); () where the model writes the tag itself.
        given: tokens of settled text that the answer must have after the tag.
        budget: most tokens that the model writes after them.
        writes_tag: whether the model writes the language tag itself.
        exact_length: whether the model writes exactly `budget` tokens, whatever they are; for timing.
    """

    opening: tuple[int, ...] = ()
    given: tuple[int, ...] = ()
    budget: int = 512
    writes_tag: bool = False
    exact_length: bool = False

    def forced(self, written: Sequence[int]) -> int | None:
        """The token that must come after those written, or None where the model chooses."""
        if not self.writes_tag:
            place = len(written)
            before = len(self.opening)
            if place < before:
                return self.opening[place]
            return self.given[place - before] if place - before < len(self.given) else None
        if not self.given:
            return None
        end = self._tag_end(written)
        if end is None:
            return ASR_TEXT if len(written) >= TAG_LIMIT else None
        place = len(written) - end
        return self.given[place] if place < len(self.given) else None

    def is_full(self, written: Sequence[int]) -> bool:
        """Whether the model has written its budget."""
        if self.awaits_tag(written):
            return False
        end = (self._tag_end(written) or 0) if self.writes_tag else len(self.opening)
        return len(written) - end - len(self.given) >= self.budget

    def awaits_tag(self, written: Sequence[int]) -> bool:
        """Whether the model is writing the tag that given text has to follow; no end of the answer counts there."""
        return self.writes_tag and bool(self.given) and self._tag_end(written) is None

    def text_start(self, written: Sequence[int]) -> int:
        """Where the text begins: after the opening or the tag; 0 where the model wrote no tag."""
        return (self._tag_end(written) or 0) if self.writes_tag else len(self.opening)

    @staticmethod
    def _tag_end(written: Sequence[int]) -> int | None:
        head = written[: TAG_LIMIT + 1]
        return head.index(ASR_TEXT) + 1 if ASR_TEXT in head else None
