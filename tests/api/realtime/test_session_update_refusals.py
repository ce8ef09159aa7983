from __future__ import annotations

import json
import math

import pytest

from wavescribe.api.models import ServedModels
from wavescribe.api.realtime.json_field import LONGEST_LIST, LONGEST_NAME, MOST_ENTRIES
from wavescribe.api.realtime.session_configuration import (
    LOGPROBS,
    AudioFormat,
    NoiseReduction,
    ServerVad,
    SessionConfiguration,
    Transcription,
)
from wavescribe.api.realtime.session_rendering import render_session
from wavescribe.api.realtime.session_update import LONGEST_PROMPT, updated
from wavescribe.errors import InvalidRequestError, ModelNotFoundError

INPUT = "session.audio.input"
DEFAULTS = SessionConfiguration.of_model("whisper-base")
LANGUAGES = ("en", "de", "ja")
FULL = SessionConfiguration(
    model="whisper-base",
    format=AudioFormat("audio/pcm", 16_000),
    transcription=Transcription("whisper-1", "de", ("de", "en"), "Grüß Gott.", ("Linz",), "low", "sliced"),
    noise_reduction=NoiseReduction("far_field", 0.5),
    chosen_turn_detection=ServerVad(0.7, 100, 900, create_response=False, idle_timeout_ms=6_000),
    include=(LOGPROBS,),
)


def update(session: object, configuration: SessionConfiguration = DEFAULTS) -> SessionConfiguration:
    return updated(configuration, session, check_model=ServedModels("whisper-base").check, languages=LANGUAGES)


def update_input(configuration: SessionConfiguration = DEFAULTS, **sections: object) -> SessionConfiguration:
    return update({"type": "transcription", "audio": {"input": sections}}, configuration)


def refusal(session: object) -> InvalidRequestError:
    with pytest.raises(InvalidRequestError) as caught:
        update(session)
    return caught.value


def input_refusal(**sections: object) -> InvalidRequestError:
    return refusal({"type": "transcription", "audio": {"input": sections}})


def transcription_of(configuration: SessionConfiguration) -> Transcription:
    assert configuration.transcription is not None
    return configuration.transcription


def test_a_model_that_is_not_served_is_refused_at_its_path() -> None:
    error = input_refusal(transcription={"model": "whisper-9"})
    assert isinstance(error, ModelNotFoundError)
    assert (error.code, error.param) == ("model_not_found", f"{INPUT}.transcription.model")
    assert "whisper-9" in str(error)


@pytest.mark.parametrize(
    ("session", "code", "param"),
    [
        (None, "missing_required_parameter", "session"),
        ([], "invalid_type", "session"),
        ("x", "invalid_type", "session"),
        ({"type": "translation"}, "invalid_value", "session.type"),
        ({"type": 1}, "invalid_type", "session.type"),
        ({"audio": []}, "invalid_type", "session.audio"),
        ({"audio": {"input": "x"}}, "invalid_type", INPUT),
        ({"include": "x"}, "invalid_type", "session.include"),
        ({"include": [LOGPROBS, None]}, "invalid_type", "session.include[1]"),
    ],
)
def test_a_session_of_the_wrong_shape_is_refused(session: object, code: str, param: str) -> None:
    error = refusal(session)
    assert (error.code, error.param) == (code, param)


@pytest.mark.parametrize(
    ("section", "value", "code", "param"),
    [
        ("format", "pcm16", "invalid_type", "format"),
        ("format", {"type": "audio/opus"}, "invalid_value", "format.type"),
        ("format", {"type": ["audio/pcm"]}, "invalid_type", "format.type"),
        ("format", {"rate": 12_345}, "invalid_value", "format.rate"),
        ("format", {"rate": 22_050}, "invalid_value", "format.rate"),
        ("format", {"rate": math.nan}, "invalid_value", "format.rate"),
        ("format", {"rate": 10**400}, "invalid_value", "format.rate"),
        ("format", {"rate": "16000"}, "invalid_type", "format.rate"),
        ("format", {"rate": True}, "invalid_type", "format.rate"),
        ("format", {"type": "audio/pcmu", "rate": 24_000}, "invalid_value", "format.rate"),
        ("transcription", "whisper-1", "invalid_type", "transcription"),
        ("transcription", {"model": 1}, "invalid_type", "transcription.model"),
        ("transcription", {"language": 1}, "invalid_type", "transcription.language"),
        ("transcription", {"language": "klingon"}, "invalid_value", "transcription.language"),
        ("transcription", {"language": "fr"}, "invalid_value", "transcription.language"),
        ("transcription", {"languages": "en"}, "invalid_type", "transcription.languages"),
        ("transcription", {"languages": []}, "invalid_value", "transcription.languages"),
        ("transcription", {"languages": ["fr", "es"]}, "invalid_value", "transcription.languages"),
        ("transcription", {"languages": ["en", "klingon"]}, "invalid_value", "transcription.languages[1]"),
        ("transcription", {"languages": ["en", 5]}, "invalid_type", "transcription.languages[1]"),
        ("transcription", {"prompt": ["x"]}, "invalid_type", "transcription.prompt"),
        ("transcription", {"prompt": "\ud83d"}, "invalid_value", "transcription.prompt"),
        ("transcription", {"prompt": "x" * (LONGEST_PROMPT + 1)}, "invalid_value", "transcription.prompt"),
        ("transcription", {"language": "en-" + "x" * LONGEST_NAME}, "invalid_value", "transcription.language"),
        ("transcription", {"keywords": "Linz"}, "invalid_type", "transcription.keywords"),
        ("transcription", {"keywords": ["Linz", {}]}, "invalid_type", "transcription.keywords[1]"),
        ("transcription", {"keywords": ["x"] * (MOST_ENTRIES + 1)}, "invalid_value", "transcription.keywords"),
        ("transcription", {"keywords": ["x" * 901] * 12}, "invalid_value", "transcription.keywords"),
        ("transcription", {"delay": "none"}, "invalid_value", "transcription.delay"),
        ("transcription", {"delay": 0}, "invalid_type", "transcription.delay"),
        ("transcription", {"strategy": "best"}, "invalid_value", "transcription.strategy"),
        ("noise_reduction", "near_field", "invalid_type", "noise_reduction"),
        ("noise_reduction", {}, "missing_required_parameter", "noise_reduction.type"),
        ("noise_reduction", {"type": None}, "missing_required_parameter", "noise_reduction.type"),
        ("noise_reduction", {"type": "wind"}, "invalid_value", "noise_reduction.type"),
        ("noise_reduction", {"type": "near_field", "strength": -1}, "invalid_value", "noise_reduction.strength"),
        ("noise_reduction", {"type": "near_field", "strength": math.inf}, "invalid_value", "noise_reduction.strength"),
        ("turn_detection", "server_vad", "invalid_type", "turn_detection"),
        ("turn_detection", {"type": "client_vad"}, "invalid_value", "turn_detection.type"),
        ("turn_detection", {"type": 1}, "invalid_type", "turn_detection.type"),
        ("turn_detection", {"threshold": 3}, "invalid_value", "turn_detection.threshold"),
        ("turn_detection", {"threshold": -0.01}, "invalid_value", "turn_detection.threshold"),
        ("turn_detection", {"threshold": math.nan}, "invalid_value", "turn_detection.threshold"),
        ("turn_detection", {"threshold": 10**400}, "invalid_value", "turn_detection.threshold"),
        ("turn_detection", {"threshold": True}, "invalid_type", "turn_detection.threshold"),
        ("turn_detection", {"threshold": "0.5"}, "invalid_type", "turn_detection.threshold"),
        ("turn_detection", {"silence_duration_ms": "x"}, "invalid_type", "turn_detection.silence_duration_ms"),
        ("turn_detection", {"silence_duration_ms": -1}, "invalid_value", "turn_detection.silence_duration_ms"),
        ("turn_detection", {"silence_duration_ms": 60_001}, "invalid_value", "turn_detection.silence_duration_ms"),
        ("turn_detection", {"silence_duration_ms": math.inf}, "invalid_value", "turn_detection.silence_duration_ms"),
        ("turn_detection", {"silence_duration_ms": 350.5}, "invalid_type", "turn_detection.silence_duration_ms"),
        ("turn_detection", {"prefix_padding_ms": -1}, "invalid_value", "turn_detection.prefix_padding_ms"),
        ("turn_detection", {"prefix_padding_ms": 10_001}, "invalid_value", "turn_detection.prefix_padding_ms"),
        ("turn_detection", {"prefix_padding_ms": [1]}, "invalid_type", "turn_detection.prefix_padding_ms"),
        ("turn_detection", {"idle_timeout_ms": 4_999}, "invalid_value", "turn_detection.idle_timeout_ms"),
        ("turn_detection", {"idle_timeout_ms": 30_001}, "invalid_value", "turn_detection.idle_timeout_ms"),
        ("turn_detection", {"create_response": 1}, "invalid_type", "turn_detection.create_response"),
        ("turn_detection", {"interrupt_response": "no"}, "invalid_type", "turn_detection.interrupt_response"),
        (
            "turn_detection",
            {"type": "semantic_vad", "eagerness": "keen"},
            "invalid_value",
            "turn_detection.eagerness",
        ),
        (
            "turn_detection",
            {"type": "semantic_vad", "create_response": "x"},
            "invalid_type",
            "turn_detection.create_response",
        ),
        (
            "turn_detection",
            {"type": "semantic_vad", "interrupt_response": 0},
            "invalid_type",
            "turn_detection.interrupt_response",
        ),
    ],
)
def test_a_wrong_value_is_refused_at_its_path(section: str, value: object, code: str, param: str) -> None:
    error = input_refusal(**{section: value})
    assert (error.code, error.param) == (code, f"{INPUT}.{param}")


@pytest.mark.parametrize("value", [{"threshold": 0.5}, {"type": None}, {}])
def test_turn_detection_that_is_off_is_not_turned_on_without_a_type(value: object) -> None:
    with pytest.raises(InvalidRequestError, match="Missing required parameter") as caught:
        update_input(update_input(turn_detection=None), turn_detection=value)
    assert caught.value.code == "missing_required_parameter"
    assert caught.value.param == f"{INPUT}.turn_detection.type"


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"turn_detection": {"silence_duration_ms": 10**6}}, "expected a number from 0 to 60000, got 1000000"),
        ({"turn_detection": {"threshold": None, "type": "x"}}, "'x'. Supported values are: 'server_vad', 'semantic_"),
        ({"turn_detection": {"threshold": {}}}, "expected a number, but got an object instead"),
        ({"turn_detection": {"threshold": []}}, "but got an array instead"),
        ({"transcription": {"prompt": 1.5}}, "expected a string, but got a decimal number instead"),
        ({"transcription": {"prompt": 1}}, "but got an integer instead"),
        ({"transcription": {"keywords": [None]}}, "but got null instead"),
        ({"transcription": {"prompt": True}}, "but got a boolean instead"),
        ({"turn_detection": {"threshold": "x"}}, "but got a string instead"),
        ({"format": {"rate": 12_345}}, "12345. Supported rates of audio/pcm are: 8000, 16000, 24000, 32000, 44100,"),
        ({"format": {"type": "audio/pcma", "rate": 16_000}}, "Supported rates of audio/pcma are: 8000."),
        ({"transcription": {"languages": []}}, "expected at least one language, got none"),
        ({"transcription": {"language": "fr"}}, "Unknown language 'fr'; this model knows: en, de, ja"),
    ],
)
def test_a_refusal_says_what_would_be_right(sections: dict[str, object], message: str) -> None:
    assert message in str(input_refusal(**sections))


@pytest.mark.parametrize("sections", [{"format": {"rate": 10**4000}}, {"transcription": {"delay": "x" * LONGEST_NAME}}])
def test_a_refusal_does_not_repeat_a_long_value(sections: dict[str, object]) -> None:
    assert len(str(input_refusal(**sections))) < 300


def test_one_wrong_value_leaves_everything_as_it_was() -> None:
    before = FULL
    with pytest.raises(InvalidRequestError):
        update_input(FULL, transcription={"language": "ja"}, turn_detection={"threshold": 3})
    assert before == FULL
    assert transcription_of(FULL).language == "de"


def test_the_longest_configuration_fits_into_an_event_of_a_mebibyte() -> None:
    wide = "\U0001f600"
    names = [wide * 100] * (LONGEST_LIST // 100)
    assert sum(map(len, names)) == LONGEST_LIST
    languages = ["en-" + wide * 97] * (LONGEST_LIST // 100)
    transcription = {
        "language": "en-" + wide * (LONGEST_NAME - 3),
        "languages": languages,
        "prompt": wide * LONGEST_PROMPT,
        "keywords": names,
    }
    session = {"audio": {"input": {"transcription": transcription}}, "include": names}
    assert len(json.dumps(render_session(update(session), "sess_x", 1))) < 2**20
