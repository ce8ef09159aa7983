"""How a hypothesis's pieces are divided into words.

A word is what white space sets off; in scripts written without spaces it is one character, with the punctuation that
follows it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

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


def is_unspaced(character: str) -> bool:
    """Whether the character belongs to a script that is written without spaces between words."""
    code = ord(character)
    return any(first <= code <= last for first, last in _UNSPACED_RANGES)


def is_edge(character: str) -> bool:
    """Whether the character is punctuation, a symbol or space."""
    return unicodedata.category(character)[0] in "PSZ"


def starts_word(previous: str, text: str) -> bool:
    """Whether a piece with this text begins a new word after a word with the previous text."""
    if not previous or text[:1].isspace():
        return True
    first = text.lstrip()[:1]
    if not first or is_edge(first) or unicodedata.category(first)[0] == "M":
        return False
    letters = [character for character in previous if not is_edge(character)]
    return is_unspaced(first) or (bool(letters) and is_unspaced(letters[-1]))


def word_groups(pieces: Iterable[Piece]) -> list[list[Piece]]:
    """The pieces of each word, in order; a piece is never split."""
    groups: list[list[Piece]] = []
    text = ""
    for piece in pieces:
        if not groups or starts_word(text, piece.text):
            groups.append([])
            text = ""
        groups[-1].append(piece)
        text += piece.text
    return groups
