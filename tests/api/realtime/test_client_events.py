from __future__ import annotations

import base64
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wavescribe.api.realtime.client_events import (
    CLIENT_EVENTS,
    LARGEST_AUDIO_BYTES,
    LONGEST_EVENT_ID,
    REFUSED_EVENTS,
    ClientEvent,
    parse_client_event,
)
from wavescribe.api.realtime.session_configuration import AudioFormat

PCM = AudioFormat()
FORMATS = [PCM, AudioFormat("audio/pcm", 16_000), AudioFormat("audio/pcmu", 8_000), AudioFormat("audio/pcma", 8_000)]
APPEND = "input_audio_buffer.append"


def parse(event: object, audio_format: AudioFormat = PCM) -> ClientEvent:
    return parse_client_event(json.dumps(event), audio_format)


def append(data: bytes, audio_format: AudioFormat = PCM) -> ClientEvent:
    return parse({"type": APPEND, "audio": base64.b64encode(data).decode()}, audio_format)


def refusal(event: ClientEvent) -> tuple[str | None, str | None]:
    assert event.type == "error"
    assert event.error is not None
    return event.error.code, event.error.param


def message(event: ClientEvent) -> str:
    assert event.error is not None
    return str(event.error)


@pytest.mark.parametrize("kind", [kind for kind in CLIENT_EVENTS if kind != APPEND])
def test_an_event_comes_with_its_id_and_its_fields(kind: str) -> None:
    event = parse({"type": kind, "event_id": "mine", "x": [1]})
    assert (event.type, event.event_id, event.fields["x"], event.error) == (kind, "mine", [1], None)
    assert len(event.samples) == 0


@pytest.mark.parametrize(
    ("audio_format", "data", "samples"),
    [
        (PCM, b"\x00\x00\x00\x40\x00\x80", [0, 0.5, -1]),
        (AudioFormat("audio/pcmu", 8_000), b"\xff\x00\x80", [0, -32_124 / 32_768, 32_124 / 32_768]),
        (AudioFormat("audio/pcma", 8_000), b"\xd5\x55", [8 / 32_768, -8 / 32_768]),
    ],
)
def test_appended_audio_becomes_samples(audio_format: AudioFormat, data: bytes, samples: list[float]) -> None:
    event = append(data, audio_format)
    assert event.samples.dtype == np.float32
    assert event.samples.tolist() == pytest.approx(samples)


@pytest.mark.parametrize("audio_format", FORMATS)
def test_no_bytes_make_a_sample_that_is_not_a_number(audio_format: AudioFormat) -> None:
    every_sample = np.arange(2**16, dtype="<u2").tobytes()
    samples = append(every_sample, audio_format).samples
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() <= 1


def test_an_append_without_audio_has_no_samples() -> None:
    event = append(b"")
    assert (event.type, len(event.samples)) == (APPEND, 0)


@pytest.mark.parametrize(
    ("audio", "code"),
    [
        ("!", "invalid_value"),
        ("AAA", "invalid_value"),
        ("AA AA", "invalid_value"),
        ("AAAA\n", "invalid_value"),
        ("_-8=", "invalid_value"),
        ("\ud800AAA", "invalid_value"),
        ("äAAA", "invalid_value"),
        ("AAAA", "invalid_value"),  # three bytes: half a sample is left over
        (None, "missing_required_parameter"),
        (7, "invalid_type"),
        (["AAAA"], "invalid_type"),
    ],
)
def test_audio_that_is_not_base64_of_whole_samples_is_refused(audio: object, code: str) -> None:
    event = parse({"type": APPEND, "event_id": "mine", "audio": audio})
    assert refusal(event) == (code, "audio")
    assert event.event_id == "mine"


def test_an_odd_number_of_bytes_is_audio_where_samples_are_bytes() -> None:
    assert len(append(b"\xff" * 3, AudioFormat("audio/pcma", 8_000)).samples) == 3


@pytest.mark.parametrize(
    ("audio_format", "expected"),
    [
        (PCM, "Expected base64-encoded audio bytes (mono PCM16 at 24kHz) but got an invalid value."),
        (AudioFormat("audio/pcm", 44_100), "(mono PCM16 at 44.1kHz)"),
        (AudioFormat("audio/pcmu", 8_000), "(mono G.711 µ-law at 8kHz)"),
        (AudioFormat("audio/pcma", 8_000), "(mono G.711 A-law at 8kHz)"),
    ],
)
def test_a_refusal_of_audio_names_the_format_that_is_wanted(audio_format: AudioFormat, expected: str) -> None:
    assert expected in message(parse({"type": APPEND, "audio": "?"}, audio_format))


def test_the_largest_audio_fits_and_a_sample_more_does_not() -> None:
    assert len(append(bytes(LARGEST_AUDIO_BYTES)).samples) == LARGEST_AUDIO_BYTES // 2
    event = append(bytes(LARGEST_AUDIO_BYTES + 1), AudioFormat("audio/pcmu", 8_000))
    assert refusal(event) == ("invalid_value", "audio")
    assert str(LARGEST_AUDIO_BYTES) in message(event)


def test_audio_that_is_too_large_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def decoded(*_: object, **__: object) -> bytes:
        raise AssertionError("it was decoded")

    monkeypatch.setattr("wavescribe.api.realtime.client_events.base64.b64decode", decoded)
    assert refusal(parse({"type": APPEND, "audio": "A" * (LARGEST_AUDIO_BYTES // 3 * 4 + 4)}))[0] == "invalid_value"


@pytest.mark.parametrize(
    ("frame", "param"),
    [
        ("", None),
        ("not json", None),
        ('{"type": "input_audio_buffer.commit"', None),
        ("[]", None),
        ('"input_audio_buffer.commit"', None),
        ("null", None),
        ("[" * 100_000, None),
        ("9" * 10_000, None),
        (b"\x00\x01", None),
        (b'{"type": "input_audio_buffer.commit"}', None),
        ("{}", "type"),
        ('{"type": null}', "type"),
        ('{"type": 7}', "type"),
        ('{"type": ["input_audio_buffer.commit"]}', "type"),
    ],
)
def test_a_frame_that_is_no_event_is_refused(frame: str | bytes, param: str | None) -> None:
    event = parse_client_event(frame, PCM)
    assert refusal(event) == ("invalid_event", param)
    assert len(message(event)) < 300


def test_a_missing_type_is_named_as_openai_does() -> None:
    assert message(parse({})) == "The 'type' field is missing."


@pytest.mark.parametrize("kind", ["foo", "", "session.created", "Session.Update", "\ud800", "x" * 10_000])
def test_an_unknown_type_is_refused_with_those_that_are_served(kind: str) -> None:
    event = parse({"type": kind, "event_id": "mine"})
    assert refusal(event) == ("invalid_value", "type")
    assert event.event_id == "mine"
    assert "Supported values are: 'session.update', " in message(event)
    assert message(event).encode()
    assert len(message(event)) < 1_000


@pytest.mark.parametrize("kind", REFUSED_EVENTS)
def test_events_of_a_conversation_are_refused_as_not_supported(kind: str) -> None:
    assert refusal(parse({"type": kind})) == ("not_supported", "type")


def test_a_protocol_serves_its_own_types() -> None:
    served = ("session.finish",)
    assert parse_client_event('{"type": "session.finish"}', PCM, served).type == "session.finish"
    assert refusal(parse_client_event('{"type": "session.update"}', PCM, served)) == ("invalid_value", "type")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", ""),
        ("\ud800", "\ud800"),
        ("x" * LONGEST_EVENT_ID, "x" * LONGEST_EVENT_ID),
        ("x" * (LONGEST_EVENT_ID + 1), None),
        (7, None),
        (None, None),
        ({}, None),
    ],
)
def test_only_an_event_id_that_can_be_repeated_is_kept(given: object, kept: str | None) -> None:
    assert parse({"type": "input_audio_buffer.commit", "event_id": given}).event_id == kept


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
EVENTS = st.fixed_dictionaries(
    {"type": st.sampled_from(CLIENT_EVENTS) | ANY_JSON}, optional={"audio": ANY_JSON | st.text(), "event_id": ANY_JSON}
)


@settings(max_examples=300, deadline=None)
@given(frame=st.binary() | st.text() | ANY_JSON.map(json.dumps) | EVENTS.map(json.dumps))
def test_no_frame_raises(frame: str | bytes) -> None:
    event = parse_client_event(frame, PCM)
    assert (event.type == "error") == (event.error is not None)
