"""Over-emission: how much text is written for what was said; 1.0 is just as much.

The figure of the reports on streaming over repetitive audio, where a cumulative stream wrote 35 times the gold text.
"""

from __future__ import annotations

from wavescribe.bench.metrics.word_errors import normalise


def over_emission(gold: str, written: str, language: str) -> float | None:
    """Characters written per character of the gold text, as `counted` counts them; None without a gold text."""
    expected = counted(gold, language)
    return counted(written, language) / expected if expected else None


def counted(text: str, language: str) -> int:
    """The characters of the normalised text without spaces: few gold texts have punctuation, and a comma is not more.

    Args:
        text: as it was said or written.
        language: ISO 639-1 code.
    """
    return len(normalise(text, language).replace(" ", ""))
