from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from wavescribe.api.models import ServedModels
from wavescribe.api.realtime.session_configuration import (
    LOGPROBS,
    AudioFormat,
    NoiseReduction,
    ServerVad,
    SessionConfiguration,
    Transcription,
)
from wavescribe.api.realtime.session_rendering import render_session
from wavescribe.api.realtime.session_update import (
    updated,
)
from wavescribe.errors import InvalidRequestError

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
