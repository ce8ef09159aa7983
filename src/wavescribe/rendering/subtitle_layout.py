"""Subtitles that can be read: which words stand together, on which lines, from when to when.

The measures are those of the trade (Netflix' and the BBC's style guides): 42 columns, two lines, 17 characters a
second, five sixths of a second to seven seconds, two frames between two subtitles. What is best for a whole run of
words is searched for, not subtitle by subtitle: breaks at ends of sentences, then at pauses and ends of clauses, and
no word left alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from wavescribe.engines.base import Word
from wavescribe.rendering.subtitle_lines import broken, line_count
from wavescribe.rendering.subtitle_words import Chunk, chunks_of
from wavescribe.rendering.subtitles import Cue

MIN_GAP, CLOSED_GAP = 83, 500
"""Milliseconds between two subtitles: two frames at 24 a second; what is less than half a second is closed to that."""

MIN_DURATION, MAX_DURATION = 833, 7_000
"""Milliseconds that a subtitle stands."""

PAUSE, LONG_PAUSE, SILENCE = 300, 1_000, 2_000
"""Milliseconds without a word: where a break is good, where one belongs, and what no subtitle stands through."""

EACH, IN_CLAUSE, AT_CLAUSE, AT_PAUSE = 10.0, 25.0, 6.0, 4.0
"""Costs of a subtitle, and of breaking within a clause, at its end, and in a pause."""

SENTENCE_INSIDE, PAUSE_INSIDE, ORPHAN, FEW_LETTERS, TOO_SHORT, TOO_FAST = 3.0, 40.0, 30.0, 10.0, 20.0, 30.0
"""Costs of what is in it: the last is for text that has to be read at twice the speed."""


@dataclass(frozen=True, slots=True)
class SubtitleStyle:
    """What readers are asked of.

    Attributes:
        max_line_length: columns of a line; full-width characters take two.
        max_lines: lines of a subtitle.
        reading_speed: columns a second.
    """

    max_line_length: int = 42
    max_lines: int = 2
    reading_speed: float = 17.0


DEFAULT_STYLE = SubtitleStyle()


def lay_out(
    words: Sequence[Word], *, latest: float, earliest: float = 0.0, style: SubtitleStyle = DEFAULT_STYLE
) -> list[Cue]:
    """Subtitles of words.

    All words are there in order. Subtitles never overlap and lie within the span; lines keep their length unless a
    single word is longer. There are two frames between subtitles wherever the words leave as much.

    Args:
        words: in order, with leading spaces where the script has them; times in seconds.
        latest: seconds where the audio ends.
        earliest: seconds before which nothing stands.
        style: the measures.

    Returns:
        The subtitles; none when the span has no room for one millisecond a word.
    """
    first, last = math.ceil(earliest * 1000), math.floor(latest * 1000)
    chunks = chunks_of(words, first, last, style.max_line_length)
    if not chunks or last - first < len(chunks):
        return []
    return [
        Cue(
            chunks[start].start,
            _end(chunks, start, end, last, style),
            "\n".join(broken(chunks[start:end], style.max_line_length, style.max_lines)),
        )
        for start, end in _cuts(chunks, last, style)
    ]


def _cuts(chunks: list[Chunk], latest: int, style: SubtitleStyle) -> list[tuple[int, int]]:
    """The runs of chunks that cost least together, as (first, after the last)."""
    least = [0.0] + [math.inf] * len(chunks)
    came_from = [0] * (len(chunks) + 1)
    for start in range(len(chunks)):
        inside = 0.0
        for end in range(start + 1, len(chunks) + 1):
            if end > start + 1:
                inside += _inside(chunks[end - 2], chunks[end - 1])
                if not _fits(chunks[start:end], style):
                    break
            cost = least[start] + EACH + inside + _own(chunks, start, end, latest, style)
            if cost < least[end]:
                least[end], came_from[end] = cost, start
    cuts: list[tuple[int, int]] = []
    end = len(chunks)
    while end:
        cuts.append((came_from[end], end))
        end = came_from[end]
    return cuts[::-1]


def _fits(chunks: list[Chunk], style: SubtitleStyle) -> bool:
    """Whether several chunks may be one subtitle."""
    return (
        chunks[-1].end - chunks[0].start <= MAX_DURATION
        and chunks[-1].start - chunks[-2].end < SILENCE
        and line_count(chunks, style.max_line_length) <= style.max_lines
    )


def _inside(before: Chunk, after: Chunk) -> float:
    """What it costs not to break between two chunks."""
    cost = SENTENCE_INSIDE if before.ends_sentence else 0.0
    return cost + (PAUSE_INSIDE if after.start - before.end >= LONG_PAUSE else 0.0)


def _own(chunks: list[Chunk], start: int, end: int, latest: int, style: SubtitleStyle) -> float:
    """What a subtitle costs by its end, its length and its time."""
    run = chunks[start:end]
    begins = start == 0 or chunks[start - 1].ends_sentence
    width = _width(run)
    duration = _end(chunks, start, end, latest, style) - run[0].start
    cost = _break(run[-1], chunks[end]) if end < len(chunks) else 0.0
    if not (begins and run[-1].ends_sentence):
        cost += ORPHAN if len(run) == 1 else 0.0
        cost += FEW_LETTERS if width < style.max_line_length / 4 else 0.0
    cost += TOO_SHORT * max(0.0, 1 - duration / MIN_DURATION)
    return cost + TOO_FAST * max(0.0, 1000 * width / duration / style.reading_speed - 1)


def _break(last: Chunk, following: Chunk) -> float:
    pause = following.start - last.end
    if last.ends_sentence or pause >= LONG_PAUSE:
        return 0.0
    if pause >= PAUSE:
        return AT_PAUSE
    return AT_CLAUSE if last.ends_clause else IN_CLAUSE


def _end(chunks: list[Chunk], start: int, end: int, latest: int, style: SubtitleStyle) -> int:
    """Where a subtitle ends: with its last word, or later where it has to be read and nothing follows."""
    begin = chunks[start].start
    room = chunks[end].start - MIN_GAP if end < len(chunks) else latest
    if room <= begin:
        return chunks[end].start
    to_read = begin + max(MIN_DURATION, math.ceil(1000 * _width(chunks[start:end]) / style.reading_speed))
    wanted = min(max(chunks[end - 1].end, to_read), begin + MAX_DURATION)
    if end < len(chunks) and room - wanted < CLOSED_GAP - MIN_GAP and room - begin <= MAX_DURATION:
        wanted = room
    return max(begin + 1, min(wanted, room))


def _width(chunks: Sequence[Chunk]) -> int:
    return sum(chunk.width + chunk.spaced for chunk in chunks) - chunks[0].spaced
