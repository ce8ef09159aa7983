"""The parts of an answer's text: language and transcript."""

from __future__ import annotations

from dataclasses import dataclass

from wavescribe.engines.qwen3.repetition import without_runaway_repetition

MARK = "<asr_text>"
LANGUAGE = "language "


@dataclass(frozen=True, slots=True)
class ParsedAnswer:
    """An answer.

    Attributes:
        language: the language's name as the model wrote it, or None where it heard none or wrote none.
        text: the transcript.
        is_silence: whether the model said that nobody speaks.
    """

    language: str | None
    text: str
    is_silence: bool = False


def parse_answer(answer: str) -> ParsedAnswer:
    """Read `language English<asr_text>text`; without the mark all of it is text.

    As the official package's parse_asr_output: repetition is repaired first; `language None` means silence.
    """
    repaired = without_runaway_repetition(answer.strip())
    if MARK not in repaired:
        return ParsedAnswer(None, repaired.strip())
    tag, text = repaired.split(MARK, 1)
    name = _language(tag)
    if name is not None and name.lower() == "none":
        return ParsedAnswer(None, text.strip(), is_silence=True)
    return ParsedAnswer(name, text.strip())


def _language(tag: str) -> str | None:
    """The name in the tag's first line that is not empty."""
    lines = [line.strip() for line in tag.strip().splitlines() if line.strip()]
    if not lines:
        return None
    first = lines[0]
    name = first[len(LANGUAGE) :].strip() if first.lower().startswith(LANGUAGE) else first
    return name or None
