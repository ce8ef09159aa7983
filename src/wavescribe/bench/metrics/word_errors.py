"""Word and character error rates after the field's standard normaliser."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

import jiwer
from whisper_normalizer.basic import BasicTextNormalizer
from whisper_normalizer.english import EnglishTextNormalizer

BY_CHARACTER = frozenset({"zh", "yue", "ja", "th"})
"""Languages written without spaces: every character is a word, so that the rate is that of characters."""

WITH_MARKS = frozenset(
    {"as", "bn", "bo", "gu", "hi", "km", "kn", "lo", "ml", "mr", "my", "ne", "or", "pa", "sa", "si", "ta", "te", "th"}
)
"""Languages whose vowel signs and tones are combining marks, which Whisper's basic normaliser replaces by spaces."""


def _without_symbols(text: str) -> str:
    """What Whisper's basic normaliser does (NFKC, spaces for symbols and punctuation), but marks stay."""
    composed = unicodedata.normalize("NFKC", text)
    return "".join(" " if unicodedata.category(character)[0] in "SP" else character for character in composed)


_english = EnglishTextNormalizer()
_basic = BasicTextNormalizer()
_basic_with_marks = BasicTextNormalizer()
_basic_with_marks.clean = _without_symbols


def normalise(text: str, language: str) -> str:
    """The text as it is compared: Whisper's English or basic normaliser, single characters where there are no words.

    Combining marks stay in the languages of `WITH_MARKS`; in Thai each of them is a character.
    """
    if language == "en":
        return str(_english(text))
    plain = str((_basic_with_marks if language in WITH_MARKS else _basic)(text))
    return " ".join(plain.replace(" ", "")) if language in BY_CHARACTER else plain


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """Errors of a whole corpus.

    Attributes:
        substitutions: words that were wrong.
        deletions: words that were missing.
        insertions: words that nobody said.
        words: words of the gold text.
    """

    substitutions: int
    deletions: int
    insertions: int
    words: int

    @property
    def errors(self) -> int:
        """All errors."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float:
        """Errors per word of the gold text."""
        return self.errors / max(1, self.words)

    @classmethod
    def total(cls, rates: Iterable[ErrorRate]) -> ErrorRate:
        """The errors of several texts as one corpus."""
        held = list(rates)
        return cls(
            substitutions=sum(rate.substitutions for rate in held),
            deletions=sum(rate.deletions for rate in held),
            insertions=sum(rate.insertions for rate in held),
            words=sum(rate.words for rate in held),
        )


def character_error_rate(pairs: Iterable[tuple[str, str]]) -> ErrorRate:
    """The same by characters, spaces left out: `words` are then characters."""
    return error_rate((" ".join(gold.replace(" ", "")), " ".join(text.replace(" ", ""))) for gold, text in pairs)


def error_rate(pairs: Iterable[tuple[str, str]]) -> ErrorRate:
    """The error rate over (gold, recognised) pairs of normalised texts, every word weighing the same."""
    counts = [jiwer.process_words(gold, recognised) for gold, recognised in pairs if gold]
    return ErrorRate(
        substitutions=sum(count.substitutions for count in counts),
        deletions=sum(count.deletions for count in counts),
        insertions=sum(count.insertions for count in counts),
        words=sum(count.hits + count.substitutions + count.deletions for count in counts),
    )
