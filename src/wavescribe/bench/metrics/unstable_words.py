"""UPWR, the unstable partial word ratio: how much of what was shown was changed later.

Words of partial results that the next partial changes, over the words of the final text (Shangguan et al., arXiv
2006.01416, as restated by its implementations). Here a word is changed when it lies behind the common beginning of a
partial and the next one; words are compared without case, width and edge punctuation, and punctuation that stands alone
is no word.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import pairwise

from wavescribe.engines.word_groups import is_unspaced
from wavescribe.streaming.units import comparison_key


def unstable_words(partials: Sequence[str]) -> int:
    """Words shown and changed later.

    Args:
        partials: everything that was shown of a turn, one text a change, the final text last.
    """
    return sum(_changed(shown_words(before), shown_words(after)) for before, after in pairwise(partials))


def shown_words(text: str) -> list[str]:
    """The words of a text as they are compared; in scripts without spaces, its characters."""
    keys: list[str] = []
    for part in text.split():
        keys += list(part) if any(map(is_unspaced, part)) else [part]
    return [key for key in map(comparison_key, keys) if _is_word(key)]


def _is_word(key: str) -> bool:
    """Whether it has a letter or digit; a vowel sign or tone of a script without spaces is a character, too."""
    return any(
        character.isalnum() or (is_unspaced(character) and unicodedata.category(character)[0] == "M")
        for character in key
    )


def _changed(before: list[str], after: list[str]) -> int:
    common = 0
    for old, new in zip(before, after, strict=False):
        if old != new:
            break
        common += 1
    return len(before) - common
