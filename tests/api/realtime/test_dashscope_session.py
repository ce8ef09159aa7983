from __future__ import annotations

from typing import Any

import pytest

from wavescribe.api.models import ServedModels
from wavescribe.api.realtime.dashscope_session import (
    dashscope_updated,
    render_dashscope_session,
    starting_configuration,
)
from wavescribe.api.realtime.session_configuration import (
    AudioFormat,
    SemanticVad,
    ServerVad,
    SessionConfiguration,
    Transcription,
)
from wavescribe.errors import InvalidRequestError

MODEL = "qwen3-asr-flash-realtime"
START = starting_configuration(MODEL)
DETECTION = {"type": "server_vad", "threshold": 0.2, "prefix_padding_ms": 300, "silence_duration_ms": 800}
DEFAULTS = {
    "id": "sess_1",
    "object": "realtime.session",
    "model": MODEL,
    "modalities": ["text"],
    "input_audio_format": "pcm",
    "sample_rate": 16_000,
    "input_audio_transcription": None,
    "turn_detection": DETECTION,
}


def update(session: object, configuration: SessionConfiguration = START) -> SessionConfiguration:
    check = ServedModels("whisper-base").check
    return dashscope_updated(configuration, session, check_model=check, languages=("en", "zh", "tl"))


def render(configuration: SessionConfiguration) -> dict[str, Any]:
    return render_dashscope_session(configuration, "sess_1")


@pytest.mark.parametrize(
    ("session", "rate"),
    [
        ({"sample_rate": 8_000}, 8_000),
        ({"input_audio_format": "pcm16"}, 16_000),
        ({"input_audio_format": None, "sample_rate": None}, 16_000),
        ({"audio": {"input": {"format": {"type": "pcm", "sample_rate": 48_000}}}}, 48_000),
        ({"audio": {"input": {"format": {"type": "pcm", "speech_rate": 1.2}}}}, 16_000),
        ({"audio": {"input": None, "output": {"format": {"type": "mp3"}}}}, 16_000),
    ],
)
def test_audio_arrives_at_the_rate_that_was_asked_for_in_the_older_and_the_newer_form(
    session: object, rate: int
) -> None:
    configuration = update(session)
    assert configuration.format == AudioFormat("audio/pcm", rate)
    assert render(configuration)["sample_rate"] == rate


@pytest.mark.parametrize(
    ("session", "param", "code"),
    [
        (None, "session", "missing_required_parameter"),
        ([], "session", "invalid_type"),
        ({"input_audio_format": "opus"}, "session.input_audio_format", "invalid_value"),
        ({"input_audio_format": 16}, "session.input_audio_format", "invalid_type"),
        ({"sample_rate": 22_050}, "session.sample_rate", "invalid_value"),
        ({"sample_rate": "16000"}, "session.sample_rate", "invalid_type"),
        ({"audio": {"input": {"format": {"type": "wav"}}}}, "session.audio.input.format.type", "invalid_value"),
        (
            {"audio": {"input": {"format": {"sample_rate": 1}}}},
            "session.audio.input.format.sample_rate",
            "invalid_value",
        ),
        ({"audio": "pcm"}, "session.audio", "invalid_type"),
        ({"turn_detection": "server_vad"}, "session.turn_detection", "invalid_type"),
        ({"turn_detection": {"type": "push_to_talk"}}, "session.turn_detection.type", "invalid_value"),
        ({"turn_detection": {"threshold": 1.1}}, "session.turn_detection.threshold", "invalid_value"),
        ({"turn_detection": {"threshold": -1.1}}, "session.turn_detection.threshold", "invalid_value"),
        (
            {"turn_detection": {"silence_duration_ms": 199}},
            "session.turn_detection.silence_duration_ms",
            "invalid_value",
        ),
        ({"turn_detection": {"prefix_padding_ms": -1}}, "session.turn_detection.prefix_padding_ms", "invalid_value"),
        ({"input_audio_transcription": "zh"}, "session.input_audio_transcription", "invalid_type"),
        (
            {"input_audio_transcription": {"language": "de"}},
            "session.input_audio_transcription.language",
            "invalid_value",
        ),
        (
            {"input_audio_transcription": {"model": "gummy"}},
            "session.input_audio_transcription.model",
            "model_not_found",
        ),
        (
            {"input_audio_transcription": {"corpus": {"text": 1}}},
            "session.input_audio_transcription.corpus.text",
            "invalid_type",
        ),
        ({"input_audio_transcription": {"corpus": "x"}}, "session.input_audio_transcription.corpus", "invalid_type"),
    ],
)
def test_a_wrong_update_is_refused_with_its_place(session: object, param: str, code: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        update(session)
    assert (caught.value.param, caught.value.code) == (param, code)


def test_the_error_for_opus_says_what_is_taken_instead() -> None:
    with pytest.raises(InvalidRequestError, match=r"^Invalid value: 'opus'. Supported values are: 'pcm', 'pcm16'.$"):
        update({"input_audio_format": "opus"})


@pytest.mark.parametrize(
    "session",
    [
        {},
        {"voice": "Cherry", "output_audio_format": "pcm24", "instructions": "x", "tools": [{}], "temperature": 9},
        {"translation": {"language": "en"}, "video": {"input": {"representation_compact": "x"}}},
        {"input_audio_transcription": {"model": None}},
        {"input_audio_transcription": {"model": MODEL, "enable_itn": False, "corpus": {"phrases": {"a": "b"}}}},
        {"input_audio_transcription": {"language": None, "corpus": None}},
        {"input_audio_transcription": None},
        {"turn_detection": {}},
        {"turn_detection": {"type": "server_vad", "threshold": None, "interrupt_response": True}},
    ],
)
def test_configuration_without_effect_here_is_taken(session: object) -> None:
    assert render(update(session)) == DEFAULTS


def test_a_section_that_is_given_is_replaced_and_others_stay() -> None:
    spanned = {"type": "server_vad", "threshold": 0.0, "prefix_padding_ms": 100, "silence_duration_ms": 400}
    before = update({"sample_rate": 8_000, "input_audio_transcription": {"language": "zh"}, "turn_detection": spanned})
    without_language = render(update({"input_audio_transcription": {"corpus_text": "x"}}, before))
    assert without_language["input_audio_transcription"] == {"corpus": {"text": "x"}}
    assert (without_language["turn_detection"], without_language["sample_rate"]) == (spanned, 8_000)
    detected_anew = render(update({"turn_detection": {"type": "server_vad"}}, before))
    assert detected_anew["turn_detection"] == DETECTION
    assert detected_anew["input_audio_transcription"] == {"language": "zh"}


@pytest.mark.parametrize(
    ("section", "language", "prompt"),
    [
        ({"language": "en"}, "en", ""),
        ({"language": "fil"}, "tl", ""),
        ({"corpus_text": "names"}, None, "names"),
        ({"corpus": {"text": "names"}, "corpus_text": None}, None, "names"),
    ],
)
def test_the_language_and_the_context_are_those_of_the_transcription(
    section: object, language: str | None, prompt: str
) -> None:
    transcription = update({"input_audio_transcription": section}).transcription
    assert transcription == Transcription(MODEL, language=language, prompt=prompt)


@pytest.mark.parametrize(("threshold", "probability"), [(-1, 0), (0.2, 0.5), (1, 5 / 6)])
def test_the_threshold_from_minus_one_to_one_becomes_a_probability(threshold: float, probability: float) -> None:
    configuration = update({"turn_detection": {"type": "server_vad", "threshold": threshold}})
    detection = configuration.core_turn_detection()
    assert detection is not None
    assert detection.threshold == pytest.approx(probability)
    assert render(configuration)["turn_detection"]["threshold"] == threshold


def test_turn_detection_that_is_null_is_the_manual_mode() -> None:
    configuration = update({"turn_detection": None})
    assert configuration.turn_detection is None
    assert render(configuration)["turn_detection"] is None


def test_a_prepared_session_keeps_all_but_its_audio_format() -> None:
    transcription = Transcription("whisper-1", language="en")
    prepared = SessionConfiguration("whisper-1", transcription, AudioFormat("audio/pcmu", 8_000), None, SemanticVad())
    started = starting_configuration(MODEL, prepared)
    assert started.format == AudioFormat("audio/pcm", 16_000)
    assert started.transcription == transcription
    assert render(started)["turn_detection"] == {"type": "semantic_vad", "eagerness": "auto"}


def test_a_prepared_session_without_turn_detection_or_transcription_gets_the_apis() -> None:
    started = starting_configuration(MODEL, SessionConfiguration("gpt-realtime-whisper", None))
    assert started.transcription == Transcription("gpt-realtime-whisper")
    assert started.turn_detection == ServerVad(0.5, 300, 800)
