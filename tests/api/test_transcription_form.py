from __future__ import annotations

import io
import json
from typing import Any

import pytest
from starlette.datastructures import FormData, UploadFile

from wavescribe.api.transcription_form import TranscriptionForm, read_form
from wavescribe.errors import InvalidRequestError

UPLOAD = UploadFile(io.BytesIO(b"sound"), filename="upload")


def read(*fields: tuple[str, Any]) -> TranscriptionForm:
    return read_form(FormData([("file", UPLOAD), *fields]), "transcribe")


def refusal(*fields: tuple[str, Any]) -> InvalidRequestError:
    with pytest.raises(InvalidRequestError) as caught:
        read(*fields)
    return caught.value


def test_a_file_alone_is_a_whole_request() -> None:
    form = read()
    assert form.file is UPLOAD
    assert (form.model, form.response_format, form.granularities, form.stream) == ("", "json", ("segment",), False)
    assert (form.options.language, form.options.prompt, form.options.keywords) == (None, "", ())
    assert (form.options.temperature, form.options.word_times, form.options.task) == (0.0, False, "transcribe")


def test_a_missing_file_is_named() -> None:
    with pytest.raises(InvalidRequestError, match="'file'") as caught:
        read_form(FormData([("model", "whisper-1")]), "transcribe")
    assert (caught.value.code, caught.value.param) == ("missing_required_parameter", "file")


def test_a_file_sent_as_text_is_told_apart_from_none() -> None:
    with pytest.raises(InvalidRequestError, match="multipart file part; got a text field"):
        read_form(FormData([("file", "RIFF")]), "transcribe")


def test_every_option_reaches_the_engine() -> None:
    form = read(
        ("model", "whisper-1"),
        ("language", "de-AT"),
        ("prompt", "Grüß Gott."),
        ("keywords[]", "Salzburg"),
        ("keywords[]", "Linz"),
        ("temperature", "0.2"),
        ("response_format", "verbose_json"),
        ("timestamp_granularities[]", "word"),
    )
    assert form.model == "whisper-1"
    assert form.granularities == ("word",)
    assert (form.options.language, form.options.prompt) == ("de", "Grüß Gott.")
    assert form.options.keywords == ("Salzburg", "Linz")
    assert form.options.temperature == 0.2
    assert form.options.word_times


@pytest.mark.parametrize(
    "fields",
    [
        [("timestamp_granularities[]", "word"), ("timestamp_granularities[]", "segment")],
        [("timestamp_granularities", "word"), ("timestamp_granularities", "segment")],
        [("timestamp_granularities", '["word", "segment"]')],
    ],
)
def test_lists_are_repeated_with_or_without_brackets_or_json(fields: list[tuple[str, str]]) -> None:
    assert read(("response_format", "verbose_json"), *fields).granularities == ("word", "segment")


def test_a_keyword_in_square_brackets_is_a_keyword() -> None:
    assert read(("keywords[]", "[laughter]")).options.keywords == ("[laughter]",)


def test_word_times_are_not_computed_for_a_format_that_cannot_show_them() -> None:
    assert not read(("response_format", "srt"), ("timestamp_granularities[]", "word")).options.word_times


@pytest.mark.parametrize(("fields", "language"), [(["de"], "de"), (["de", "en"], None), ([], None)])
def test_one_of_languages_is_the_language_and_of_several_detection_chooses(
    fields: list[str], language: str | None
) -> None:
    assert read(*(("languages[]", value) for value in fields)).options.language == language


@pytest.mark.parametrize(
    ("text", "stream"), [("true", True), ("True", True), ("1", True), ("false", False), ("", False)]
)
def test_stream_is_read_as_text(text: str, stream: bool) -> None:
    assert read(("stream", text)).stream is stream


@pytest.mark.parametrize(
    "fields",
    [
        [("chunking_strategy", "auto")],
        [("chunking_strategy", '{"type": "server_vad", "threshold": 0.5}')],
        [("chunking_strategy[type]", "server_vad"), ("chunking_strategy[silence_duration_ms]", "200")],
        [("include[]", "logprobs")],
        [("known_speaker_names[]", "Ann"), ("known_speaker_references[]", "data:audio/wav;base64,AAAA")],
        [("something_new", "42")],
        [("temperature", ""), ("language", ""), ("prompt", ""), ("model", "")],
    ],
)
def test_fields_without_effect_here_are_accepted(fields: list[tuple[str, str]]) -> None:
    assert read(*fields).response_format == "json"


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("response_format", "xml", "invalid_value"),
        ("response_format", "diarized_json", "unsupported_value"),
        ("temperature", "warm", "invalid_value"),
        ("temperature", "1.01", "invalid_value"),
        ("temperature", "-0.1", "invalid_value"),
        ("temperature", "nan", "invalid_value"),
        ("stream", "maybe", "invalid_value"),
        ("timestamp_granularities[]", "sentence", "invalid_value"),
        ("include[]", "everything", "invalid_value"),
        ("language", "xx", "invalid_language_format"),
        ("chunking_strategy", "sometimes", "invalid_value"),
        ("model", UPLOAD, "invalid_value"),
    ],
)
def test_a_wrong_value_is_refused_with_its_field_as_param(name: str, value: Any, code: str) -> None:
    error = refusal((name, value))
    assert (error.code, error.param) == (code, name)


@pytest.mark.parametrize(
    "value",
    [
        "{",
        '{"type": "client_vad"}',
        '{"type": "server_vad", "threshold": 2}',
        '{"type": "server_vad", "prefix_padding_ms": "long"}',
        '{"type": "server_vad", "silence_duration_ms": -1}',
        json.dumps({"threshold": 10**400}),
        '{"a":' + "[" * 100_000,
    ],
)
def test_a_wrong_chunking_strategy_is_refused(value: str) -> None:
    error = refusal(("chunking_strategy", value))
    assert error.code == "invalid_value"
    assert (error.param or "").startswith("chunking_strategy")


def test_a_list_nested_beyond_reason_is_refused() -> None:
    assert refusal(("timestamp_granularities", "[" * 100_000)).param == "timestamp_granularities[]"
