"""Settle lag: when each word that was said became stable text, counted from its end in the audio.

Gold and emitted text are aligned character by character (Levenshtein distance over letters and digits, as the word
latency of ufal/asr_latency, IWSLT 2025), so that wrong, missing and doubled words do not shift the words after them.
Where the distance leaves a choice, a word has come with its first copy.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from wavescribe.bench.metrics.timeline import Emission, GoldWord, StatedWord
from wavescribe.engines.word_groups import is_unspaced

LEAST_SHARE = 0.5
"""Share of a word's characters that must have been emitted for the word to count as emitted."""


@dataclass(frozen=True, slots=True)
class SettleLags:
    """The lags of a stream's words.

    Attributes:
        lags: for each word that was emitted, in the order of the gold words, seconds from its end to its arrival.
        missing: gold words that never came.
    """

    lags: tuple[float, ...]
    missing: int


def settle_lags(gold: Sequence[GoldWord], emissions: Sequence[Emission]) -> SettleLags:
    """The lag of each gold word; a word that is partly wrong counts if half of its characters are right."""
    matches = match_words([word.text for word in gold], [emission.text for emission in emissions])
    lags = tuple(
        emissions[match].time - word.end for word, match in zip(gold, matches, strict=True) if match is not None
    )
    return SettleLags(lags, len(gold) - len(lags))


def stated_lags(words: Sequence[str], stated: Sequence[StatedWord]) -> tuple[float, ...]:
    """The lag of each gold word that came, by the end that is told of it instead of the gold word's.

    Args:
        words: the gold words, in order.
        stated: all words that were told, in order; those that match no gold word, and second copies, have no lag.
    """
    matches = match_words(words, [f" {word.text}" for word in stated])
    return tuple(stated[match].time - stated[match].end for match in matches if match is not None)


def match_words(words: Sequence[str], texts: Sequence[str]) -> list[int | None]:
    """For each word the index of the text with which it was complete, or None where it never came.

    Args:
        words: in order.
        texts: in order; a word may be spread over several, and a text may have several words.
    """
    owners = [index for index, text in enumerate(texts) for _ in characters(text)]
    ends = _word_ends([characters(word) for word in words], "".join(map(characters, texts)), _edges(texts))
    return [None if end is None else owners[end - 1] for end in ends]


def characters(text: str) -> str:
    """The letters, marks and digits of a text, case folded under NFKC: what is aligned."""
    return "".join(filter(_is_aligned, _folded(text)))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _is_aligned(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN"


def _edges(texts: Iterable[str]) -> set[int]:
    """The places in the texts' characters where a word can begin or end."""
    edges, place = {0}, 0
    for character in (character for text in texts for character in _folded(text)):
        if not _is_aligned(character):
            edges.add(place)
            continue
        if is_unspaced(character):
            edges |= {place, place + 1}
        place += 1
    return edges | {place}


def _word_ends(words: Sequence[str], emitted: str, edges: set[int]) -> Iterator[int | None]:
    """For each word where it ends in what was emitted, or None where it never came."""
    places = _matched_places("".join(words), emitted)
    following = _following(places, len(emitted))
    free = stop = 0
    for word in words:
        start, stop = stop, stop + len(word)
        end = _end(places[start:stop])
        if end is not None:
            end = _first_copy_end(word, emitted, range(free, following[stop] - len(word) + 1), edges) or end
        free = end or free
        yield end


def _following(places: Sequence[int | None], length: int) -> list[int]:
    """For each character said, and after the last, the first place that it or a later one was matched at."""
    following = [length]
    for place in reversed(places):
        following.append(following[-1] if place is None else place)
    return following[::-1]


def _first_copy_end(word: str, emitted: str, starts: Iterable[int], edges: set[int]) -> int | None:
    """Where the first copy of a word ends; within other words ("a" in "that") there are no copies."""
    for start in starts:
        if emitted.startswith(word, start) and {start, start + len(word)} <= edges:
            return start + len(word)
    return None


def _matched_places(said: str, emitted: str) -> list[int | None]:
    """For each character said, the place of its equal in what was emitted."""
    places: list[int | None] = [None] * len(said)
    for step in Levenshtein.opcodes(said, emitted):
        if step.tag == "equal":
            for offset in range(step.src_end - step.src_start):
                places[step.src_start + offset] = step.dest_start + offset
    return places


def _end(places: Sequence[int | None]) -> int | None:
    """After the last of a word's characters, leaving aside those that were matched far from the rest."""
    found = [place for place in places if place is not None]
    middle = found[len(found) // 2] if found else 0
    near = [place for place in found if abs(place - middle) <= len(places)]
    if not near or len(near) < LEAST_SHARE * len(places):
        return None
    return near[-1] + 1
