from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.beta.realtime import TranscriptionSessionUpdatedEvent

from wavescribe.api.models import ServedModels
from wavescribe.api.realtime.beta_session import beta_as_ga, beta_updated, render_beta_session
from wavescribe.api.realtime.session_configuration import (
    LOGPROBS,
    AudioFormat,
    FormatName,
    NoiseReduction,
    SemanticVad,
    ServerVad,
    SessionConfiguration,
    Transcription,
)
from wavescribe.errors import InvalidRequestError, ModelNotFoundError

DEFAULTS = SessionConfiguration.of_model("whisper-base")
EVERYTHING = {
    "input_audio_format": "g711_ulaw",
    "input_audio_transcription": {"model": "whisper-1", "language": "de", "prompt": "Servus."},
    "input_audio_noise_reduction": {"type": "near_field"},
    "turn_detection": {"type": "semantic_vad", "eagerness": "high"},
    "include": [LOGPROBS],
    "modalities": ["text"],
    "client_secret": {"expires_at": {"anchor": "created_at", "seconds": 60}},
}


def update(session: object, configuration: SessionConfiguration = DEFAULTS) -> SessionConfiguration:
    return beta_updated(configuration, session, check_model=ServedModels("whisper-base").check, languages=("en", "de"))


def test_a_whole_beta_session_becomes_todays_shape() -> None:
    assert beta_as_ga(EVERYTHING) == {
        "type": "transcription",
        "audio": {
            "input": {
                "format": {"type": "audio/pcmu"},
                "transcription": {"model": "whisper-1", "language": "de", "prompt": "Servus."},
                "noise_reduction": {"type": "near_field"},
                "turn_detection": {"type": "semantic_vad", "eagerness": "high"},
            }
        },
        "include": [LOGPROBS],
    }


@pytest.mark.parametrize("session", [{}, {"input_audio_format": None}, {"audio": {"input": {"format": 1}}}])
def test_what_is_not_given_is_not_in_todays_shape_either(session: object) -> None:
    assert beta_as_ga(session) == {"type": "transcription", "audio": {"input": {}}}


def test_a_null_of_the_beta_clears_as_todays_does() -> None:
    session = {
        "input_audio_transcription": None,
        "input_audio_noise_reduction": None,
        "turn_detection": None,
        "include": None,
    }
    cleared = update(session, update(EVERYTHING))
    assert (cleared.transcription, cleared.noise_reduction, cleared.turn_detection, cleared.include) == (None,) * 4


def test_a_beta_update_changes_the_same_configuration() -> None:
    assert update(EVERYTHING) == SessionConfiguration(
        model="whisper-base",
        format=AudioFormat("audio/pcmu", 8_000),
        transcription=Transcription("whisper-1", "de", prompt="Servus."),
        noise_reduction=NoiseReduction("near_field"),
        chosen_turn_detection=SemanticVad("high"),
        include=(LOGPROBS,),
    )
    assert update({"turn_detection": {"type": "server_vad"}}) == replace(DEFAULTS, chosen_turn_detection=ServerVad())


@pytest.mark.parametrize(
    ("name", "audio_format"),
    [("pcm16", ("audio/pcm", 24_000)), ("g711_ulaw", ("audio/pcmu", 8_000)), ("g711_alaw", ("audio/pcma", 8_000))],
)
def test_every_format_of_the_beta_is_taken_and_shown_by_its_name(
    name: str, audio_format: tuple[FormatName, int]
) -> None:
    configuration = update({"input_audio_format": name})
    assert configuration.format == AudioFormat(*audio_format)
    assert render_beta_session(configuration, "sess_1", None)["input_audio_format"] == name


@pytest.mark.parametrize(
    ("session", "code", "param"),
    [
        (None, "missing_required_parameter", "session"),
        ([], "invalid_type", "session"),
        ({"input_audio_format": "audio/pcm"}, "invalid_value", "session.input_audio_format"),
        ({"input_audio_format": {"type": "pcm16"}}, "invalid_type", "session.input_audio_format"),
        ({"input_audio_transcription": "x"}, "invalid_type", "session.input_audio_transcription"),
        (
            {"input_audio_transcription": {"language": "fr"}},
            "invalid_value",
            "session.input_audio_transcription.language",
        ),
        ({"input_audio_noise_reduction": {"type": "x"}}, "invalid_value", "session.input_audio_noise_reduction.type"),
        ({"turn_detection": {"threshold": 3}}, "invalid_value", "session.turn_detection.threshold"),
        ({"include": "x"}, "invalid_type", "session.include"),
    ],
)
def test_an_error_is_named_as_the_beta_names_things(session: object, code: str, param: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        update(session)
    assert (caught.value.code, caught.value.param) == (code, param)
    assert "audio.input" not in str(caught.value)


def test_a_model_that_is_not_served_is_refused_at_its_path() -> None:
    with pytest.raises(ModelNotFoundError) as caught:
        update({"input_audio_transcription": {"model": "whisper-9"}})
    assert caught.value.param == "session.input_audio_transcription.model"


def test_the_answer_has_exactly_the_beta_shape() -> None:
    assert render_beta_session(update(EVERYTHING), "sess_1", 1_790_000_000) == {
        "id": "sess_1",
        "object": "realtime.transcription_session",
        "expires_at": 1_790_000_000,
        "input_audio_format": "g711_ulaw",
        "input_audio_transcription": {"model": "whisper-1", "language": "de", "prompt": "Servus."},
        "turn_detection": {"type": "semantic_vad", "eagerness": "high"},
        "input_audio_noise_reduction": {"type": "near_field"},
        "include": [LOGPROBS],
        "client_secret": None,
    }


def test_the_openai_sdk_validates_the_beta_session_once_it_has_a_secret() -> None:
    session = render_beta_session(update({"input_audio_transcription": {"model": "whisper-1"}}), "sess_1", 1)
    session["client_secret"] = {"value": "ek_1", "expires_at": 1}
    event = TranscriptionSessionUpdatedEvent.model_validate(
        {"type": "transcription_session.updated", "event_id": "event_1", "session": session}
    )
    assert event.session.model_dump(exclude_unset=True) == session


LEAF = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.sampled_from(["pcm16", "server_vad", "whisper-1"]),
)
ANY_JSON = st.recursive(LEAF, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=6)
SECTION: st.SearchStrategy[Any] = ANY_JSON | st.dictionaries(
    st.sampled_from(["type", "model", "language", "threshold"]), LEAF
)
SESSION = ANY_JSON | st.dictionaries(st.sampled_from(list(EVERYTHING)), SECTION)


@settings(deadline=None)
@given(session=SESSION)
def test_any_json_is_either_refused_or_becomes_a_configuration_that_can_be_sent(session: object) -> None:
    with suppress(InvalidRequestError):
        rendered = render_beta_session(update(session), "sess_1", 1)
        assert json.loads(json.dumps(rendered, ensure_ascii=False, allow_nan=False).encode()) == rendered
