"""Units: what is compared between hypotheses and committed.

A unit is a word as `engines.word_groups` divides them. It never splits a token: characters that share a token are one
unit, because the settled part of a window is forced on the decoder by token id.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace

from wavescribe.engines.base import Piece
from wavescribe.engines.word_groups import is_edge, starts_word, word_groups


@dataclass(frozen=True, slots=True)
class Unit:
    """A word or character of a hypothesis, placed on the stream's timeline.

    Attributes:
        token_ids: the engine's tokens, in order.
        text: the text as written, with its leading space where there is one.
        start: absolute sample position where it begins.
        end: absolute sample position where it ends.
        probability: the engine's probability of it, 0 to 1 (mean over its pieces).
    """

    token_ids: tuple[int, ...]
    text: str
    start: int
    end: int
    probability: float

    @property
    def key(self) -> str:
        """What is compared: NFKC, case folded, without punctuation and space at the edges."""
        return comparison_key(self.text)


def comparison_key(text: str) -> str:
    """The text under NFKC and case folding, without punctuation, symbols and space at its edges.

    A unit of punctuation alone keeps its characters, so that it still equals itself.
    """
    folded = unicodedata.normalize("NFKC", text).casefold().strip()
    start, end = 0, len(folded)
    while start < end and is_edge(folded[start]):
        start += 1
    while end > start and is_edge(folded[end - 1]):
        end -= 1
    return folded[start:end] or folded


def continues_word(settled: str, text: str) -> bool:
    """Whether the text would grow a settled word by letters ("world" + "ly"), which append-only text cannot show.

    Punctuation may follow a settled word, and so may anything in a script without spaces.
    """
    return bool(text) and not text[0].isspace() and not is_edge(text[0]) and not starts_word(settled, text)


def with_leading_punctuation(units: list[Unit]) -> list[Unit]:
    """The units with punctuation at their very start joined to the first word.

    It belongs to a word that has settled without it, and is not to be compared as a unit of its own.
    """
    if len(units) < 2 or not all(map(is_edge, units[0].text)):
        return units
    mark, word = units[0], units[1]
    joined = replace(word, token_ids=mark.token_ids + word.token_ids, text=mark.text + word.text)
    return [joined, *units[2:]]


def split_units(pieces: Iterable[Piece], window_start: int, window_end: int, sample_rate: int) -> list[Unit]:
    """Group a hypothesis's pieces into units on the stream's timeline.

    Args:
        pieces: the hypothesis's pieces, times in seconds from the window's start (None: unknown).
        window_start: absolute sample position of the window.
        window_end: absolute sample position where its audio ends; no unit ends later.
        sample_rate: samples per second.
    """
    return [_unit(group, window_start, window_end, sample_rate) for group in word_groups(pieces)]


def _unit(group: list[Piece], window_start: int, window_end: int, sample_rate: int) -> Unit:
    first, last = group[0].start, group[-1].end
    start = window_start if first is None else min(window_start + round(first * sample_rate), window_end)
    end = window_end if last is None else min(window_start + round(last * sample_rate), window_end)
    return Unit(
        token_ids=tuple(token for piece in group for token in piece.token_ids),
        text="".join(piece.text for piece in group),
        start=start,
        end=max(start, end),
        probability=sum(piece.probability for piece in group) / len(group),
    )
