"""How far two hypotheses agree."""

from __future__ import annotations

from collections.abc import Sequence

from wavescribe.streaming.units import Unit


def agreed_length(previous: Sequence[Unit], current: Sequence[Unit]) -> int:
    """How many leading units the two hypotheses have in common, by comparison key."""
    count = 0
    for before, now in zip(previous, current, strict=False):
        if before.key != now.key:
            break
        count += 1
    return count
