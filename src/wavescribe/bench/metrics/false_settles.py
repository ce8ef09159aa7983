"""False settles: settled words that are not what was said. They stay, because settled text never changes."""

from __future__ import annotations

import jiwer


def false_settles(gold: str, settled: str) -> tuple[int, int]:
    """Settled words that the best word alignment finds wrong or added, and all settled words.

    Args:
        gold: what was said, normalised.
        settled: what was settled, normalised.
    """
    words = len(settled.split())
    if not gold or not words:
        return words, words
    counts = jiwer.process_words(gold, settled)
    return counts.substitutions + counts.insertions, words


def settled_after_mismatch(gold: str, settled: str) -> tuple[int, int]:
    """Settled words from the first one that differs from the gold word at its place, and all settled words.

    The false commit rate of RealtimeSTT's evaluation: one missing word makes all that follow false, so that it is for
    short recordings only.

    Args:
        gold: what was said, normalised.
        settled: what was settled, normalised.
    """
    said, written = gold.split(), settled.split()
    right = 0
    for expected, word in zip(said, written, strict=False):
        if expected != word:
            break
        right += 1
    return len(written) - right, len(written)
