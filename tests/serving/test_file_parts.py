from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest

from wavescribe.audio import parts
from wavescribe.audio.parts import Part
from wavescribe.engines.base import Engine, FileOptions, FileTranscription, Samples, Segment, Word
from wavescribe.errors import AudioTooLongError, AudioTooShortError
from wavescribe.serving import file_parts as module
from wavescribe.serving.file_parts import PartwiseTranscription, file_parts

if TYPE_CHECKING:
    from tests.serving.conftest import FakeEngine

RATE = 16_000


class ListeningEngine:
    """Says in each part, a second before its end, how long it is; nothing in parts of silence."""

    def __init__(self, info: object, detected: str = "de") -> None:
        self.info = info
        self.detected = detected
        self.certainty: dict[int, float] = {}
        """Belief in the language by number of part; 1 where none is said."""
        self.asked: list[str | None] = []
        self.read = 0

    def transcribe_file(self, samples: Samples, options: FileOptions) -> FileTranscription:
        self.asked.append(options.language)
        language = options.language or (self.detected if samples.any() else "en")
        certainty = self.certainty.get(len(self.asked), 1.0)
        language = language if certainty else "en"
        return FileTranscription(language, certainty, len(samples) / RATE, self._segments(samples))

    def _segments(self, samples: Samples) -> Iterator[Segment]:
        end = len(samples) / RATE
        if samples.any():
            self.read += 1
            words = (Word(f" {end:g}", end - 1, end, 1.0),)
            yield Segment(0, round(100 * (end - 1)), end - 1, end, f" {end:g}", (), 0.0, 0.0, 1.0, 0.0, words)


@pytest.fixture
def listening(engine: FakeEngine) -> ListeningEngine:
    return ListeningEngine(engine.info)


def sound(*seconds: float) -> list[Part]:
    """Parts of such lengths; those of negative length are silent."""
    found, start = [], 0
    for length in seconds:
        samples = np.full(round(abs(length) * RATE), float(length > 0), dtype=np.float32)
        found.append(Part(start, samples))
        start += len(samples)
    return found


def transcription(engine: ListeningEngine, **options: object) -> PartwiseTranscription:
    return PartwiseTranscription(cast(Engine, engine), FileOptions(**options))  # type: ignore[arg-type]  # by name


def test_times_and_numbers_go_on_from_part_to_part(listening: ListeningEngine) -> None:
    result = transcription(listening, word_times=True).run(sound(3, 4, 2))
    assert (result.text, result.duration, result.language) == ("3 4 2", 9.0, "de")
    assert [(segment.id, segment.seek, segment.start, segment.end) for segment in result.segments] == [
        (0, 200, 2.0, 3.0),
        (1, 600, 6.0, 7.0),
        (2, 800, 8.0, 9.0),
    ]
    assert [(word.start, word.end) for word in result.words] == [(2.0, 3.0), (6.0, 7.0), (8.0, 9.0)]


def test_the_language_is_that_of_the_first_part_with_speech(listening: ListeningEngine) -> None:
    result = transcription(listening).run(sound(-3, -3, 4, 2))
    assert listening.asked == [None, None, None, "de"]
    assert (result.language, result.text, result.duration) == ("de", "4 2", 12.0)


def test_a_language_that_nobody_detected_is_not_that_of_the_next_part(listening: ListeningEngine) -> None:
    listening.certainty = {1: 0.0, 2: 0.0}
    result = transcription(listening).run(sound(2, 2, 2, 2))
    assert listening.asked == [None, None, None, "de"]
    assert result.language == "de"


def test_a_language_that_is_given_is_that_of_every_part(listening: ListeningEngine) -> None:
    assert transcription(listening, language="en").run(sound(3, -1, 3)).language == "en"
    assert listening.asked == ["en"] * 3


def test_the_work_ends_where_nobody_wants_it_any_more(listening: ListeningEngine) -> None:
    seen: list[float] = []

    def go_on(position: float) -> bool:
        seen.append(position)
        return position < 5

    PartwiseTranscription(cast(Engine, listening), FileOptions(), go_on).run(iter(sound(3, 4, 2, 2)))
    assert (seen, listening.read) == ([3.0, 7.0], 2)


def recording(seconds: float) -> io.BytesIO:
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(RATE)
        samples = np.random.default_rng(0).uniform(-9000, 9000, round(seconds * RATE))
        written.writeframes(samples.astype("<i2").tobytes())
    return file


def read(seconds: float, most: float = 100.0) -> list[Part]:
    return list(file_parts(recording(seconds), sample_rate=RATE, max_seconds=most, min_seconds=0.1))


def test_a_long_file_comes_in_parts_that_are_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    [whole] = read(25)
    for where in (parts, module):
        monkeypatch.setattr(where, "PART_SECONDS", 10.0)
    monkeypatch.setattr(parts, "SEARCH_SECONDS", 2.0)
    found = read(25)
    assert len(found) == 3
    assert np.array_equal(np.concatenate([part.samples for part in found]), whole.samples)


def test_a_file_over_a_limit_is_refused_before_its_first_part(monkeypatch: pytest.MonkeyPatch) -> None:
    for where in (parts, module):
        monkeypatch.setattr(where, "PART_SECONDS", 10.0)
    monkeypatch.setattr(parts, "SEARCH_SECONDS", 2.0)
    with pytest.raises(AudioTooLongError):
        next(file_parts(recording(25), sample_rate=RATE, max_seconds=20, min_seconds=0.1))
    with pytest.raises(AudioTooShortError, match=r"0\.1 seconds"):
        read(0.05)
