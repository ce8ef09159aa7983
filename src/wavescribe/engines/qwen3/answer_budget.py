"""How many tokens an answer may have."""

from __future__ import annotations

import math

TOKENS_PER_SECOND = 20
"""Fast speech in the scripts that the vocabulary has nearly no merges for: Hindi and Greek need 11 to 13 a second."""

FEWEST_TOKENS = 32


def answer_budget(seconds: float) -> int:
    """Most tokens of what is said in that many seconds."""
    return FEWEST_TOKENS + math.ceil(TOKENS_PER_SECOND * seconds)
