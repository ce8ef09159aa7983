"""The multipart form of the transcription and translation endpoints."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, get_args

from starlette.datastructures import FormData, UploadFile

from wavescribe.engines.base import FileOptions, Task
from wavescribe.errors import InvalidRequestError
from wavescribe.languages import language_code
from wavescribe.streaming.delay import Delay
from wavescribe.streaming.parameters import StrategyName

RESPONSE_FORMATS = ("json", "text", "srt", "verbose_json", "vtt")
STREAM_FORMATS = ("events", "chunks")
GRANULARITIES = ("word", "segment")
CHUNKING_RANGES = {"threshold": 1.0, "prefix_padding_ms": float("inf"), "silence_duration_ms": float("inf")}

MAXIMUM_PART_BYTES = 4 * 1024 * 1024
"""Largest text part: speaker references come as data URLs of up to ten seconds of audio."""


@dataclass(frozen=True, slots=True)
class TranscriptionForm:
    """A validated request.

    Attributes:
        file: the upload, spooled to disk; read it before the request ends.
        model: as the client wrote it, "" for none.
        options: how to transcribe.
        response_format: one of RESPONSE_FORMATS.
        granularities: of verbose_json.
        stream: whether events are wanted while the file is transcribed.
        stream_format: "events", "chunks", or "" for the server's own choice.
        strategy: how a streamed file is transcribed, or None for the server's own choice.
        delay: how long a streamed file's text is held back, or None for the server's own choice.
    """

    file: UploadFile
    model: str
    options: FileOptions
    response_format: str
    granularities: tuple[str, ...]
    stream: bool
    stream_format: str = ""
    strategy: StrategyName | None = None
    delay: Delay | None = None


def read_form(form: FormData, task: Task) -> TranscriptionForm:
    """Validate the form; fields that are not known are ignored.

    Raises:
        InvalidRequestError: a field is missing or wrong; `param` names it.
    """
    response_format = _response_format(form)
    granularities = _granularities(form)
    _check_chunking(form)
    _check_includes(form)
    options = FileOptions(
        language=_language(form),
        task=task,
        prompt=_text(form, "prompt"),
        keywords=tuple(_list(form, "keywords")),
        temperature=_temperature(form),
        word_times=response_format == "verbose_json" and "word" in granularities,
    )
    return TranscriptionForm(
        file=_file(form),
        model=_text(form, "model"),
        options=options,
        response_format=response_format,
        granularities=granularities,
        stream=_boolean(form, "stream"),
        stream_format=_choice("stream_format", _text(form, "stream_format"), ("", *STREAM_FORMATS)),
        strategy=_stream_choice(form, "strategy", get_args(StrategyName)),
        delay=_stream_choice(form, "delay", get_args(Delay)),
    )


def _stream_choice(form: FormData, name: str, allowed: Iterable[str]) -> Any:
    """One of the allowed values, or None where the field is missing or empty."""
    return _choice(name, _text(form, name), ("", *allowed)) or None


def _file(form: FormData) -> UploadFile:
    file = form.get("file")
    if isinstance(file, UploadFile):
        return file
    found = "a text field" if file is not None else "nothing"
    raise InvalidRequestError(
        f"Missing required parameter: 'file'. Send the audio as a multipart file part; got {found}.",
        code="missing_required_parameter",
        param="file",
    )


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    if isinstance(value, str):
        return value.strip()
    raise InvalidRequestError(f"'{name}' must be text, got a file.", code="invalid_value", param=name)


def _list(form: FormData, name: str) -> list[str]:
    """A list field: repeated `name[]` or `name`, or one JSON array."""
    values = [value for value in (*form.getlist(f"{name}[]"), *form.getlist(name)) if isinstance(value, str)]
    if len(values) == 1 and (parsed := _json_list(values[0])) is not None:
        return parsed
    return [value.strip() for value in values if value.strip()]


def _json_list(text: str) -> list[str] | None:
    """The values of a JSON array, or None for other text; a keyword may well be "[laughter]"."""
    try:
        parsed = json.loads(text) if text.lstrip().startswith("[") else None
    except (ValueError, RecursionError):
        return None
    return None if parsed is None else [str(value) for value in parsed]


def _choice(name: str, value: str, allowed: Iterable[str]) -> str:
    if value in (options := tuple(allowed)):
        return value
    listed = ", ".join(f"'{option}'" for option in options)
    raise InvalidRequestError(
        f"Invalid value: '{value}'. Supported values are: {listed}.", code="invalid_value", param=name
    )


def _response_format(form: FormData) -> str:
    value = _text(form, "response_format") or "json"
    if value == "diarized_json":
        raise InvalidRequestError(
            "response_format 'diarized_json' is not compatible with this model. Use 'json', 'text', 'srt', "
            "'verbose_json' or 'vtt' instead.",
            code="unsupported_value",
            param="response_format",
        )
    return _choice("response_format", value, RESPONSE_FORMATS)


def _granularities(form: FormData) -> tuple[str, ...]:
    name = "timestamp_granularities"
    return tuple(_choice(f"{name}[]", value, GRANULARITIES) for value in _list(form, name)) or ("segment",)


def _check_includes(form: FormData) -> None:
    for value in _list(form, "include"):
        _choice("include[]", value, ("logprobs",))


def _language(form: FormData) -> str | None:
    """The one language that is wanted; of several, detection chooses."""
    given = _text(form, "language")
    if given:
        return language_code(given)
    codes = [language_code(value) for value in _list(form, "languages")]
    return codes[0] if len(codes) == 1 else None


def _temperature(form: FormData) -> float:
    text = _text(form, "temperature") or "0"
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise InvalidRequestError(
            f"Invalid 'temperature': expected a number from 0 to 1, got '{text}'.",
            code="invalid_value",
            param="temperature",
        )
    return value


def _boolean(form: FormData, name: str) -> bool:
    text = _text(form, name).lower()
    if text in ("true", "1"):
        return True
    if text in ("", "false", "0"):
        return False
    raise InvalidRequestError(
        f"Invalid '{name}': expected true or false, got '{text}'.", code="invalid_value", param=name
    )


def _check_chunking(form: FormData) -> None:
    """`auto`, a JSON object, or `chunking_strategy[...]` fields. Files are always split at pauses of speech."""
    text = _text(form, "chunking_strategy")
    fields: dict[str, Any] = {}
    if text.startswith("{"):
        fields = _json_object("chunking_strategy", text)
    elif text:
        _choice("chunking_strategy", text, ("auto", "server_vad"))
    fields |= {
        key.removeprefix("chunking_strategy[").removesuffix("]"): value
        for key, value in form.multi_items()
        if key.startswith("chunking_strategy[")
    }
    if "type" in fields:
        _choice("chunking_strategy.type", str(fields["type"]), ("server_vad",))
    for name, highest in CHUNKING_RANGES.items():
        if name in fields:
            _check_number(f"chunking_strategy.{name}", fields[name], highest)


def _json_object(name: str, text: str) -> dict[str, Any]:
    try:
        parsed: dict[str, Any] = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError(f"'{name}' is not valid JSON: {error}", code="invalid_value", param=name) from error
    return parsed


def _check_number(name: str, value: Any, highest: float) -> None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = -1.0
    if not 0 <= number <= highest:
        raise InvalidRequestError(
            f"Invalid '{name}': expected a number from 0 to {highest:g}, got '{value}'.",
            code="invalid_value",
            param=name,
        )
