"""Whole files part by part: refused before any work where they are too long, and never all in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from wavescribe.audio.decoding import iterate_audio, too_short
from wavescribe.audio.parts import PART_SECONDS, Part, cut_into_parts
from wavescribe.engines.base import Engine, FileOptions, Samples, Segment
from wavescribe.serving.file_result import FileResult


def file_parts(source: BinaryIO, *, sample_rate: int, max_seconds: float, min_seconds: float) -> Iterator[Part]:
    """The audio of a file in parts.

    It is decoded to its end before the first part is given, so that nothing is done for a file that turns out to be too
    long or damaged; a long one is then decoded again, which costs a thousandth of its transcription.

    Args:
        source: the file's bytes, seekable.
        sample_rate: samples per second of the parts.
        max_seconds: longest audio accepted.
        min_seconds: shortest audio accepted.

    Raises:
        AudioTooShortError: there is less audio than `min_seconds`.
        InvalidRequestError: see `iterate_audio`.
    """
    kept, length = list[Samples](), 0
    for block in iterate_audio(source, sample_rate=sample_rate, max_seconds=max_seconds):
        length += len(block)
        if length <= PART_SECONDS * sample_rate:
            kept.append(block)
        else:
            kept.clear()
    if length < min_seconds * sample_rate:
        raise too_short(min_seconds)
    yield from cut_into_parts(
        kept or iterate_audio(source, sample_rate=sample_rate, max_seconds=max_seconds), sample_rate
    )


@dataclass
class PartwiseTranscription:
    """The transcription of a file's parts, one after the other.

    Attributes:
        engine: the engine.
        options: how the file is transcribed. A language that is detected is that of the first part with speech in
            which one was.
        goes_on: told the position in seconds after each segment; False ends the work there.
    """

    engine: Engine
    options: FileOptions
    goes_on: Callable[[float], bool] = lambda _: True
    _language: str = ""
    _detected: str | None = None
    _segments: list[Segment] = field(default_factory=list)

    def run(self, parts: Iterable[Part]) -> FileResult:
        """Transcribe the parts.

        Args:
            parts: in order, at the engine's rate.

        Returns:
            The result, with times from the file's start.

        Raises:
            InvalidRequestError: the engine does not have the language or the task; or the parts cannot be read.
            EngineError: the engine failed.
        """
        length = 0
        for part in parts:
            length = part.start + len(part.samples)
            if not self._transcribe(part):
                break
        rate = self.engine.info.sample_rate
        return FileResult(self._language, length / rate, tuple(self._segments), self.options.task)

    def _transcribe(self, part: Part) -> bool:
        known = self.options.language or self._detected
        transcription = self.engine.transcribe_file(part.samples, replace(self.options, language=known))
        if self._detected is None:
            self._language = transcription.language
        offset = part.start / self.engine.info.sample_rate
        for segment in transcription.segments:
            self._segments.append(_moved(segment, len(self._segments), offset))
            if transcription.language_probability > 0:
                self._detected = self._language
            if not self.goes_on(self._segments[-1].end):
                return False
        return True


def _moved(segment: Segment, index: int, offset: float) -> Segment:
    """A part's segment as one of the file."""
    words = tuple(replace(word, start=word.start + offset, end=word.end + offset) for word in segment.words)
    return replace(
        segment,
        id=index,
        seek=segment.seek + round(100 * offset),
        start=segment.start + offset,
        end=segment.end + offset,
        words=words,
    )
