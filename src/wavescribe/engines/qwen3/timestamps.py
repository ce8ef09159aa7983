"""Word times that only rise, from the aligner's raw answers."""

from __future__ import annotations

from collections.abc import Sequence

SHORT_BLOCK = 2
"""A run of this many wrong times takes a neighbour's; longer ones are spread between their neighbours."""


def rising(times: Sequence[float]) -> list[int]:
    """Replace times that fall out of order, as the official package's fix_timestamp.

    The longest run that never falls is kept; what lies between its members is put between them.

    Args:
        times: milliseconds, start and end of each word in turn.
    """
    kept = _longest_rising(times)
    result = [float(time) for time in times]
    place = 0
    while place < len(times):
        if place in kept:
            place += 1
            continue
        end = place
        while end < len(times) and end not in kept:
            end += 1
        result[place:end] = _between(result, kept, place, end)
        place = end
    return [int(time) for time in result]


def _longest_rising(times: Sequence[float]) -> set[int]:
    lengths, before = [1] * len(times), [-1] * len(times)
    for current in range(len(times)):
        for earlier in range(current):
            if times[earlier] <= times[current] and lengths[earlier] + 1 > lengths[current]:
                lengths[current], before[current] = lengths[earlier] + 1, earlier
    kept: set[int] = set()
    index = lengths.index(max(lengths)) if lengths else -1
    while index != -1:
        kept.add(index)
        index = before[index]
    return kept


def _between(times: Sequence[float], kept: set[int], start: int, end: int) -> list[float]:
    """Times for the places from start to end, which are not kept; their neighbours are kept or do not exist."""
    left = times[start - 1] if start > 0 else None
    right = times[end] if end < len(times) else None
    count = end - start
    if left is None or right is None:
        known = left if left is not None else right
        return [known if known is not None else 0.0] * count
    if count <= SHORT_BLOCK:
        return [left if place - (start - 1) <= end - place else right for place in range(start, end)]
    step = (right - left) / (count + 1)
    return [left + step * (index + 1) for index in range(count)]
