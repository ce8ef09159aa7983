from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from openai.types.realtime import RealtimeServerEvent, RealtimeTranscriptionSessionCreateRequest
from pydantic import TypeAdapter

from wavescribe.api.realtime.session_configuration import (
    LOGPROBS,
    AudioFormat,
    NoiseReduction,
    SemanticVad,
    ServerVad,
    SessionConfiguration,
    Transcription,
)
from wavescribe.api.realtime.session_rendering import render_session

DEFAULTS = SessionConfiguration.of_model("whisper-1")
SDK: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)


def render(configuration: SessionConfiguration) -> dict[str, Any]:
    return render_session(configuration, "sess_abc", 1_790_000_000)


def rendered_input(configuration: SessionConfiguration) -> dict[str, Any]:
    sections: dict[str, Any] = render(configuration)["audio"]["input"]
    return sections


def test_the_defaults_have_exactly_the_shape_of_the_api() -> None:
    assert render(DEFAULTS) == {
        "type": "transcription",
        "object": "realtime.transcription_session",
        "id": "sess_abc",
        "expires_at": 1_790_000_000,
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24_000},
                "transcription": {"model": "whisper-1", "language": None, "prompt": ""},
                "noise_reduction": None,
                "turn_detection": {
                    "type": "server_vad",
                    "threshold": 0.5,
                    "prefix_padding_ms": 300,
                    "silence_duration_ms": 500,
                },
            }
        },
        "include": None,
    }


@pytest.mark.parametrize(
    ("section", "configuration", "shown"),
    [
        ("format", replace(DEFAULTS, format=AudioFormat("audio/pcm", 16_000)), {"type": "audio/pcm", "rate": 16_000}),
        ("format", replace(DEFAULTS, format=AudioFormat("audio/pcmu", 8_000)), {"type": "audio/pcmu"}),
        ("format", replace(DEFAULTS, format=AudioFormat("audio/pcma", 8_000)), {"type": "audio/pcma"}),
        ("transcription", replace(DEFAULTS, transcription=None), None),
        (
            "transcription",
            replace(DEFAULTS, transcription=Transcription("m", "en-US", ("en", "de"), "p", (), "low", "sliced")),
            {
                "model": "m",
                "language": "en-US",
                "languages": ["en", "de"],
                "prompt": "p",
                "keywords": [],
                "delay": "low",
                "strategy": "sliced",
            },
        ),
        (
            "noise_reduction",
            replace(DEFAULTS, noise_reduction=NoiseReduction("near_field")),
            {"type": "near_field"},
        ),
        (
            "noise_reduction",
            replace(DEFAULTS, noise_reduction=NoiseReduction("far_field", 0.0)),
            {"type": "far_field", "strength": 0.0},
        ),
        ("turn_detection", replace(DEFAULTS, chosen_turn_detection=None), None),
        ("turn_detection", SessionConfiguration.of_model("gpt-live-transcribe"), None),
        (
            "turn_detection",
            replace(DEFAULTS, chosen_turn_detection=ServerVad(0.0, 0, 0, False, False, 5_000)),
            {
                "type": "server_vad",
                "threshold": 0.0,
                "prefix_padding_ms": 0,
                "silence_duration_ms": 0,
                "create_response": False,
                "interrupt_response": False,
                "idle_timeout_ms": 5_000,
            },
        ),
        (
            "turn_detection",
            replace(DEFAULTS, chosen_turn_detection=SemanticVad()),
            {"type": "semantic_vad", "eagerness": "auto"},
        ),
    ],
)
def test_a_section_shows_what_the_client_gave(section: str, configuration: SessionConfiguration, shown: object) -> None:
    assert rendered_input(configuration)[section] == shown


def test_include_is_shown_as_given() -> None:
    assert render(replace(DEFAULTS, include=(LOGPROBS, "x")))["include"] == [LOGPROBS, "x"]
    assert render(replace(DEFAULTS, include=()))["include"] == []


def test_a_session_without_an_end_expires_never() -> None:
    assert render_session(DEFAULTS, "sess_abc", None)["expires_at"] is None


@pytest.mark.parametrize("kind", ["session.created", "session.updated"])
@pytest.mark.parametrize(
    "configuration",
    [
        DEFAULTS,
        SessionConfiguration.of_model("gpt-realtime-whisper"),
        replace(DEFAULTS, transcription=None, chosen_turn_detection=None, include=(LOGPROBS,)),
        replace(DEFAULTS, format=AudioFormat("audio/pcmu", 8_000), chosen_turn_detection=SemanticVad("low", True)),
        replace(DEFAULTS, format=AudioFormat("audio/pcma", 8_000), noise_reduction=NoiseReduction("far_field", 1.0)),
        replace(DEFAULTS, transcription=Transcription("m", "en", ("en",), "p", ("k",), "xhigh", "windowed")),
        replace(DEFAULTS, chosen_turn_detection=ServerVad(0.4, 1, 2, True, False, 6_000)),
    ],
)
def test_the_openai_sdk_validates_the_session_as_a_transcription_session(
    kind: str, configuration: SessionConfiguration
) -> None:
    event = SDK.validate_python({"type": kind, "event_id": "event_1", "session": render(configuration)})
    assert event.type == kind
    assert isinstance(event.session, RealtimeTranscriptionSessionCreateRequest)
    assert event.session.model_dump(exclude_unset=True) == render(configuration)
