from __future__ import annotations

import io
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import httpx
import numpy as np
import openai as sdk
import pytest
from openai import OpenAI

from wavescribe.engines.base import Engine, EngineInfo, Samples

pytestmark = pytest.mark.model

SILENCE = np.zeros(16_000, dtype=np.float32)
Serve = Callable[..., AbstractContextManager[Any]]


class BrokenEngine:
    """The real engine, but for a defect in transcribing files."""

    def __init__(self, engine: Engine) -> None:
        self.info = engine.info
        self.decode = engine.decode

    def transcribe_file(self, samples: Samples, options: Any) -> Any:
        raise RuntimeError("a secret of the inside")


def refused(client: OpenAI, **fields: Any) -> sdk.APIStatusError:
    with pytest.raises(sdk.APIStatusError) as caught:
        client.audio.transcriptions.create(**({"model": "whisper-1"} | fields))
    return caught.value


def shape(response: Any) -> dict[str, Any]:
    body = response.json()
    assert list(body) == ["error"]
    assert set(body["error"]) == {"message", "type", "param", "code"}
    assert response.headers["x-request-id"]
    error: dict[str, Any] = body["error"]
    return error


@pytest.mark.parametrize(
    "data",
    [b"", b"This is a text that calls itself a.wav. " * 100, b"RIFF", bytes(range(256)) * 40],
    ids=["empty", "text", "cut off at once", "bytes"],
)
def test_what_is_no_audio_is_a_bad_request_that_lists_the_formats(openai: OpenAI, data: bytes) -> None:
    error = refused(openai, file=("a.wav", data))
    assert isinstance(error, sdk.BadRequestError)
    assert "Invalid file format. Supported formats: ['flac', 'm4a'" in error.message


def test_an_mp3_cut_off_in_its_first_frame_is_a_bad_request(
    openai: OpenAI, fox_samples: Samples, encode: Callable[..., bytes]
) -> None:
    whole = encode(fox_samples, "mp3", "libmp3lame", "s16p", 44100)
    assert isinstance(refused(openai, file=("a.mp3", whole[:60])), sdk.BadRequestError)


def test_audio_under_a_tenth_of_a_second_is_too_short(openai: OpenAI, encode: Callable[..., bytes]) -> None:
    error = refused(openai, file=("a.wav", encode(SILENCE[:800], "wav", "pcm_s16le", "s16", 16000)))
    assert (error.status_code, error.code, error.param) == (400, "audio_too_short", "file")
    assert "Minimum audio length is 0.1 seconds." in error.message


def test_a_tenth_of_a_second_of_silence_has_an_empty_transcript(openai: OpenAI, encode: Callable[..., bytes]) -> None:
    sound = encode(SILENCE[:1600], "wav", "pcm_s16le", "s16", 16000)
    assert openai.audio.transcriptions.create(model="whisper-1", file=sound).text == ""


def test_an_unknown_model_is_not_found(openai: OpenAI, fox: bytes) -> None:
    error = refused(openai, file=fox, model="whisper-99")
    assert isinstance(error, sdk.NotFoundError)
    assert (error.code, error.param) == ("model_not_found", "model")
    assert error.request_id


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"response_format": "xml"}, "invalid_value", "response_format"),
        ({"response_format": "diarized_json"}, "unsupported_value", "response_format"),
        ({"temperature": 3}, "invalid_value", "temperature"),
        ({"timestamp_granularities": ["sentence"]}, "invalid_value", "timestamp_granularities[]"),
        ({"language": "xx"}, "invalid_language_format", "language"),
    ],
)
def test_a_wrong_field_is_a_bad_request_that_names_it(
    openai: OpenAI, fox: bytes, fields: dict[str, Any], code: str, param: str
) -> None:
    error = refused(openai, file=fox, **fields)
    assert isinstance(error, sdk.BadRequestError)
    assert (error.code, error.param, error.type) == (code, param, "invalid_request_error")


def test_a_form_without_a_file_names_the_field(server: Any) -> None:
    response = httpx.post(f"{server.url}/v1/audio/transcriptions", files={"model": (None, "whisper-1")})
    assert response.status_code == 400
    assert shape(response)["param"] == "file"


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", ""])
def test_a_body_that_is_no_multipart_form_is_a_bad_request(server: Any, kind: str) -> None:
    response = httpx.post(
        f"{server.url}/v1/audio/transcriptions", content=b"{}", headers={"content-type": kind} if kind else {}
    )
    assert response.status_code == 400
    assert "multipart/form-data" in shape(response)["message"]


@pytest.mark.parametrize("body", [b"", b"no boundary", b"--edge\r\n", b"--edge\r\n\r\nno name\r\n--edge--\r\n"])
def test_a_broken_form_is_a_bad_request(server: Any, body: bytes) -> None:
    response = httpx.post(
        f"{server.url}/v1/audio/transcriptions",
        content=body,
        headers={"content-type": "multipart/form-data; boundary=edge"},
    )
    assert response.status_code == 400
    assert shape(response)["type"] == "invalid_request_error"


def test_an_unknown_address_is_not_found_in_the_shape_of_the_api(server: Any) -> None:
    response = httpx.post(f"{server.url}/v1/nope")
    assert response.status_code == 404
    assert shape(response) == {
        "message": "Invalid URL (POST /v1/nope)",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }


def test_a_wrong_method_is_refused_in_the_shape_of_the_api(server: Any) -> None:
    response = httpx.get(f"{server.url}/v1/audio/transcriptions")
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert shape(response)["code"] == "method_not_supported"


def test_a_defect_of_the_server_is_logged_and_never_shown(
    engine: Engine, serve: Serve, fox: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR), serve(BrokenEngine(engine)) as server:
        error = refused(server.client(), file=fox)
    assert error.status_code == 500
    assert shape(error.response)["type"] == "server_error"
    assert "secret" not in error.response.text
    assert any(record.exc_info and "a secret of the inside" in str(record.exc_info[1]) for record in caplog.records)


class EnglishEngine(BrokenEngine):
    """What the real engine says of itself when its weights are English only."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        known = engine.info
        self.info = EngineInfo(
            name="whisper-base.en",
            sample_rate=known.sample_rate,
            languages=("en",),
            max_window_seconds=known.max_window_seconds,
            takes_prefix=True,
            gives_times=True,
            batches=False,
            translates=False,
        )


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # the SDK's translations
def test_an_english_model_refuses_other_languages_and_translation(engine: Engine, serve: Serve, fox: bytes) -> None:
    with serve(EnglishEngine(engine)) as server:
        client = server.client()
        error = refused(client, file=fox, language="es")
        assert (error.status_code, error.code, error.param) == (400, "unsupported_value", "language")
        with pytest.raises(sdk.BadRequestError, match="cannot translate"):
            client.audio.translations.create(model="whisper-1", file=fox)


@pytest.mark.parametrize("response_format", ["srt", "vtt", "verbose_json"])
def test_streaming_of_a_format_that_needs_the_whole_file_is_refused(
    openai: OpenAI, fox: bytes, response_format: Any
) -> None:
    error = refused(openai, file=fox, stream=True, response_format=response_format)
    assert (error.status_code, error.code, error.param) == (400, "unsupported_value", "stream")


def test_a_file_before_or_after_the_other_fields_gives_the_same_answer(server: Any, fox: bytes) -> None:
    file, fields = {"file": ("fox.wav", io.BytesIO(fox))}, {"model": (None, "whisper-1"), "language": (None, "en")}
    answers = [
        httpx.post(f"{server.url}/v1/audio/transcriptions", files=parts, timeout=60).json()
        for parts in (file | fields, fields | {"file": ("fox.wav", io.BytesIO(fox))})
    ]
    assert answers[0] == answers[1]
    assert "fox" in answers[0]["text"]
