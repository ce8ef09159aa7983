from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

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
from wavescribe.api.realtime.session_rendering import render_session
from wavescribe.api.realtime.session_update import (
    LONGEST_LIST,
    LONGEST_NAME,
    LONGEST_PROMPT,
    MOST_ENTRIES,
    PCM_RATES,
    updated,
)
from wavescribe.errors import InvalidRequestError, ModelNotFoundError
from wavescribe.vad.endpointer import TurnDetection

INPUT = "session.audio.input"
DEFAULTS = SessionConfiguration.of_model("whisper-base")
LANGUAGES = ("en", "de", "ja")


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


# Refusals.


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


# Any JSON at all.

ANY_NUMBER = st.one_of(st.integers(), st.floats(), st.sampled_from([10**400, 16_000, 0.5, 500, 8_000.0]))
WORDS_IN_USE = st.sampled_from(
    ["transcription", "realtime", "audio/pcm", "audio/pcmu", "whisper-1", "gpt-live-transcribe", "en", "en-US", "fr"]
    + ["near_field", "server_vad", "semantic_vad", "auto", "low", "windowed", "", "\ud800", LOGPROBS]
)
LEAF = st.one_of(st.none(), st.booleans(), ANY_NUMBER, WORDS_IN_USE, st.text(st.characters()))
ANY_JSON = st.recursive(LEAF, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)


def objects(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({}, optional=members) | ANY_JSON


def mostly(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return strategy | LEAF | st.lists(LEAF, max_size=3)


FORMAT = objects(type=WORDS_IN_USE, rate=mostly(ANY_NUMBER))
TRANSCRIPTION = objects(
    **{name: mostly(WORDS_IN_USE) for name in ("model", "language", "prompt", "delay", "strategy")},
    languages=mostly(st.lists(WORDS_IN_USE, max_size=3)),
    keywords=mostly(st.lists(st.text(), max_size=3)),
)
NOISE_REDUCTION = objects(type=WORDS_IN_USE, strength=mostly(ANY_NUMBER))
TURN_DETECTION = objects(
    type=st.sampled_from(["server_vad", "semantic_vad"]) | LEAF,
    eagerness=mostly(WORDS_IN_USE),
    create_response=mostly(st.booleans()),
    **{name: mostly(ANY_NUMBER) for name in ("threshold", "silence_duration_ms", "prefix_padding_ms")},
)
AUDIO_INPUT = objects(
    format=FORMAT, transcription=TRANSCRIPTION, noise_reduction=NOISE_REDUCTION, turn_detection=TURN_DETECTION
)
SESSION = objects(type=WORDS_IN_USE, audio=objects(input=AUDIO_INPUT), include=mostly(st.lists(WORDS_IN_USE)))


def outcome(session: object, configuration: SessionConfiguration) -> SessionConfiguration | InvalidRequestError:
    try:
        return update(session, configuration)
    except InvalidRequestError as error:
        return error


@settings(deadline=None, max_examples=500)
@example(session={"audio": {"input": {"format": {"rate": 10**400}}}}, configuration=DEFAULTS)
@given(session=SESSION, configuration=st.sampled_from([DEFAULTS, FULL, replace(FULL, transcription=None)]))
def test_any_json_is_either_refused_or_becomes_a_configuration_that_can_be_sent(
    session: object, configuration: SessionConfiguration
) -> None:
    changed = outcome(session, configuration)
    if isinstance(changed, InvalidRequestError):
        assert changed.code in ("invalid_value", "invalid_type", "missing_required_parameter", "model_not_found")
        assert (changed.param or "").startswith("session")
        assert str(changed).encode()
        return
    rendered = render_session(changed, "sess_x", 1)
    assert json.loads(json.dumps(rendered, ensure_ascii=False, allow_nan=False).encode()) == rendered
    changed.core_turn_detection()
    assert update(rendered, changed) == replace(changed, chosen_turn_detection=changed.turn_detection)
