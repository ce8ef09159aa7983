"""Confirming by rollback: all but the last few words of each hypothesis, as SGLang's realtime endpoint does it.

The rule compares text by text and knows no positions; what that does to revised, repeated and unspaced text is part
of the recipe and kept as it is (tests/streaming/test_recipe_defects.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from wavescribe.streaming.units import Unit


def whitespace_words(units: Sequence[Unit]) -> list[Unit]:
    """Units joined to words set off by white space, in every script; texts come without space at their edges."""
    words: list[Unit] = []
    for unit in units:
        if words and not unit.text[:1].isspace() and not words[-1].text[-1:].isspace():
            words[-1] = _joined(words[-1], unit)
        else:
            words.append(unit)
    stripped = [replace(word, text=word.text.strip()) for word in words]
    return [word for word in stripped if word.text]


def _joined(first: Unit, second: Unit) -> Unit:
    return replace(
        first,
        token_ids=first.token_ids + second.token_ids,
        text=first.text + second.text,
        end=second.end,
        probability=min(first.probability, second.probability),
    )


class Rollback:
    """What one turn has confirmed.

    Args:
        unfixed_words: words at a hypothesis's end that are held back.
    """

    def __init__(self, unfixed_words: int) -> None:
        self._unfixed_words = unfixed_words
        self._confirmed: list[str] = []
        self._last: list[Unit] = []

    def update(self, words: Sequence[Unit]) -> list[Unit]:
        """The words that a hypothesis confirms newly, by comparison with those confirmed before.

        Where the confirmed text is continued as characters, what is emitted may begin in the middle of a word; such
        a fragment has no tokens. Where it is revised, everything from the first difference is emitted again.
        """
        self._last = list(words)
        kept = self._last[: max(0, len(words) - self._unfixed_words)]
        before = " ".join(self._confirmed)
        if " ".join(_texts(kept)).startswith(before):
            new = _after_characters(kept, len(before))
        else:
            new = kept[_common_length(self._confirmed, kept) :]
        self._confirmed = _texts(kept)
        return new

    def finish(self) -> list[Unit]:
        """The words of the last hypothesis after those confirmed; all of them where the first one was revised."""
        return self._last[_common_length(self._confirmed, self._last) :]

    @property
    def held_back(self) -> list[Unit]:
        """The words at the end of the last hypothesis that are not confirmed."""
        return self._last[len(self._confirmed) :]


def _texts(words: Sequence[Unit]) -> list[str]:
    return [word.text for word in words]


def _common_length(confirmed: Sequence[str], words: Sequence[Unit]) -> int:
    count = 0
    while count < min(len(confirmed), len(words)) and confirmed[count] == words[count].text:
        count += 1
    return count


def _after_characters(words: Sequence[Unit], known: int) -> list[Unit]:
    """The words after that many characters of their text joined by spaces."""
    rest: list[Unit] = []
    position = 0
    for word in words:
        seen = known - position
        if seen <= 0:
            rest.append(word)
        elif seen < len(word.text):
            rest.append(replace(word, text=word.text[seen:], token_ids=()))
        position += len(word.text) + 1
    return rest
