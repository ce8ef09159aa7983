from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from wavescribe.api.dialects.commands import AppendAudio, Command, FinishStream, Refuse, StartStream
from wavescribe.api.dialects.transcription_stream import TranscriptionStreamDialect
from wavescribe.streaming.events import Draft, Event, Settled, TurnEnded, TurnFailed

SESSION_ID = "sess_0123456789ab"
START = '{"type": "session.start"}'
END = '{"type": "session.end"}'


def fresh() -> TranscriptionStreamDialect:
    return TranscriptionStreamDialect(SESSION_ID)


def started(**fields: object) -> TranscriptionStreamDialect:
    dialect = fresh()
    assert isinstance(dialect.parse_text(message("session.start", **fields)), StartStream)
    return dialect


def message(kind: str, **fields: object) -> str:
    return json.dumps({"type": kind, **fields})


def refusal(command: Command | None) -> tuple[str, bool]:
    assert isinstance(command, Refuse)
    assert command.message
    return command.code, command.close


def rendered(event: Event, **fields: object) -> list[dict[str, Any]]:
    return [json.loads(frame) for frame in started(**fields).render(event)]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, StartStream(None, None)),
        ({"model": None, "language": None}, StartStream(None, None)),
        ({"model": "whisper-base", "language": "de"}, StartStream("whisper-base", "de")),
        ({"language": ""}, StartStream(None, None)),
        ({"language": "German"}, StartStream(None, "de")),
        ({"language": "EN-us"}, StartStream(None, "en")),
        ({"audio_format": "pcm16_16k_mono"}, StartStream(None, None)),
        ({"audio_format": None, "unheard_of": [1]}, StartStream(None, None)),
    ],
)
def test_session_start_opens_the_stream(fields: dict[str, object], expected: StartStream) -> None:
    assert fresh().parse_text(message("session.start", **fields)) == expected


def test_session_end_finishes_the_stream() -> None:
    assert started().parse_text(END) == FinishStream()


def test_binary_frames_are_little_endian_pcm16() -> None:
    command = started().parse_binary(b"\x00\x40\x00\xc0\x00\x80\x01\x00")
    assert isinstance(command, AppendAudio)
    assert command.samples.dtype == np.float32
    assert command.samples.tolist() == [0.5, -0.5, -1.0, 1 / 32_768]


def test_a_stream_may_choose_its_strategy_and_its_delay() -> None:
    command = fresh().parse_text(message("session.start", strategy="sliced", delay="high"))
    assert command == StartStream(None, None, strategy="sliced", delay="high")


def test_empty_frames_are_ignored_before_and_after_the_start() -> None:
    for dialect in (fresh(), started()):
        assert dialect.parse_binary(b"") is None
        assert dialect.parse_text("") is None


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("session.start", "invalid_json"),
        ('{"type": "session.start"', "invalid_json"),
        ("\N{NO-BREAK SPACE}", "invalid_json"),
        ("[]", "invalid_payload"),
        ("null", "invalid_payload"),
        ('"session.start"', "invalid_payload"),
        ("3", "invalid_payload"),
        (message("session.start", model=1), "invalid_payload"),
        (message("session.start", model=False), "invalid_payload"),
        (message("session.start", language=["en"]), "invalid_payload"),
        (message("session.start", language={}), "invalid_payload"),
        (message("session.start", language="klingon"), "invalid_payload"),
        (message("session.start", language="\ud800"), "invalid_payload"),
        (message("session.start", audio_format="opus"), "invalid_audio_format"),
        (message("session.start", audio_format=16), "invalid_audio_format"),
        (message("session.start", strategy="quick"), "invalid_payload"),
        (message("session.start", strategy=[]), "invalid_payload"),
        (message("session.start", delay="none"), "invalid_payload"),
        (message("session.start", delay=1), "invalid_payload"),
        (message("session.pause"), "unknown_message"),
        (message("Session.Start"), "unknown_message"),
        ('{"type": null}', "unknown_message"),
        ('{"type": ["session.start"]}', "unknown_message"),
        ("{}", "unknown_message"),
    ],
)
def test_a_refused_text_frame_leaves_the_connection_open_and_the_stream_unopened(frame: str, code: str) -> None:
    dialect = fresh()
    assert refusal(dialect.parse_text(frame)) == (code, False)
    assert refusal(dialect.parse_binary(b"\0\0")) == ("invalid_state", False)
    assert dialect.parse_text(START) == StartStream(None, None)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (START, "invalid_state"),
        (message("session.start", model=1), "invalid_state"),
        ("{", "invalid_json"),
        ("[1]", "invalid_payload"),
        (message("session.update"), "unknown_message"),
        (b"\0", "invalid_audio_format"),
        (b"\0\0\0", "invalid_audio_format"),
    ],
)
def test_a_refused_frame_leaves_an_open_stream_open(frame: str | bytes, code: str) -> None:
    dialect = started(model="whisper-base")
    command = dialect.parse_text(frame) if isinstance(frame, str) else dialect.parse_binary(frame)
    assert refusal(command) == (code, False)
    assert isinstance(dialect.parse_binary(b"\0\0"), AppendAudio)
    assert json.loads(dialect.started()[0])["model"] == "whisper-base"


@pytest.mark.parametrize("frame", [b"\0\0", b"\0"])
def test_audio_before_the_start_is_refused_and_leaves_the_connection_open(frame: bytes) -> None:
    assert refusal(fresh().parse_binary(frame)) == ("invalid_state", False)


def test_the_end_before_the_start_is_refused_and_closes_the_connection() -> None:
    assert refusal(fresh().parse_text(END)) == ("invalid_state", True)


def test_a_start_that_the_server_refused_may_be_tried_again() -> None:
    dialect = started(language="ht")
    dialect.refuse_start()
    assert refusal(dialect.parse_binary(b"\0\0")) == ("invalid_state", False)
    assert dialect.parse_text(message("session.start", language="en")) == StartStream(None, "en")


def test_what_is_said_of_a_wrong_language_can_be_sent() -> None:
    command = fresh().parse_text('{"type": "session.start", "language": "\\ud800"}')
    assert isinstance(command, Refuse)
    assert "ISO-639-1" in json.loads(fresh().error(command.code, command.message).encode())["message"]


def test_json_nested_too_deep_is_refused() -> None:
    assert refusal(fresh().parse_text("[" * 200_000)) == ("invalid_json", False)


def test_what_is_echoed_can_be_sent() -> None:
    dialect = fresh()
    dialect.parse_text(r'{"type": "session.start", "model": "\ud800"}')
    dialect.started()[0].encode()


@pytest.mark.parametrize("model", [None, "whisper-base"])
def test_session_started_names_the_session_and_echoes_the_model(model: str | None) -> None:
    frames = started(model=model).started()
    assert [json.loads(frame) for frame in frames] == [
        {"type": "session.started", "session_id": SESSION_ID, "model": model}
    ]


@pytest.mark.parametrize(
    ("delta", "words"),
    [
        ("Hello", ["Hello"]),
        (" brave new world.", ["brave", "new", "world."]),
        ("你好。", ["你好。"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        (" ", []),
        ("", []),
    ],
)
def test_settled_text_becomes_a_delta_for_each_bare_word(delta: str, words: list[str]) -> None:
    expected = [{"type": "transcript.delta", "delta": word} for word in words]
    assert rendered(Settled(0, delta, (), "en", 16_000)) == expected


@pytest.mark.parametrize(
    ("transcript", "start", "end", "text", "seconds"),
    [
        ("", 0, 0, "", 0.0),
        ("Hello world.", 0, 16_000, "Hello world.", 1.0),
        ("Hello , world ! Really ?", 16_000, 48_000, "Hello, world! Really?", 2.0),
        ("  two\n spaces ", 0, 20_000, "two spaces", 1.25),
        ("你好 。", 0, 160, "你好。", 0.01),
        ("Third of a second", 0, 5_333, "Third of a second", 0.33),
    ],
)
def test_the_turns_end_becomes_the_final_text_with_its_duration(
    transcript: str, start: int, end: int, text: str, seconds: float
) -> None:
    assert rendered(TurnEnded(0, transcript, "en", start, end), model="m") == [
        {"type": "transcript.final", "text": text, "duration_sec": seconds, "model": "m"}
    ]


def test_a_final_without_a_model_says_null() -> None:
    assert rendered(TurnEnded(0, "", "", 0, 0)) == [
        {"type": "transcript.final", "text": "", "duration_sec": 0.0, "model": None}
    ]


def test_a_failed_turn_becomes_an_internal_error_without_internals() -> None:
    (frame,) = rendered(TurnFailed(0, "CUDA out of memory", 0, 16_000))
    assert (frame["type"], frame["code"]) == ("error", "internal_error")
    assert "CUDA" not in frame["message"]


def test_drafts_are_not_part_of_the_protocol() -> None:
    assert rendered(Draft(0, "maybe", 16_000)) == []


def test_text_is_sent_as_it_is_written() -> None:
    (frame,) = started().render(Settled(0, "世界", (), "zh", 0))
    assert "世界" in frame


@pytest.mark.parametrize("code", ["unsupported_model", "buffer_overflow", "internal_error"])
def test_an_error_is_flat(code: str) -> None:
    frame = json.loads(TranscriptionStreamDialect.error(code, "what was wrong"))
    assert frame == {"type": "error", "code": code, "message": "what was wrong"}
