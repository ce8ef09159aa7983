"""Over-emission: how much text is written for what was said; 1.0 is just as much.

The figure of the reports on streaming over repetitive audio, where a cumulative stream wrote 35 times the gold text.
"""

from __future__ import annotations


def over_emission(gold: str, written: str) -> float | None:
    """Characters written per character of the gold text, white space counted once; None without a gold text."""
    expected = len(" ".join(gold.split()))
    return len(" ".join(written.split())) / expected if expected else None
