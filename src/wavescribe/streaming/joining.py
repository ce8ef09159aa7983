"""Appending text to text with the right space between."""

from __future__ import annotations

from wavescribe.engines.word_groups import is_unspaced

_NO_SPACE_BEFORE = set(".,!?;:%)]}»”’…、。，！？；：）」』】")
_NO_SPACE_AFTER = set("([{«“‘（「『【")


def delta_after(transcript: str, text: str) -> str:
    """The text as it is appended to the transcript: no space first, one where two words would run together.

    Args:
        transcript: what was settled before in this turn.
        text: newly settled text, with the model's own leading space where it wrote one.
    """
    if not transcript:
        return text.lstrip()
    if transcript[-1].isspace():
        return text.lstrip()
    if not text or text[0].isspace() or text[0] in _NO_SPACE_BEFORE or transcript[-1] in _NO_SPACE_AFTER:
        return text
    if (
        is_unspaced(text[0])
        or is_unspaced(transcript[-1])
        or transcript[-1] in _NO_SPACE_BEFORE - set(".,!?;:%)]}»”’…")
    ):
        return text
    return " " + text


UNSPACED_LANGUAGES = frozenset({"zh", "yue", "ja", "th", "lo", "my", "km"})
"""ISO 639 codes of languages that are written without spaces between words, also around digits."""


def segment_delta(transcript: str, text: str, *, opens_segment: bool) -> str:
    """As `delta_after`, but inside a segment the model's own spacing stands."""
    if opens_segment or not transcript:
        return delta_after(transcript, text)
    return text


def spoken_word(text: str) -> str:
    """A unit's text as a word: without space around it, and without punctuation that belongs to the word before."""
    word = text.strip()
    return word if text[:1].isspace() else word.lstrip("".join(_NO_SPACE_BEFORE)).strip() or word


_SENTENCE_ENDS = frozenset(".!?…。！？")
_CLOSERS = "\"')]}»”’」』】"


def ends_sentence(text: str) -> bool:
    """Whether the text ends with the punctuation of a finished sentence; an ellipsis counts, a comma does not."""
    return text.rstrip().rstrip(_CLOSERS)[-1:] in _SENTENCE_ENDS
