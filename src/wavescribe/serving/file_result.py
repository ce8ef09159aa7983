"""A file's finished transcript."""

from __future__ import annotations

from dataclasses import dataclass

from wavescribe.engines.base import Segment, Task, Word


@dataclass(frozen=True, slots=True)
class FileResult:
    """What a file says.

    Attributes:
        language: ISO 639-1 code of the speech.
        duration: seconds of audio.
        segments: in order.
        task: "transcribe", or "translate" when the text is English whatever was spoken.
    """

    language: str
    duration: float
    segments: tuple[Segment, ...]
    task: Task = "transcribe"

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(segment.text for segment in self.segments).strip()

    @property
    def words(self) -> tuple[Word, ...]:
        """All words in order; empty when word times were not asked for."""
        return tuple(word for segment in self.segments for word in segment.words)
