"""The width of text in columns."""

from __future__ import annotations

import unicodedata


def columns(text: str) -> int:
    """Columns that a text takes in a fixed-width font: full-width characters take two, combining ones none."""
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
