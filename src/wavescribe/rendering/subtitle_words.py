"""The pieces of text that a subtitle may be broken between, each with its time."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from wavescribe.engines.base import Word
from wavescribe.engines.word_groups import is_unspaced
from wavescribe.rendering.columns import columns

SENTENCE_ENDS = ".?!…。？！｡।؟"
CLAUSE_ENDS = ",;:、，；：،—–"
CLOSING = "\"'”’»)]}」』）】〉》"
NEVER_FIRST = "々ー〜ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ"
"""Characters that do not begin a line in Japanese, beside closing punctuation."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Text that stays on one line.

    Attributes:
        text: without space at its edges.
        spaced: whether a space stands before it, unless it begins a line.
        start: milliseconds from the start of the audio; above that of the chunk before.
        end: milliseconds from the start of the audio; at least `start`.
        width: columns.
    """

    text: str
    spaced: bool
    start: int
    end: int
    width: int

    @property
    def ends_sentence(self) -> bool:
        """Whether a sentence ends with it."""
        return self.text.rstrip(CLOSING).endswith(tuple(SENTENCE_ENDS))

    @property
    def ends_clause(self) -> bool:
        """Whether a comma, a colon or the like ends it."""
        return self.text.rstrip(CLOSING).endswith(tuple(CLAUSE_ENDS))


def chunks_of(words: Sequence[Word], earliest: int, latest: int, longest: int) -> list[Chunk]:
    """Words as chunks whose times lie in a span, in order, each starting after the one before.

    Args:
        words: in order; a word that begins without a space belongs to the one before, where it is no script that is
            written without spaces.
        earliest: milliseconds.
        latest: milliseconds.
        longest: columns of a line; longer words of scripts without spaces are cut up.
    """
    chunks: list[Chunk] = []
    for text, start, end in _pieces(words, longest):
        stripped = " ".join(text.split())
        chunk = Chunk(stripped, text[:1].isspace(), round(start * 1000), round(end * 1000), columns(stripped))
        if chunks and not _may_part(chunks[-1].text, text):
            chunks[-1] = _joined(chunks[-1], chunk)
        else:
            chunks.append(chunk)
    return _placed(chunks, earliest, latest)


def _pieces(words: Sequence[Word], longest: int) -> Iterator[tuple[str, float, float]]:
    """Words that say something; those too long for a line by characters, where the script has no spaces."""
    for word in words:
        text = word.text.rstrip()
        if columns(text.strip()) > longest and all(is_unspaced(character) for character in text.strip()):
            step = (word.end - word.start) / len(text)
            for place, character in enumerate(text):
                if character.strip():
                    yield character, word.start + place * step, word.start + (place + 1) * step
        elif text.strip():
            yield text, word.start, word.end


def _may_part(before: str, after: str) -> bool:
    if after[0].isspace():
        return True
    if not (is_unspaced(before[-1]) or is_unspaced(after[0])):
        return False
    category = unicodedata.category(after[0])
    closes = category in ("Pe", "Pf", "Po") or category[0] == "M" or after[0] in NEVER_FIRST
    return not closes and unicodedata.category(before[-1]) not in ("Ps", "Pi")


def _joined(first: Chunk, second: Chunk) -> Chunk:
    text = first.text + second.text
    return replace(first, text=text, end=max(first.end, second.end), width=first.width + second.width)


def _placed(chunks: list[Chunk], earliest: int, latest: int) -> list[Chunk]:
    """The chunks with starts that rise by a millisecond at least, all within the span."""
    placed: list[Chunk] = []
    for place, chunk in enumerate(chunks):
        least = placed[-1].start + 1 if placed else earliest
        most = latest - (len(chunks) - place)
        start = max(least, min(chunk.start, most))
        placed.append(replace(chunk, start=start, end=max(start, min(chunk.end, latest))))
    return placed
