from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from wavescribe.api.models import ServedModels
from wavescribe.api.realtime.session_configuration import (
    DRAFT,
    LOGPROBS,
    WORDS,
    AudioFormat,
    NoiseReduction,
    SemanticVad,
    ServerVad,
    SessionConfiguration,
    Transcription,
)
from wavescribe.api.realtime.session_update import (
    PCM_RATES,
    updated,
)
from wavescribe.vad.endpointer import TurnDetection

INPUT = "session.audio.input"
DEFAULTS = SessionConfiguration.of_model("whisper-base")
LANGUAGES = ("en", "de", "ja")


def update(session: object, configuration: SessionConfiguration = DEFAULTS) -> SessionConfiguration:
    return updated(configuration, session, check_model=ServedModels("whisper-base").check, languages=LANGUAGES)


def update_input(configuration: SessionConfiguration = DEFAULTS, **sections: object) -> SessionConfiguration:
    return update({"type": "transcription", "audio": {"input": sections}}, configuration)


def transcription_of(configuration: SessionConfiguration) -> Transcription:
    assert configuration.transcription is not None
    return configuration.transcription


# A session without any update.


def test_a_session_starts_with_pcm_at_24_khz_and_server_vad() -> None:
    assert DEFAULTS.format == AudioFormat("audio/pcm", 24_000)
    assert transcription_of(DEFAULTS) == Transcription("whisper-base")
    assert DEFAULTS.turn_detection == ServerVad(0.5, 300, 500)
    assert (DEFAULTS.noise_reduction, DEFAULTS.include) == (None, None)


@pytest.mark.parametrize(
    ("audio_format", "second", "least"),
    [
        (AudioFormat(), 48_000, 4_800),
        (AudioFormat("audio/pcm", 16_000), 32_000, 3_200),
        (AudioFormat("audio/pcm", 44_100), 88_200, 8_820),
        (AudioFormat("audio/pcmu", 8_000), 8_000, 800),
        (AudioFormat("audio/pcma", 8_000), 8_000, 800),
    ],
)
def test_a_format_knows_the_bytes_of_a_second_and_of_the_least_commit(
    audio_format: AudioFormat, second: int, least: int
) -> None:
    assert (audio_format.bytes_per_second, audio_format.minimum_commit_bytes) == (second, least)


@pytest.mark.parametrize(
    ("choice", "core"),
    [
        (None, None),
        (ServerVad(0.7, 200, 900), TurnDetection.server_vad(0.7, 200, 900)),
        (SemanticVad("low"), TurnDetection.semantic_vad("low")),
    ],
)
def test_turn_detection_reaches_the_core(choice: ServerVad | SemanticVad | None, core: TurnDetection | None) -> None:
    assert replace(DEFAULTS, chosen_turn_detection=choice).core_turn_detection() == core


# Turn detection by model.


@pytest.mark.parametrize(
    "model",
    ["gpt-realtime-whisper", "gpt-live-transcribe", "gpt-realtime-whisper-2026-05-01", "gpt-live-transcribe-2026"],
)
def test_a_model_whose_clients_end_turns_has_no_turn_detection_by_default(model: str) -> None:
    assert SessionConfiguration.of_model(model).turn_detection is None
    assert SessionConfiguration.of_model(model).core_turn_detection() is None


def test_turn_detection_follows_an_updated_model_until_the_client_chooses() -> None:
    live = update_input(transcription={"model": "gpt-realtime-whisper"})
    assert live.turn_detection is None
    assert update_input(live, transcription={"model": "whisper-1"}).turn_detection == ServerVad()
    chosen = update_input(live, turn_detection={"type": "server_vad"})
    assert chosen.turn_detection == ServerVad()
    assert update_input(chosen, transcription={"model": "gpt-live-transcribe"}).turn_detection == ServerVad()
    off = update_input(turn_detection=None)
    assert update_input(off, transcription={"model": "whisper-1"}).turn_detection is None


def test_without_transcription_the_sessions_own_model_decides_about_turn_detection() -> None:
    live = SessionConfiguration.of_model("gpt-realtime-whisper")
    assert update_input(live, transcription=None).turn_detection is None


# What changes and what stays.

FULL = SessionConfiguration(
    model="whisper-base",
    format=AudioFormat("audio/pcm", 16_000),
    transcription=Transcription("whisper-1", "de", ("de", "en"), "Grüß Gott.", ("Linz",), "low", "sliced"),
    noise_reduction=NoiseReduction("far_field", 0.5),
    chosen_turn_detection=ServerVad(0.7, 100, 900, create_response=False, idle_timeout_ms=6_000),
    include=(LOGPROBS,),
)


@pytest.mark.parametrize(
    "session",
    [
        {},
        {"type": "transcription"},
        {"type": None, "audio": None},
        {"type": "realtime", "audio": {}},
        {"audio": {"input": None}},
        {"audio": {"input": {}}},
        {"audio": {"input": {"format": {}, "transcription": {}, "noise_reduction": {}, "turn_detection": {}}}},
        {"audio": {"input": {"format": None}}},
        {"audio": {"input": {"include": ["not here"]}}, "format": {"type": "audio/pcmu"}},
    ],
)
def test_an_update_that_says_nothing_changes_nothing(session: object) -> None:
    assert update(session, FULL) == FULL


@pytest.mark.parametrize(
    ("member", "value", "kept"),
    [
        ("model", "gpt-4o-transcribe", "gpt-4o-transcribe"),
        ("language", "en", "en"),
        ("languages", ["ja"], ("ja",)),
        ("prompt", "Servus.", "Servus."),
        ("keywords", ["Graz", "Wels"], ("Graz", "Wels")),
        ("delay", "xhigh", "xhigh"),
        ("strategy", "windowed", "windowed"),
        ("model", None, "whisper-base"),
        ("model", "", "whisper-base"),
        ("language", None, None),
        ("language", "", ""),
        ("languages", None, None),
        ("prompt", None, ""),
        ("keywords", None, None),
        ("keywords", [], ()),
        ("delay", None, None),
        ("strategy", None, None),
    ],
)
def test_one_member_of_transcription_changes_alone_and_null_clears_it(member: str, value: object, kept: object) -> None:
    changes: dict[str, Any] = {member: kept}
    expected = replace(FULL, transcription=replace(transcription_of(FULL), **changes))
    assert update_input(FULL, transcription={member: value}) == expected


def test_transcription_can_be_turned_off_and_on_again() -> None:
    off = update_input(FULL, transcription=None)
    assert off.transcription is None
    assert update_input(off, noise_reduction=None).transcription is None
    assert update_input(off, transcription={}).transcription == Transcription("whisper-base")
    assert update_input(off, transcription={"language": "en"}).transcription == Transcription("whisper-base", "en")


@pytest.mark.parametrize(
    ("given", "effective"),
    [
        (None, None),
        ({"type": "server_vad"}, ServerVad(0.7, 100, 900, create_response=False, idle_timeout_ms=6_000)),
        ({"threshold": 0.1}, ServerVad(0.1, 100, 900, create_response=False, idle_timeout_ms=6_000)),
        (
            {"type": "server_vad", "threshold": 1, "prefix_padding_ms": 600, "silence_duration_ms": 350.0},
            ServerVad(1.0, 600, 350, create_response=False, idle_timeout_ms=6_000),
        ),
        (
            {"threshold": None, "prefix_padding_ms": None, "silence_duration_ms": None, "create_response": None},
            ServerVad(idle_timeout_ms=6_000),
        ),
        (
            {"create_response": True, "interrupt_response": False, "idle_timeout_ms": None},
            ServerVad(0.7, 100, 900, create_response=True, interrupt_response=False),
        ),
        ({"type": "semantic_vad"}, SemanticVad("auto")),
        ({"type": "semantic_vad", "eagerness": "low", "threshold": "x"}, SemanticVad("low")),
        (
            {"type": "semantic_vad", "create_response": True, "interrupt_response": False},
            SemanticVad("auto", create_response=True, interrupt_response=False),
        ),
    ],
)
def test_turn_detection_is_merged_when_its_type_stays(given: object, effective: ServerVad | SemanticVad | None) -> None:
    assert update_input(FULL, turn_detection=given) == replace(FULL, chosen_turn_detection=effective)


def test_semantic_turn_detection_is_merged_too_and_the_other_type_starts_afresh() -> None:
    semantic = update_input(turn_detection={"type": "semantic_vad", "eagerness": "high", "create_response": False})
    assert update_input(semantic, turn_detection={"create_response": True}).turn_detection == SemanticVad("high", True)
    assert update_input(semantic, turn_detection={"eagerness": None}).turn_detection == SemanticVad("auto", False)
    assert update_input(semantic, turn_detection={"type": "server_vad"}).turn_detection == ServerVad()


@pytest.mark.parametrize(
    ("given", "effective"),
    [
        (None, None),
        ({"type": "near_field"}, NoiseReduction("near_field", 0.5)),
        ({"type": None, "strength": 2}, NoiseReduction("far_field", 2.0)),
        ({"strength": None}, NoiseReduction("far_field", None)),
    ],
)
def test_noise_reduction_keeps_what_is_not_given(given: object, effective: NoiseReduction | None) -> None:
    assert update_input(FULL, noise_reduction=given).noise_reduction == effective


def test_noise_reduction_without_strength_has_none() -> None:
    assert update_input(noise_reduction={"type": "near_field"}).noise_reduction == NoiseReduction("near_field")


@pytest.mark.parametrize("rate", PCM_RATES)
def test_every_listed_rate_of_pcm_is_accepted(rate: int) -> None:
    assert update_input(format={"type": "audio/pcm", "rate": rate}).format == AudioFormat("audio/pcm", rate)


@pytest.mark.parametrize(
    ("given", "effective"),
    [
        ({"type": "audio/pcm"}, AudioFormat("audio/pcm", 24_000)),
        ({"type": "audio/pcm", "rate": None}, AudioFormat("audio/pcm", 24_000)),
        ({"rate": 48_000.0}, AudioFormat("audio/pcm", 48_000)),
        ({"type": "audio/pcmu"}, AudioFormat("audio/pcmu", 8_000)),
        ({"type": "audio/pcma", "rate": 8_000}, AudioFormat("audio/pcma", 8_000)),
    ],
)
def test_a_format_without_rate_has_the_usual_one(given: object, effective: AudioFormat) -> None:
    assert update_input(FULL, format=given).format == effective


def test_whole_numbers_are_integers_however_the_client_wrote_them() -> None:
    configuration = update_input(format={"rate": 16_000.0}, turn_detection={"silence_duration_ms": 350.0})
    assert isinstance(configuration.format.rate, int)
    assert isinstance(configuration.turn_detection, ServerVad)
    assert isinstance(configuration.turn_detection.silence_duration_ms, int)


@pytest.mark.parametrize(
    ("given", "kept"),
    [(None, None), ([], ()), ([LOGPROBS, "of.another.server"], (LOGPROBS, "of.another.server"))],
)
def test_include_is_replaced_and_unknown_names_are_kept(given: object, kept: object) -> None:
    assert update({"include": given}, FULL).include == kept


@pytest.mark.parametrize("name", [LOGPROBS, DRAFT, WORDS])
def test_an_addition_is_included_only_when_asked_for(name: str) -> None:
    assert not DEFAULTS.includes(name)
    assert update({"include": [name]}).includes(name)
    assert not any(update({"include": [name]}).includes(other) for other in {LOGPROBS, DRAFT, WORDS} - {name})


def test_the_names_of_the_extensions_are_as_documented() -> None:
    assert DRAFT == "item.input_audio_transcription.draft"
    assert WORDS == "item.input_audio_transcription.words"
    assert LOGPROBS == "item.input_audio_transcription.logprobs"


# What stock clients send.


def test_the_update_of_a_conversation_client_is_accepted() -> None:
    session = {
        "type": "realtime",
        "model": "gpt-realtime-2.1",
        "output_modalities": ["audio"],
        "instructions": "Be brief.",
        "tools": [],
        "tool_choice": "auto",
        "tracing": "auto",
        "prompt": {"id": "p"},
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24_000},
                "transcription": {"model": "gpt-4o-mini-transcribe"},
                "noise_reduction": None,
                "turn_detection": {"type": "semantic_vad"},
            },
            "output": {"format": {"type": "audio/pcm", "rate": 24_000}, "voice": "ash", "speed": 1},
        },
    }
    configuration = update(session)
    assert transcription_of(configuration) == Transcription("gpt-4o-mini-transcribe")
    assert configuration.turn_detection == SemanticVad()


def test_unknown_keys_are_ignored_at_every_level() -> None:
    session = {
        "x": 1,
        "audio": {
            "x": 1,
            "input": {
                "x": 1,
                "format": {"type": "audio/pcm", "channels": 1},
                "transcription": {"x": 1, "language": "en"},
                "noise_reduction": {"type": "near_field", "x": 1},
                "turn_detection": {"type": "server_vad", "eagerness": 7},
            },
        },
    }
    assert transcription_of(update(session)).language == "en"


# Languages.


@pytest.mark.parametrize(
    ("transcription", "code"),
    [
        ({}, None),
        ({"language": "en"}, "en"),
        ({"language": "en-US"}, "en"),
        ({"language": "German"}, "de"),
        ({"language": ""}, None),
        ({"languages": ["ja"]}, "ja"),
        ({"languages": ["en", "en-GB"]}, "en"),
        ({"languages": ["en", "de"]}, None),
        ({"languages": ["en", "fr"]}, None),
        ({"language": "de", "languages": ["en", "ja"]}, "de"),
    ],
)
def test_one_language_is_a_code_and_several_are_detected_among(transcription: object, code: str | None) -> None:
    assert transcription_of(update_input(transcription=transcription)).language_code == code


def test_a_language_is_kept_as_the_client_wrote_it() -> None:
    transcription = transcription_of(update_input(transcription={"language": "en-US", "languages": ["German"]}))
    assert (transcription.language, transcription.languages) == ("en-US", ("German",))
