"""Removing by text what two overlapping slices of audio both said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from wavescribe.engines.word_groups import is_unspaced
from wavescribe.streaming.units import Unit, comparison_key


def without_overlap(history: Sequence[str], words: Sequence[Unit]) -> list[Unit]:
    """The words without those at their start that the end of the history has too.

    Compared word by word under NFKC, case folding and without edge punctuation; where no word fits and the text is
    of a script without spaces, character by character. Nobody can tell by text whether a phrase was heard twice or
    said twice: real repetitions are removed too.
    """
    count = _longest_overlap([comparison_key(word) for word in history], [word.key for word in words])
    if count or not words or not any(map(is_unspaced, words[0].text)):
        return list(words[count:])
    return _without_characters(history, words)


def _without_characters(history: Sequence[str], words: Sequence[Unit]) -> list[Unit]:
    first = words[0]
    known = _longest_overlap(list("".join(history)), list(first.text))
    rest = replace(first, text=first.text[known:], token_ids=() if known else first.token_ids)
    return [*([rest] if rest.text else []), *words[1:]]


def _longest_overlap(history: Sequence[str], candidate: Sequence[str]) -> int:
    for count in range(min(len(history), len(candidate)), 0, -1):
        if list(history[-count:]) == list(candidate[:count]):
            return count
    return 0
