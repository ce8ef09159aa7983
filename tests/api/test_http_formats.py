from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI
from openai.types.audio import TranscriptionVerbose
from pydantic import TypeAdapter

from wavescribe.engines.base import Samples

pytestmark = pytest.mark.model

FOX = "the quick brown fox jumps over the lazy dog"
FORMATS = {
    "wav at 8 kHz": ("wav", "pcm_s16le", "s16", 8000, 1),
    "wav at 44.1 kHz in stereo": ("wav", "pcm_s16le", "s16", 44100, 2),
    "wav of 24 bits": ("wav", "pcm_s24le", "s32", 24000, 1),
    "wav of floats": ("wav", "pcm_f32le", "flt", 48000, 1),
    "flac": ("flac", "flac", "s16", 16000, 1),
    "mp3": ("mp3", "libmp3lame", "s16p", 44100, 1),
    "m4a": ("mp4", "aac", "fltp", 44100, 1),
    "ogg": ("ogg", "libopus", "flt", 48000, 1),
    "webm": ("webm", "libopus", "flt", 48000, 1),
}


def plain(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


@pytest.fixture(scope="module")
def verbose(openai: OpenAI, fox: bytes) -> TranscriptionVerbose:
    """The answer with words and segments; every field as the SDK types it."""
    answer = openai.audio.transcriptions.create(
        model="whisper-1",
        file=("fox.wav", fox),
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
    )
    return TypeAdapter(TranscriptionVerbose).validate_json(answer.to_json(), strict=True)


def test_a_recording_gives_its_text_and_usage_as_json_by_default(openai: OpenAI, fox: bytes, verbose: Any) -> None:
    response = openai.audio.transcriptions.with_raw_response.create(model="whisper-base", file=("fox.wav", fox))
    body = json.loads(response.content)
    assert response.headers["content-type"] == "application/json"
    assert plain(body["text"]) == FOX
    assert body["usage"] == {"type": "duration", "seconds": math.ceil(verbose.duration)}


def test_stream_false_gives_an_ordinary_answer(openai: OpenAI, fox: bytes) -> None:
    answer = openai.audio.transcriptions.create(model="whisper-1", file=("fox.wav", fox), stream=False)
    assert plain(answer.text) == FOX


def test_text_is_the_transcript_alone(openai: OpenAI, fox: bytes) -> None:
    response = openai.audio.transcriptions.with_raw_response.create(
        model="whisper-1", file=("fox.wav", fox), response_format="text"
    )
    assert response.headers["content-type"].startswith("text/plain")
    assert plain(response.text) == FOX
    assert response.text.endswith("\n")


@pytest.mark.parametrize(("response_format", "mark"), [("srt", ","), ("vtt", ".")])
def test_subtitles_are_in_order_and_say_the_text(
    openai: OpenAI, fox: bytes, verbose: Any, response_format: Any, mark: str
) -> None:
    body: Any = openai.audio.transcriptions.create(
        model="whisper-1", file=("fox.wav", fox), response_format=response_format
    )
    assert body.startswith("WEBVTT\n\n" if mark == "." else "1\n")
    clock = rf"(\d\d):(\d\d):(\d\d)\{mark}(\d\d\d)"
    cues = re.findall(rf"{clock} --> {clock}\n(.+)\n\n", body)
    times = [seconds for cue in cues for seconds in (_seconds(cue[:4]), _seconds(cue[4:8]))]
    assert len(times) >= 2
    assert all(before <= after for before, after in pairwise(times))
    assert times[-1] <= verbose.duration
    assert plain(" ".join(cue[8] for cue in cues)) == FOX


def _seconds(parts: tuple[str, ...]) -> float:
    hours, minutes, seconds, milliseconds = (int(part) for part in parts)
    return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000


def test_verbose_json_tells_task_language_and_duration(verbose: TranscriptionVerbose, fox_samples: Samples) -> None:
    assert (verbose.model_extra or {})["task"] == "transcribe"
    assert verbose.language == "english"
    assert verbose.duration == pytest.approx(len(fox_samples) / 16_000, abs=0.002)
    assert verbose.usage is not None
    assert verbose.usage.seconds == math.ceil(verbose.duration)


def test_words_lie_within_the_recording_and_join_to_the_text(verbose: TranscriptionVerbose) -> None:
    assert verbose.words
    assert plain(" ".join(word.word for word in verbose.words)) == plain(verbose.text) == FOX
    assert all(0 <= word.start <= word.end <= verbose.duration for word in verbose.words)


def test_segments_join_to_the_text(verbose: TranscriptionVerbose) -> None:
    assert verbose.segments
    assert "".join(segment.text for segment in verbose.segments).strip() == verbose.text
    assert all(0 <= segment.start < segment.end <= verbose.duration for segment in verbose.segments)


def test_verbose_json_has_no_words_unless_asked(openai: OpenAI, fox: bytes) -> None:
    answer = openai.audio.transcriptions.create(
        model="whisper-1", file=("fox.wav", fox), response_format="verbose_json"
    )
    assert answer.segments
    assert answer.words is None


@pytest.mark.parametrize("name", FORMATS)
def test_every_usual_format_gives_the_same_text(
    openai: OpenAI, fox_samples: Samples, encode: Callable[..., bytes], name: str
) -> None:
    data = encode(fox_samples, *FORMATS[name])
    # Bytes alone go out as "upload", application/octet-stream: the content tells the format.
    assert plain(openai.audio.transcriptions.create(model="whisper-1", file=data, language="en").text) == FOX


def test_every_documented_option_is_accepted_at_once(openai: OpenAI, fox: bytes) -> None:
    answer = openai.audio.transcriptions.create(
        model="gpt-4o-mini-transcribe",
        file=("fox.wav", fox),
        language="en-US",
        prompt="A pangram.",
        temperature=0.2,
        include=["logprobs"],
        chunking_strategy={"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300},
        known_speaker_names=["Ann"],
        known_speaker_references=["data:audio/wav;base64," + "A" * 2_600_000],
        extra_body={"keywords": ["fox", "dog"], "languages": ["en"], "something_new": 1},
    )
    assert "fox" in plain(answer.text)


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # the SDK's translations
def test_speech_of_another_language_is_translated_to_english(openai: OpenAI, recordings: Path) -> None:
    sound = recordings / "zh" / "nihao_shijie.wav"
    answer: Any = openai.audio.translations.create(model="whisper-1", file=sound, response_format="verbose_json")
    assert (answer.task, answer.language) == ("translate", "english")
    assert plain(answer.text) == "hello world"


def test_the_language_of_speech_is_detected(openai: OpenAI, recordings: Path) -> None:
    sound = recordings / "es" / "conteo.wav"
    answer = openai.audio.transcriptions.create(model="whisper-1", file=sound, response_format="verbose_json")
    assert answer.language == "spanish"
