from __future__ import annotations

import json

import pytest
from openai.types.audio import Transcription, TranscriptionVerbose
from pydantic import TypeAdapter

from wavescribe.engines.base import Segment, Task, Word
from wavescribe.rendering.response_formats import render
from wavescribe.serving.file_result import FileResult

SEGMENTS = (
    Segment(0, 0, 0.0, 1.2, " Ça va", (50364, 1), 0.0, -0.25, 1.1, 0.01, (Word(" Ça", 0, 0.5, 0.9),)),
    Segment(1, 120, 1.2, 8.47, " bien.", (2,), 0.2, -0.5, 1.2, 0.02, (Word(" bien.", 1.3, 8.47, 0.8),)),
)


def result(task: Task = "transcribe") -> FileResult:
    return FileResult("fr", 8.47, SEGMENTS, task)


def test_json_has_the_text_and_its_usage_in_whole_seconds_rounded_up() -> None:
    body, kind = render(result(), "json")
    assert kind == "application/json"
    assert json.loads(body)["text"] == "Ça va bien."
    assert json.loads(body)["usage"] == {"type": "duration", "seconds": 9}
    TypeAdapter(Transcription).validate_json(body, strict=True)


@pytest.mark.parametrize(("duration", "seconds"), [(0.1, 1), (9.0, 9), (9.001, 10)])
def test_usage_is_the_ceiling_of_the_duration(duration: float, seconds: int) -> None:
    body, _ = render(FileResult("en", duration, ()), "json")
    assert json.loads(body)["usage"]["seconds"] == seconds


def test_text_is_the_transcript_and_a_line_end() -> None:
    assert render(result(), "text") == ("Ça va bien.\n", "text/plain; charset=utf-8")


def test_verbose_json_has_ten_fields_a_segment_a_number_as_duration_and_no_words() -> None:
    body = json.loads(render(result(), "verbose_json")[0])
    assert (body["task"], body["language"], body["duration"]) == ("transcribe", "french", 8.47)
    assert "words" not in body
    assert body["segments"][1] == {
        "id": 1,
        "seek": 120,
        "start": 1.2,
        "end": 8.47,
        "text": " bien.",
        "tokens": [2],
        "temperature": 0.2,
        "avg_logprob": -0.5,
        "compression_ratio": 1.2,
        "no_speech_prob": 0.02,
    }
    TypeAdapter(TranscriptionVerbose).validate_json(json.dumps(body), strict=True)


def test_words_come_when_asked_for_and_alone_when_only_they_are() -> None:
    only_words = json.loads(render(result(), "verbose_json", ("word",))[0])
    assert only_words["words"] == [
        {"word": "Ça", "start": 0, "end": 0.5},
        {"word": "bien.", "start": 1.3, "end": 8.47},
    ]
    assert "segments" not in only_words
    both = json.loads(render(result(), "verbose_json", ("word", "segment"))[0])
    assert len(both["words"]) == len(both["segments"]) == 2


def test_a_translation_is_english_whatever_was_spoken() -> None:
    body = json.loads(render(result("translate"), "verbose_json")[0])
    assert (body["task"], body["language"]) == ("translate", "english")


def test_subtitles_are_plain_text_in_utf_8() -> None:
    assert render(result(), "srt")[1] == render(result(), "vtt")[1] == "text/plain; charset=utf-8"
    assert "Ça va" in render(result(), "srt")[0]
    assert render(result(), "vtt")[0].startswith("WEBVTT\n\n")
