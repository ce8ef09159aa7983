"""How long to wait before each try to connect again."""

from __future__ import annotations

import random
from collections.abc import Iterator

FIRST, LONGEST = 0.1, 5.0


def waits(chance: random.Random | None = None) -> Iterator[float]:
    """Seconds before each try, without end: none, then twice as long each time.

    Chance is in it, so that the clients of a server that came back do not all come at once.

    Args:
        chance: decides; one of its own where not given.
    """
    chance = chance or random.Random()
    yield 0.0
    longest = FIRST
    while True:
        yield longest * chance.uniform(0.5, 1)
        longest = min(2 * longest, LONGEST)
