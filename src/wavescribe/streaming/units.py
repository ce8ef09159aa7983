"""Units: what is compared between hypotheses and committed.

A unit is a word set off by white space; in scripts written without spaces it is one character, with the
punctuation that follows it. A unit never splits a token: characters that share a token are one unit, because the
settled part of a window is forced on the decoder by token id.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace

from wavescribe.engines.base import Piece

_UNSPACED_RANGES = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3005, 0x3007),  # ideographic iteration mark, closing mark, zero
    (0x3040, 0x30FF),  # Hiragana, Katakana
    (0x31F0, 0x31FF),  # Katakana extensions
    (0x3400, 0x4DBF),  # Han extension A
    (0x4E00, 0x9FFF),  # Han
    (0xF900, 0xFAFF),  # Han compatibility
    (0xFF66, 0xFF9F),  # half-width Katakana
    (0x20000, 0x3FFFF),  # Han extensions B and later
)


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


def is_unspaced(character: str) -> bool:
    """Whether the character belongs to a script that is written without spaces between words."""
    code = ord(character)
    return any(first <= code <= last for first, last in _UNSPACED_RANGES)


def comparison_key(text: str) -> str:
    """The text under NFKC and case folding, without punctuation, symbols and space at its edges.

    A unit of punctuation alone keeps its characters, so that it still equals itself.
    """
    folded = unicodedata.normalize("NFKC", text).casefold().strip()
    start, end = 0, len(folded)
    while start < end and _is_edge(folded[start]):
        start += 1
    while end > start and _is_edge(folded[end - 1]):
        end -= 1
    return folded[start:end] or folded


def _is_edge(character: str) -> bool:
    return unicodedata.category(character)[0] in "PSZ"


def _starts_unit(previous: str, text: str) -> bool:
    """Whether a piece with this text begins a new unit after a unit with the previous text."""
    if not previous or text[:1].isspace():
        return True
    first = text.lstrip()[:1]
    if not first or _is_edge(first) or unicodedata.category(first)[0] == "M":
        return False
    letters = [character for character in previous if not _is_edge(character)]
    return is_unspaced(first) or (bool(letters) and is_unspaced(letters[-1]))


def continues_word(settled: str, text: str) -> bool:
    """Whether the text would grow a settled word by letters ("world" + "ly"), which append-only text cannot show.

    Punctuation may follow a settled word, and so may anything in a script without spaces.
    """
    return bool(text) and not text[0].isspace() and not _is_edge(text[0]) and not _starts_unit(settled, text)


def with_leading_punctuation(units: list[Unit]) -> list[Unit]:
    """The units with punctuation at their very start joined to the first word.

    It belongs to a word that has settled without it, and is not to be compared as a unit of its own.
    """
    if len(units) < 2 or not all(map(_is_edge, units[0].text)):
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
    groups: list[list[Piece]] = []
    text = ""
    for piece in pieces:
        if not groups or _starts_unit(text, piece.text):
            groups.append([])
            text = ""
        groups[-1].append(piece)
        text += piece.text
    return [_unit(group, window_start, window_end, sample_rate) for group in groups]


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
