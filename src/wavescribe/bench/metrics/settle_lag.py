"""Settle lag: when each word that was said became stable text, counted from its end in the audio.

Gold and emitted text are aligned character by character (Levenshtein distance over letters and digits, as the word
latency of ufal/asr_latency, IWSLT 2025), so that wrong, missing and doubled words do not shift the words after them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from wavescribe.bench.metrics.timeline import Emission, GoldWord

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


def match_words(words: Sequence[str], texts: Sequence[str]) -> list[int | None]:
    """For each word the index of the text with which it was complete, or None where it never came.

    Args:
        words: in order.
        texts: in order; a word may be spread over several, and a text may have several words.
    """
    said, starts = _joined(words)
    emitted, _ = _joined(texts)
    owners = [index for index, text in enumerate(texts) for _ in characters(text)]
    places = _matched_places(said, emitted)
    ends = [*starts[1:], len(said)][: len(starts)]
    return [_completed_by(places[start:end], owners) for start, end in zip(starts, ends, strict=True)]


def characters(text: str) -> str:
    """The letters, marks and digits of a text, case folded under NFKC: what is aligned."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if unicodedata.category(character)[0] in "LMN")


def _joined(texts: Sequence[str]) -> tuple[str, list[int]]:
    """All characters, and where those of each text begin."""
    starts: list[int] = []
    whole: list[str] = []
    length = 0
    for text in texts:
        starts.append(length)
        whole.append(characters(text))
        length += len(whole[-1])
    return "".join(whole), starts


def _matched_places(said: str, emitted: str) -> list[int | None]:
    """For each character said, the place of its equal in what was emitted."""
    places: list[int | None] = [None] * len(said)
    for step in Levenshtein.opcodes(said, emitted):
        if step.tag == "equal":
            for offset in range(step.src_end - step.src_start):
                places[step.src_start + offset] = step.dest_start + offset
    return places


def _completed_by(places: Sequence[int | None], owners: Sequence[int]) -> int | None:
    """The text that holds the last of a word's characters, leaving aside those that were matched far from the rest."""
    found = [place for place in places if place is not None]
    middle = found[len(found) // 2] if found else 0
    near = [place for place in found if abs(place - middle) <= len(places)]
    if not near or len(near) < LEAST_SHARE * len(places):
        return None
    return owners[near[-1]]
