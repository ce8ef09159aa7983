from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from wavescribe.api.models import ServedModels
from wavescribe.api.realtime.actions import Action, ClearAudio, CommitTurn, ConfigureStream, EndSession
from wavescribe.api.realtime.client_events import parse_client_event
from wavescribe.api.realtime.dashscope import DashscopeDialect
from wavescribe.api.realtime.dashscope_session import starting_configuration
from wavescribe.api.realtime.dialect import Engine
from wavescribe.api.realtime.server_events import Frame
from wavescribe.api.realtime.session_configuration import AudioFormat
from wavescribe.serving.live_service import StreamOptions
from wavescribe.streaming.events import (
    Draft,
    Event,
    Reconfigured,
    Settled,
    SpeechStarted,
    SpeechStopped,
    TurnCleared,
    TurnCommitted,
    TurnEnded,
    TurnFailed,
)
from wavescribe.vad.endpointer import TurnDetection

MODEL = "qwen3-asr-flash-realtime"
ENGINE = Engine(16_000, ("en", "zh", "tl"), ServedModels("whisper-base").check)
PREFIX = "conversation.item.input_audio_transcription"
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
# What the client of the PyPI package sends for transcription, all of it.
STOCK_UPDATE = {
    "modalities": ["text"],
    "voice": None,
    "input_audio_format": "pcm",
    "output_audio_format": "pcm16",
    "input_audio_transcription": {"language": "zh", "corpus": {"text": "北京"}},
    "turn_detection": {"type": "server_vad", "threshold": 0.0, "prefix_padding_ms": 300, "silence_duration_ms": 400},
    "sample_rate": 8_000,
}
SECOND = 16_000


def new_dialect(*, manual: bool = False) -> DashscopeDialect:
    dialect = DashscopeDialect("sess_1", starting_configuration(MODEL), ENGINE)
    if manual:
        update(dialect, {"turn_detection": None})
        dialect.render(Reconfigured(0))
    return dialect


def send(dialect: DashscopeDialect, kind: str, **members: Any) -> list[Any]:
    """The answers to a client's event: frames as their JSON without ids, and actions."""
    text = json.dumps({"type": kind, "event_id": "event_client", **members})
    return answers(dialect.apply(parse_client_event(text, dialect.audio_format, dialect.client_events)))


def answers(steps: Sequence[Frame | Action]) -> list[Any]:
    return [read(step) if isinstance(step, Frame) else step for step in steps]


def read(frame: Frame) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(frame.text)
    assert message.pop("event_id") == frame.event_id
    return message


def render(dialect: DashscopeDialect, *events: Event) -> list[dict[str, Any]]:
    return [read(frame) for event in events for frame in dialect.render(event)]


def update(dialect: DashscopeDialect, session: object) -> list[Any]:
    return send(dialect, "session.update", session=session)


def append(dialect: DashscopeDialect, seconds: float) -> list[Any]:
    silence = bytes(2 * round(seconds * dialect.audio_format.rate))
    return send(dialect, "input_audio_buffer.append", audio=base64.b64encode(silence).decode())


def error_of(answer: list[Any]) -> dict[str, Any]:
    assert [message["type"] for message in answer] == ["error"]
    error: dict[str, Any] = answer[0]["error"]
    assert error["type"] == "invalid_request_error"
    assert error["event_id"] == "event_client"
    return error


def kinds(messages: list[dict[str, Any]]) -> list[str]:
    return [message["type"] for message in messages]


def settled(turn: int, delta: str, language: str = "en") -> Settled:
    return Settled(turn, delta, (), language, SECOND)


def draft(turn: int, text: str) -> Draft:
    return Draft(turn, text, SECOND)


def ended(turn: int, transcript: str, language: str = "en") -> TurnEnded:
    return TurnEnded(turn, transcript, language, 0, SECOND)


def test_a_session_is_greeted_in_the_flat_shape_with_the_defaults_of_the_api() -> None:
    (greeting,) = new_dialect().opened()
    assert read(greeting) == {"type": "session.created", "session": DEFAULTS}
    assert re.fullmatch(r"event_[A-Za-z0-9]{21}", greeting.event_id)


def test_the_defaults_are_voice_detection_and_sixteen_kilohertz() -> None:
    dialect = new_dialect()
    assert dialect.options == StreamOptions(turn_detection=TurnDetection(0.5, 0.3, 0.8, 0.8))
    assert dialect.audio_format == AudioFormat("audio/pcm", 16_000)


def test_the_update_of_the_stock_client_is_taken_and_echoed() -> None:
    dialect = new_dialect()
    updated, configure = update(dialect, STOCK_UPDATE)
    assert updated == {
        "type": "session.updated",
        "session": DEFAULTS
        | {
            "sample_rate": 8_000,
            "input_audio_transcription": STOCK_UPDATE["input_audio_transcription"],
            "turn_detection": STOCK_UPDATE["turn_detection"],
        },
    }
    probability = 5 / 12
    expected = StreamOptions("zh", prompt="北京", turn_detection=TurnDetection(probability, 0.3, 0.4, 0.4))
    assert configure == ConfigureStream(expected)
    assert dialect.options == expected
    assert dialect.audio_format.rate == 8_000


def test_an_update_of_the_audio_format_alone_leaves_the_stream_as_it_is() -> None:
    dialect = new_dialect()
    (updated,) = update(dialect, {"sample_rate": 8_000})
    assert updated["session"]["sample_rate"] == 8_000
    (feed,) = append(dialect, 0.5)
    assert (len(feed.samples), feed.rate) == (4_000, 8_000)
    assert dialect.received_seconds == 0.5


@pytest.mark.parametrize(
    ("session", "param", "code"),
    [
        (None, "session", "missing_required_parameter"),
        (
            {"sample_rate": 8_000, "turn_detection": {"threshold": 2}},
            "session.turn_detection.threshold",
            "invalid_value",
        ),
    ],
)
def test_a_wrong_update_is_one_error_and_changes_nothing(session: object, param: str, code: str) -> None:
    dialect = new_dialect()
    update(dialect, STOCK_UPDATE)
    before = dialect.options, dialect.audio_format
    error = error_of(update(dialect, session))
    assert (error["param"], error["code"]) == (param, code)
    assert (dialect.options, dialect.audio_format) == before


def test_a_commit_by_hand_is_answered_at_once_and_items_form_a_chain() -> None:
    dialect = new_dialect(manual=True)
    append(dialect, 1)
    committed, created, action = send(dialect, "input_audio_buffer.commit")
    item_id = committed["item_id"]
    assert re.fullmatch(r"item_[A-Za-z0-9]{21}", item_id)
    assert committed == {"type": "input_audio_buffer.committed", "item_id": item_id, "previous_item_id": None}
    assert created["type"] == "conversation.item.created"
    assert created["previous_item_id"] is None
    assert created["item"]["id"] == item_id
    assert created["item"]["content"] == [{"type": "input_audio", "transcript": None}]
    assert action == CommitTurn()
    append(dialect, 1)
    assert send(dialect, "input_audio_buffer.commit")[0]["previous_item_id"] == item_id
    (done,) = render(dialect, TurnCommitted(0, 0, SECOND), ended(0, "Hello."))
    assert (done["type"], done["item_id"]) == (f"{PREFIX}.completed", item_id)


def test_a_commit_in_voice_mode_is_refused_and_commits_nothing() -> None:
    dialect = new_dialect()
    append(dialect, 1)
    error = error_of(send(dialect, "input_audio_buffer.commit"))
    assert (error["code"], error["param"]) == ("invalid_state", "type")
    assert "disabled in VAD mode" in error["message"]


@pytest.mark.parametrize("seconds", [0, 0.05])
def test_a_commit_of_less_than_a_tenth_of_a_second_is_refused(seconds: float) -> None:
    dialect = new_dialect(manual=True)
    append(dialect, seconds)
    assert error_of(send(dialect, "input_audio_buffer.commit"))["code"] == "input_audio_buffer_commit_empty"
    append(dialect, 0.1 - seconds)
    assert CommitTurn() in send(dialect, "input_audio_buffer.commit")


def test_cleared_audio_is_no_longer_there_to_be_committed() -> None:
    dialect = new_dialect(manual=True)
    append(dialect, 1)
    assert send(dialect, "input_audio_buffer.clear") == [{"type": "input_audio_buffer.cleared"}, ClearAudio()]
    assert render(dialect, TurnCleared(0, SECOND)) == []
    assert error_of(send(dialect, "input_audio_buffer.commit"))["code"] == "input_audio_buffer_commit_empty"


def test_in_voice_mode_a_clear_is_answered_when_the_core_has_done_it() -> None:
    dialect = new_dialect()
    append(dialect, 1)
    assert send(dialect, "input_audio_buffer.clear") == [ClearAudio()]
    first, cleared = render(dialect, settled(0, "One"), TurnCleared(0, SECOND))
    assert cleared == {"type": "input_audio_buffer.cleared"}
    (second,) = render(dialect, draft(1, "Two"))
    assert (second["text"], second["stash"]) == ("", "Two")
    assert second["item_id"] != first["item_id"]


@pytest.mark.parametrize(
    "kind", ["conversation.item.create", "transcription_session.update", "input_image_buffer.append", "no.such"]
)
def test_events_that_are_not_of_this_api_are_refused_with_those_that_are(kind: str) -> None:
    error = error_of(send(new_dialect(), kind))
    assert (error["code"], error["param"]) == ("invalid_value", "type")
    assert "'session.finish'" in error["message"]


def test_speech_is_announced_with_its_item_before_the_commit() -> None:
    dialect = new_dialect()
    append(dialect, 4)
    messages = render(
        dialect, SpeechStarted(0, 8_000), draft(0, "Hi"), SpeechStopped(0, 48_000), TurnCommitted(0, 8_000, 48_000)
    )
    assert kinds(messages) == [
        "input_audio_buffer.speech_started",
        f"{PREFIX}.text",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.created",
    ]
    assert messages[0]["audio_start_ms"] == 500
    assert messages[2]["audio_end_ms"] == 3_000
    items = {message["item_id"] for message in messages if "item_id" in message} | {messages[-1]["item"]["id"]}
    assert len(items) == 1


def test_text_has_the_language_that_was_asked_for() -> None:
    dialect = new_dialect()
    update(dialect, {"input_audio_transcription": {"language": "zh"}})
    assert [message["language"] for message in render(dialect, draft(0, "你"), ended(0, "", ""))] == ["zh", "zh"]


def test_a_failed_item_says_so_and_nothing_of_the_inside() -> None:
    dialect = new_dialect(manual=True)
    append(dialect, 1)
    item_id = send(dialect, "input_audio_buffer.commit")[0]["item_id"]
    (failed,) = render(dialect, TurnFailed(0, "CUDA error at 0x7f", 0, SECOND))
    assert failed == {
        "type": f"{PREFIX}.failed",
        "item_id": item_id,
        "content_index": 0,
        "error": {
            "code": "inference_failed",
            "message": f"Input transcription failed for item '{item_id}'.",
            "param": None,
        },
    }


@pytest.mark.parametrize("manual", [True, False])
def test_a_session_without_audio_is_finished_at_once(manual: bool) -> None:
    dialect = new_dialect(manual=manual)
    assert send(dialect, "session.finish") == [EndSession(1000)]
    assert answers(dialect.finished()) == [{"type": "session.finished"}]


def test_a_session_whose_audio_is_all_committed_is_finished_without_another_item() -> None:
    dialect = new_dialect(manual=True)
    append(dialect, 1)
    send(dialect, "input_audio_buffer.commit")
    assert send(dialect, "session.finish") == [EndSession()]
    assert kinds(render(dialect, TurnCommitted(0, 0, SECOND), ended(0, ""))) == [f"{PREFIX}.completed"]


LAST_TURN = ["input_audio_buffer.committed", "conversation.item.created", f"{PREFIX}.completed"]


@pytest.mark.parametrize("manual", [True, False])
def test_audio_without_speech_is_not_spoken_of_when_the_session_finishes(manual: bool) -> None:
    dialect = new_dialect(manual=manual)
    append(dialect, 1)
    assert send(dialect, "session.finish") == [CommitTurn(), EndSession()]
    assert render(dialect, TurnCommitted(0, 0, SECOND), ended(0, "", "")) == []
    assert answers(dialect.finished()) == [{"type": "session.finished"}]


def test_a_turn_with_speech_is_committed_and_completed_when_the_session_finishes() -> None:
    dialect = new_dialect()
    append(dialect, 1)
    send(dialect, "session.finish")
    messages = render(dialect, draft(0, "Hi"), TurnCommitted(0, 0, SECOND), ended(0, "Hi"))
    assert kinds(messages) == [f"{PREFIX}.text", *LAST_TURN]


def test_what_voice_detection_has_committed_is_not_committed_again_when_the_session_finishes() -> None:
    dialect = new_dialect()
    append(dialect, 1)
    render(dialect, SpeechStarted(0, 0), SpeechStopped(0, SECOND), TurnCommitted(0, 0, SECOND))
    assert send(dialect, "session.finish") == [EndSession()]


def test_commits_by_hand_are_answered_at_once_again_when_the_core_has_caught_up_with_the_mode() -> None:
    dialect = new_dialect()
    append(dialect, 1)
    update(dialect, {"turn_detection": None})
    send(dialect, "input_audio_buffer.commit")
    render(dialect, Reconfigured(0), TurnCommitted(0, 0, SECOND), ended(0, ""))
    append(dialect, 1)
    assert len(send(dialect, "input_audio_buffer.commit")) == 3


def test_a_commit_by_hand_after_voice_mode_is_answered_even_for_silence_before_the_finish() -> None:
    dialect = new_dialect()
    append(dialect, 1)
    update(dialect, {"turn_detection": None})
    assert send(dialect, "input_audio_buffer.commit") == [CommitTurn()]
    assert send(dialect, "session.finish") == [EndSession()]
    assert kinds(render(dialect, Reconfigured(0), TurnCommitted(0, 0, SECOND), ended(0, ""))) == LAST_TURN


def test_nothing_is_said_of_a_turn_any_more_once_it_is_cleared() -> None:
    dialect = new_dialect(manual=True)
    append(dialect, 1)
    first = render(dialect, settled(0, "One"), draft(0, " two"))
    send(dialect, "input_audio_buffer.clear")
    assert render(dialect, settled(0, " two"), draft(0, " three"), TurnCleared(0, SECOND)) == []
    (next_turn,) = render(dialect, draft(1, "Four"))
    assert (next_turn["text"], next_turn["stash"]) == ("", "Four")
    assert next_turn["item_id"] != first[0]["item_id"]


def test_places_are_told_from_the_sessions_start_also_after_audio_was_cleared_unheard() -> None:
    dialect = new_dialect()
    append(dialect, 3)
    send(dialect, "input_audio_buffer.clear")
    messages = render(dialect, TurnCleared(0, SECOND), SpeechStarted(1, SECOND), SpeechStopped(1, 2 * SECOND))
    assert messages[1]["audio_start_ms"] == 3_000
    assert messages[2]["audio_end_ms"] == 4_000


def test_a_stop_that_a_commit_by_hand_made_is_not_told_after_it() -> None:
    dialect = new_dialect()
    append(dialect, 1)
    update(dialect, {"turn_detection": None})
    render(dialect, SpeechStarted(0, 0), Reconfigured(0))
    assert len(send(dialect, "input_audio_buffer.commit")) == 3
    assert render(dialect, SpeechStopped(0, SECOND), TurnCommitted(0, 0, SECOND)) == []


def test_a_commit_by_hand_leaves_what_came_after_it() -> None:
    dialect = new_dialect(manual=True)
    append(dialect, 0.7)
    send(dialect, "input_audio_buffer.commit")
    append(dialect, 0.1)
    assert render(dialect, TurnCommitted(0, 0, SECOND + 10)) == []
    assert CommitTurn() in send(dialect, "input_audio_buffer.commit")


def test_a_frame_that_is_no_event_is_an_error_and_not_the_end() -> None:
    dialect = new_dialect()
    for broken in ("{", "[]", "{}", b"\x00\x01"):
        (error,) = answers(dialect.apply(parse_client_event(broken, dialect.audio_format, dialect.client_events)))
        assert (error["type"], error["error"]["code"]) == ("error", "invalid_event")


def test_audio_is_fed_as_floats_at_its_own_rate() -> None:
    dialect = new_dialect()
    pcm = np.array([0, 16_384, -32_768], dtype="<i2").tobytes()
    (feed,) = send(dialect, "input_audio_buffer.append", audio=base64.b64encode(pcm).decode())
    assert feed.samples.tolist() == [0, 0.5, -1]
    assert send(dialect, "input_audio_buffer.append", audio="") == []
