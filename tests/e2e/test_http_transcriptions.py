from __future__ import annotations

import importlib.util
import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest
from openai import OpenAI
from openai.types.audio import TranscriptionVerbose

if TYPE_CHECKING:
    from tests.e2e.conftest import RunningServer

pytestmark = pytest.mark.model

FOX = "the quick brown fox jumps over the lazy dog"
FOX_SECONDS = 2.889
SEGMENT_FIELDS = {
    "id",
    "seek",
    "start",
    "end",
    "text",
    "tokens",
    "temperature",
    "avg_logprob",
    "compression_ratio",
    "no_speech_prob",
}
CUE_TIME = r"(\d\d):(\d\d):(\d\d){mark}(\d\d\d)"

Normalise = Callable[[str], str]


def clip_names() -> list[str]:
    found = importlib.util.find_spec("pytest_audioeval")
    assert found is not None
    assert found.submodule_search_locations
    audio = Path(found.submodule_search_locations[0]) / "samples" / "audio"
    return sorted(f"{path.parent.name}/{path.stem}" for path in audio.glob("*/*.wav"))


def post(server: RunningServer, *parts: tuple[str, Any]) -> httpx.Response:
    """The parts as a multipart form, in the order given; values are files when they are tuples."""
    form = [(name, value if isinstance(value, tuple) else (None, value)) for name, value in parts]
    return httpx.post(f"{server.http}/v1/audio/transcriptions", files=form, timeout=120)


def cue_times(text: str, mark: str) -> list[tuple[int, int]]:
    """Start and end of each cue, in milliseconds."""
    time = CUE_TIME.format(mark=mark)
    found = re.findall(rf"^{time} --> {time}$", text, re.MULTILINE)
    numbers = [[int(number) for number in cue] for cue in found]
    return [(_milliseconds(cue[:4]), _milliseconds(cue[4:])) for cue in numbers]


def _milliseconds(parts: list[int]) -> int:
    hours, minutes, seconds, rest = parts
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + rest


def assert_cues_are_in_order_within(seconds: float, cues: list[tuple[int, int]]) -> None:
    times = [time for cue in cues for time in cue]
    assert len(cues) > 1
    assert times == sorted(times)
    assert all(start < end for start, end in cues)
    assert times[-1] <= math.ceil(seconds * 1000)


def test_the_clips_are_all_there() -> None:
    assert len(clip_names()) == 27


@pytest.mark.parametrize("name", clip_names())
def test_every_clip_is_transcribed_to_some_text(client: OpenAI, clips: Path, name: str) -> None:
    result = client.audio.transcriptions.create(
        file=clips / f"{name}.wav", model="whisper-base", language=name.split("/")[0]
    )
    assert result.text.strip()


def test_json_is_the_default_and_has_text_and_usage(english_server: RunningServer, fox: Path) -> None:
    response = post(english_server, ("model", "whisper-1"), ("file", ("fox.wav", fox.read_bytes())))
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "text": "The quick brown fox jumps over the lazy dog.",
        "usage": {"type": "duration", "seconds": math.ceil(FOX_SECONDS)},
        "languages": [{"code": "en"}],
    }


def test_the_stock_client_reads_json(client: OpenAI, fox: Path, normalise: Normalise) -> None:
    result = client.audio.transcriptions.create(file=fox, model="whisper-base", response_format="json")
    assert normalise(result.text) == FOX
    assert result.usage is not None
    assert result.usage.type == "duration"
    assert result.usage.seconds == 3


def test_text_is_plain_text_that_ends_with_a_newline(english_server: RunningServer, fox: Path) -> None:
    response = post(english_server, ("response_format", "text"), ("file", ("fox.wav", fox.read_bytes())))
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.text == "The quick brown fox jumps over the lazy dog.\n"


def test_the_stock_client_returns_text_as_it_is(english_client: OpenAI, fox: Path) -> None:
    result = english_client.audio.transcriptions.create(file=fox, model="whisper-1", response_format="text")
    assert result == "The quick brown fox jumps over the lazy dog.\n"


def test_srt_has_numbered_cues_that_do_not_overlap(english_client: OpenAI, two_cities: Path) -> None:
    text = english_client.audio.transcriptions.create(file=two_cities, model="whisper-1", response_format="srt")
    cues = cue_times(text, ",")
    assert_cues_are_in_order_within(44.375, cues)
    blocks = text.strip().split("\n\n")
    assert [block.split("\n")[0] for block in blocks] == [str(number + 1) for number in range(len(cues))]
    assert all(block.split("\n", 2)[2].strip() for block in blocks)


def test_vtt_starts_with_its_signature_and_has_dots_in_times(english_client: OpenAI, two_cities: Path) -> None:
    text = english_client.audio.transcriptions.create(file=two_cities, model="whisper-1", response_format="vtt")
    assert text.startswith("WEBVTT\n\n")
    assert_cues_are_in_order_within(44.375, cue_times(text, r"\."))
    assert text.count(" --> ") == len(cue_times(text, r"\."))


def test_verbose_json_has_every_field_of_a_segment_and_no_words(english_client: OpenAI, fox: Path) -> None:
    raw = english_client.audio.transcriptions.with_raw_response.create(
        file=fox, model="whisper-tiny.en", response_format="verbose_json"
    )
    body = json.loads(raw.text)
    assert body["task"] == "transcribe"
    assert body["language"] == "english"
    assert body["duration"] == pytest.approx(FOX_SECONDS, abs=0.01)
    assert "words" not in body
    assert body["segments"]
    assert all(set(segment) == SEGMENT_FIELDS for segment in body["segments"])
    assert "".join(segment["text"] for segment in body["segments"]).strip() == body["text"]
    typed = TranscriptionVerbose.model_validate_json(raw.text, strict=True)
    assert typed.usage is not None
    assert typed.usage.seconds == 3


def test_the_language_that_was_heard_is_named(client: OpenAI, clips: Path) -> None:
    result = client.audio.transcriptions.create(
        file=clips / "fr" / "comptage.wav", model="whisper-base", response_format="verbose_json"
    )
    assert result.language == "french"


@pytest.mark.parametrize("field", ["timestamp_granularities[]", "timestamp_granularities"])
def test_words_have_times_within_the_audio_and_join_to_the_text(
    english_server: RunningServer, fox: Path, normalise: Normalise, field: str
) -> None:
    response = post(
        english_server, ("response_format", "verbose_json"), (field, "word"), ("file", ("fox.wav", fox.read_bytes()))
    )
    body = response.json()
    assert "segments" not in body
    words = TranscriptionVerbose.model_validate_json(response.text, strict=True).words
    assert words
    assert len(words) == 9
    times = [time for word in words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert times[-1] <= body["duration"]
    assert normalise(" ".join(word.word for word in words)) == normalise(body["text"]) == FOX


def test_both_granularities_give_words_and_segments(english_client: OpenAI, fox: Path) -> None:
    result = english_client.audio.transcriptions.create(
        file=fox, model="whisper-1", response_format="verbose_json", timestamp_granularities=["word", "segment"]
    )
    assert result.words
    assert result.segments


def test_stream_false_gives_a_normal_body(english_client: OpenAI, fox: Path, normalise: Normalise) -> None:
    result = english_client.audio.transcriptions.create(file=fox, model="whisper-1", stream=False)
    assert normalise(result.text) == FOX


def test_the_file_may_come_first_or_last(english_server: RunningServer, fox: Path) -> None:
    file = ("file", ("fox.wav", fox.read_bytes()))
    others = [("model", "whisper-1"), ("response_format", "verbose_json")]
    first = post(english_server, file, *others).json()
    assert first["task"] == "transcribe"
    assert first == post(english_server, *others, file).json()


def test_every_optional_field_of_the_api_is_accepted(english_client: OpenAI, fox: Path, normalise: Normalise) -> None:
    result = english_client.audio.transcriptions.create(
        file=fox,
        model="gpt-4o-transcribe",
        language="en",
        prompt="A fox and a dog.",
        temperature=0.2,
        include=["logprobs"],
        chunking_strategy="auto",
        known_speaker_names=["Anna"],
        known_speaker_references=["data:audio/wav;base64," + "A" * 2_000_000],
        extra_body={"keywords": ["fox"], "languages": ["en"], "no_such_field": "x"},
    )
    assert normalise(result.text) == FOX


def test_the_chunking_strategy_may_be_an_object(english_client: OpenAI, fox: Path, normalise: Normalise) -> None:
    result = english_client.audio.transcriptions.create(
        file=fox,
        model="whisper-1",
        chunking_strategy={
            "type": "server_vad",
            "threshold": 0.4,
            "prefix_padding_ms": 200,
            "silence_duration_ms": 300,
        },
    )
    assert normalise(result.text) == FOX


def test_no_model_means_the_one_that_is_served(english_server: RunningServer, fox: Path) -> None:
    response = post(english_server, ("file", ("fox.wav", fox.read_bytes())))
    assert response.status_code == 200
    assert response.json()["text"]


def test_digital_silence_has_no_text(english_client: OpenAI, encode: Callable[..., bytes]) -> None:
    silence = encode(np.zeros(16_000, dtype=np.float32), "wav", "pcm_s16le", "s16", 16_000)
    result = english_client.audio.transcriptions.create(file=("silence.wav", silence), model="whisper-1")
    assert result.text == ""
    assert result.usage is not None
    assert result.usage.to_dict() == {"type": "duration", "seconds": 1}


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # the client's word on its translations
def test_speech_in_another_language_is_translated_to_english(client: OpenAI, clips: Path, normalise: Normalise) -> None:
    result = client.audio.translations.create(
        file=clips / "fr" / "bonjour_monde.wav", model="whisper-base", response_format="verbose_json"
    )
    assert (result.to_dict()["task"], result.language) == ("translate", "english")
    assert result.duration == pytest.approx(1.44, abs=0.02)
    assert "world" in normalise(result.text)
