from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from wavescribe.api.realtime.actions import CommitTurn
from wavescribe.streaming.events import (
    Reconfigured,
    SpeechStarted,
    SpeechStopped,
    TurnCleared,
    TurnCommitted,
    TurnEnded,
)

if TYPE_CHECKING:
    from tests.api.realtime.conftest import Conversation

Converse = Callable[..., "Conversation"]
Json = dict[str, Any]

RATE = 16_000
STYLES = ["openai", "sglang", "beta"]


def kinds(frames: list[Json]) -> list[str]:
    prefixes = ("conversation.item.input_audio_transcription.", "conversation.", "input_audio_buffer.")
    names = [frame["type"] for frame in frames]
    for prefix in prefixes:
        names = [name.removeprefix(prefix) for name in names]
    return names


def error(frames: list[Json]) -> Json:
    [frame] = frames
    assert frame["type"] == "error"
    assert set(frame["error"]) == {"type", "code", "message", "param", "event_id"}
    return dict(frame["error"])


def started(turn: int, seconds: float) -> SpeechStarted:
    return SpeechStarted(turn, round(seconds * RATE))


def stopped(turn: int, seconds: float) -> SpeechStopped:
    return SpeechStopped(turn, round(seconds * RATE))


def committed(turn: int, start: float, end: float) -> TurnCommitted:
    return TurnCommitted(turn, round(start * RATE), round(end * RATE))


def spoken(session: Conversation, turn: int, start: float, end: float, *deltas: str) -> list[Json]:
    """The frames of a turn that was detected."""
    before = session.core(started(turn, start), stopped(turn, end))
    return before + session.core_ends(turn, *deltas, start=start, end=end)


@pytest.mark.parametrize("style", STYLES)
def test_a_detected_turn_is_announced_in_the_order_of_the_api(style: str, converse: Converse) -> None:
    session = converse(style, detecting=True)
    session.append(3.0)
    frames = spoken(session, 0, 0.7, 2.5, "Hello", " you")
    added = ["item.added", "item.done"] if style == "openai" else ["item.created"]
    assert kinds(frames) == ["speech_started", "speech_stopped", "committed", *added, "delta", "delta", "completed"]
    assert len({frame.get("item_id") or frame["item"]["id"] for frame in frames}) == 1
    assert (frames[0]["audio_start_ms"], frames[1]["audio_end_ms"]) == (700, 2_500)
    assert frames[-1]["usage"]["seconds"] == 1.8


def test_every_turn_has_its_own_item_in_the_chain(converse: Converse) -> None:
    session = converse(detecting=True)
    session.append(9.0)
    ids = [spoken(session, turn, 3 * turn + 1, 3 * turn + 2, "x")[0]["item_id"] for turn in range(3)]
    chain = [frame["previous_item_id"] for frame in session.frames if frame["type"].endswith("committed")]
    assert chain == [None, *ids[:2]]
    assert len(set(ids)) == 3


def test_a_commit_during_speech_ends_its_item_and_comes_from_the_core(converse: Converse) -> None:
    session = converse(detecting=True)
    session.append(2.0)
    [speech] = session.core(started(0, 0.5))
    assert session.commit() == []
    frames = session.core(stopped(0, 2.0)) + session.core_ends(0, "Hello", start=0.5, end=2.0)
    assert kinds(frames) == ["speech_stopped", "committed", "item.added", "item.done", "delta", "completed"]
    assert {frame.get("item_id") or frame["item"]["id"] for frame in frames} == {speech["item_id"]}
    session.append(2.0)
    assert session.core(started(1, 2.5))[0]["item_id"] != speech["item_id"]


def test_what_a_detected_turn_took_cannot_be_committed_again(converse: Converse) -> None:
    session = converse(detecting=True)
    session.append(2.0)
    spoken(session, 0, 0.5, 1.95, "x")
    assert error(session.commit())["code"] == "input_audio_buffer_commit_empty"
    session.append(0.05)
    assert session.commit() == []
    assert isinstance(session.actions[-1], CommitTurn)


def test_a_late_end_of_a_turn_does_not_bring_committed_audio_back(converse: Converse) -> None:
    session = converse(detecting=True)
    session.append(2.0)
    assert session.commit() == []
    session.core_ends(0, "x", end=1.0)
    assert error(session.commit())["code"] == "input_audio_buffer_commit_empty"


def test_a_clear_during_speech_is_told_by_the_core_and_drops_the_item(converse: Converse) -> None:
    session = converse(detecting=True)
    session.append(2.0)
    [speech] = session.core(started(0, 0.5))
    assert session.send("input_audio_buffer.clear") == []
    assert kinds(session.core(TurnCleared(0, 2 * RATE))) == ["cleared"]
    assert error(session.commit())["code"] == "input_audio_buffer_commit_empty"
    session.append(2.0)
    frames = spoken(session, 1, 2.5, 3.5, "x")
    assert frames[0]["item_id"] != speech["item_id"]
    assert frames[2]["previous_item_id"] is None
    assert not session.dialect._items._by_turn


def test_positions_count_audio_that_was_cleared_before_the_core_had_it(converse: Converse) -> None:
    session = converse(detecting=True)
    session.append(10.0)
    session.send("input_audio_buffer.clear")
    session.append(3.0)
    session.core(TurnCleared(0, RATE))
    frames = spoken(session, 1, 1.5, 2.5, "x")
    assert (frames[0]["audio_start_ms"], frames[1]["audio_end_ms"]) == (10_500, 11_500)
    assert "only has 1500.00ms" not in json.dumps(session.commit())
    session.core_ends(2, start=2.5, end=4.0)
    session.append(0.05)
    assert "only has 50.00ms" in error(session.commit())["message"]


def test_positions_are_never_before_the_sessions_start(converse: Converse) -> None:
    session = converse(detecting=True)
    session.send("input_audio_buffer.clear")
    session.core(TurnCleared(0, 10))
    assert session.core(SpeechStarted(1, 0))[0]["audio_start_ms"] == 0


# Detection turned on and off.


def test_commits_are_answered_at_once_when_detection_is_off_and_the_core_has_caught_up(converse: Converse) -> None:
    session = converse(detecting=True)
    session.update(turn_detection=None)
    session.append(0.5)
    assert session.commit() == []
    assert session.core(Reconfigured(0)) == []
    assert kinds(session.core_ends(0, "a", end=0.5))[0] == "committed"
    session.append(0.5)
    assert kinds(session.commit()) == ["committed", "item.added", "item.done"]
    assert kinds(session.core_ends(1, "b", start=0.5)) == ["delta", "completed"]


def test_a_turn_whose_speech_had_begun_when_detection_was_turned_off_is_not_stopped_after_its_commit(
    converse: Converse,
) -> None:
    session = converse(detecting=True)
    session.append(1.0)
    [speech] = session.core(started(0, 0.5))
    session.update(turn_detection=None)
    session.core(Reconfigured(0))
    answer = session.commit()
    assert answer[0]["item_id"] == speech["item_id"]
    assert session.core(stopped(0, 1.0)) == []
    assert kinds(session.core_ends(0, "a", start=0.5)) == ["delta", "completed"]


def test_commits_are_told_by_the_core_once_detection_is_on(converse: Converse) -> None:
    session = converse()
    session.append(0.5)
    first = session.commit()[0]["item_id"]
    session.update(turn_detection={"type": "server_vad"})
    session.append(0.5)
    assert session.commit() == []
    assert kinds(session.core_ends(0, "a", end=0.5)) == ["delta", "completed"]
    session.core(Reconfigured(1))
    answer = session.core_ends(1, "b", start=0.5)
    assert answer[0]["previous_item_id"] == first


def test_a_detected_turn_is_transcribed_as_configured_when_it_was_committed(converse: Converse) -> None:
    session = converse(detecting=True)
    session.append(2.0)
    session.core(committed(0, 0, 1))
    session.update(transcription=None)
    assert kinds(session.core(TurnEnded(0, "", "", 0, RATE))) == ["completed"]
    assert kinds(session.core_ends(1, "x", start=1, end=2)) == ["committed", "item.added", "item.done"]
