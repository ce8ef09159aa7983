"""Repair of runaway repetition, as the official package does it after decoding."""

from __future__ import annotations

from itertools import groupby

THRESHOLD = 20
"""Repetitions that are taken for a loop; more than that of one character, as many of a pattern."""

LONGEST_PATTERN = 20
"""Characters of the longest pattern that is looked for."""


def without_runaway_repetition(text: str) -> str:
    """The text with each run of repetitions reduced to one: characters first, then patterns of up to 20 characters."""
    runs = ("".join(group) for _, group in groupby(text))
    return _without_patterns("".join(run[0] if len(run) > THRESHOLD else run for run in runs))


def _without_patterns(text: str) -> str:
    kept: list[str] = []
    place = 0
    while place <= len(text) - 2 * THRESHOLD:
        size = _pattern_at(text, place)
        if size == 0:
            kept.append(text[place])
            place += 1
            continue
        pattern = text[place : place + size]
        kept.append(pattern)
        while text.startswith(pattern, place):
            place += size
    return "".join(kept) + text[place:]


def _pattern_at(text: str, place: int) -> int:
    """Length of the shortest pattern that repeats THRESHOLD times from a place, or 0."""
    for size in range(1, LONGEST_PATTERN + 1):
        end = place + size * THRESHOLD
        if end > len(text):
            return 0
        if text[place:end] == text[place : place + size] * THRESHOLD:
            return size
    return 0
