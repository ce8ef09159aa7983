"""New times for settled units: the more sound follows a word, the better its place is known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from wavescribe.engines.base import Piece
from wavescribe.streaming.units import Unit

LONGEST_UNIT_SECONDS = 1.5
"""No word that is spoken fluently is longer; an alignment that says so stretched the word over sound it left out."""


LONGEST_CHARACTER_SECONDS = 0.6
"""Digits, and letters that are spelled, are said one by one: a telephone number may be one unit of ten digits."""

ONE_BY_ONE = re.compile(r"\d|(?<![^\W\d_])[^\W\d_](?![^\W\d_])")
"""A digit, or a letter that stands alone ("W-A-V-E")."""


def retimed(units: Sequence[Unit], pieces: Iterable[Piece], window_start: int, sample_rate: int) -> list[Unit]:
    """The units with the times of the hypothesis that they are the forced prefix of.

    Args:
        units: settled units inside the window, in order.
        pieces: the hypothesis's pieces, which begin with the units' tokens.
        window_start: absolute sample position of the window.
        sample_rate: samples per second.
    """
    remaining = iter(pieces)
    return [_retimed(unit, remaining, window_start, sample_rate) for unit in units]


def _retimed(unit: Unit, remaining: Iterable[Piece], window_start: int, sample_rate: int) -> Unit:
    start: float | None = None
    end: float | None = None
    tokens = 0
    while tokens < len(unit.token_ids):
        piece = next(iter(remaining), None)
        if piece is None:
            return unit
        start = piece.start if start is None else start
        end = piece.end
        tokens += len(piece.token_ids)
    if start is None or end is None:
        return unit
    first = window_start + round(start * sample_rate)
    last = window_start + round(end * sample_rate)
    return replace(unit, start=first, end=max(first, last))


def unstretched(unit: Unit, sample_rate: int) -> Unit:
    """The unit, no longer than a spoken word; than a spoken number or a spelled name, where it is one."""
    longest = max(LONGEST_UNIT_SECONDS, LONGEST_CHARACTER_SECONDS * len(ONE_BY_ONE.findall(unit.text)))
    return replace(unit, end=min(unit.end, unit.start + round(longest * sample_rate)))
