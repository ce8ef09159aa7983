"""The lines of one subtitle: as few as it takes, about equally long, broken where the sense is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from wavescribe.rendering.subtitle_words import Chunk

CLAUSE_BONUS = 0.02
"""How much better a break after a clause is, as a part of the longest line squared."""


def line_count(chunks: Sequence[Chunk], longest: int) -> int:
    """Lines that the chunks take when each line is filled; one that is too long for any line has one of its own."""
    lines, width = 1, 0
    for chunk in chunks:
        if width and width + chunk.spaced + chunk.width > longest:
            lines, width = lines + 1, chunk.width
        else:
            width += chunk.width + (chunk.spaced if width else 0)
    return lines


def broken(chunks: Sequence[Chunk], longest: int, most: int) -> list[str]:
    """The lines of a subtitle.

    Args:
        chunks: that fit.
        longest: columns of a line.
        most: lines.
    """
    count = min(line_count(chunks, longest), most)

    @cache
    def best(start: int, lines: int) -> tuple[float, tuple[int, ...]]:
        """The least cost of so many lines from a chunk on, and where each of them ends."""
        if lines == 1:
            return _cost(chunks, start, len(chunks), longest), (len(chunks),)
        options = [
            (_cost(chunks, start, end, longest) + rest, (end, *ends))
            for end in range(start + 1, len(chunks) - lines + 2)
            for rest, ends in [best(end, lines - 1)]
        ]
        return min(options)

    starts_and_ends = best(0, count)[1]
    return [_text(chunks[start:end]) for start, end in zip((0, *starts_and_ends), starts_and_ends, strict=False)]


def _cost(chunks: Sequence[Chunk], start: int, end: int, longest: int) -> float:
    """A long line costs more than two short ones: the least sum is the most even one."""
    line = chunks[start:end]
    width = sum(chunk.width + chunk.spaced for chunk in line) - line[0].spaced
    too_long = 1e6 if width > longest and len(line) > 1 else 0.0
    bonus = CLAUSE_BONUS * longest**2 if end < len(chunks) and (line[-1].ends_clause or line[-1].ends_sentence) else 0.0
    return width**2 + too_long - bonus


def _text(chunks: Sequence[Chunk]) -> str:
    return "".join(" " * chunk.spaced + chunk.text for chunk in chunks).strip()
