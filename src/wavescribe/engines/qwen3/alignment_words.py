"""The words that the aligner places: single ideographs, otherwise runs of letters and digits."""

from __future__ import annotations

import unicodedata

_IDEOGRAPHS = (
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2CEAF),
    (0x2F800, 0x2FA1F),
)


def is_ideograph(character: str) -> bool:
    """Whether the character is a word by itself."""
    code = ord(character)
    return any(first <= code <= last for first, last in _IDEOGRAPHS)


def is_kept(character: str) -> bool:
    """Whether the aligner sees the character: letters, numbers, the apostrophe."""
    return character == "'" or unicodedata.category(character)[0] in "LN"


def split_words(text: str) -> tuple[list[str], list[int]]:
    """The words of a text, and for each character the index of its word, -1 where it has none.

    White space ends a word; punctuation inside one is left out.
    """
    words: list[str] = []
    owners: list[int] = []
    is_open = False
    for character in text:
        if not is_kept(character):
            is_open = is_open and not character.isspace()
            owners.append(-1)
            continue
        if is_ideograph(character) or not is_open:
            words.append("")
        words[-1] += character
        owners.append(len(words) - 1)
        is_open = not is_ideograph(character)
    return words, owners
