from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from wavescribe.api.realtime.actions import ClearAudio, CommitTurn, ConfigureStream, FeedAudio
from wavescribe.streaming.events import Draft, Settled, TurnCleared, TurnEnded, TurnFailed

if TYPE_CHECKING:
    from tests.api.realtime.conftest import Conversation

Converse = Callable[..., "Conversation"]
Json = dict[str, Any]

RATE = 16_000
INCLUDE = "item.input_audio_transcription"
STYLES = ["openai", "sglang", "beta"]
ADDED = {"openai": ["item.added", "item.done"], "sglang": ["item.created"], "beta": ["item.created"]}
EMPTY_COMMIT = (
    "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but buffer only has "
    "{:.2f}ms of audio."
)


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


# A turn from its audio to its text.


@pytest.mark.parametrize("style", STYLES)
def test_a_commit_is_answered_at_once_and_its_text_follows(style: str, converse: Converse) -> None:
    session = converse(style)
    assert session.append(1.0) == []
    answer = session.commit(event_id="mine")
    text = session.core_ends(0, "Hello", " you", end=1.0)
    assert kinds(answer) == ["committed", *ADDED[style]]
    assert kinds(text) == ["delta", "delta", "completed"]
    item_id = answer[0]["item_id"]
    assert [frame["item"]["id"] for frame in answer[1:]] == [item_id] * len(ADDED[style])
    assert {frame["item_id"] for frame in text} == {item_id}
    assert "".join(frame["delta"] for frame in text[:-1]) == text[-1]["transcript"] == "Hello you"
    assert text[-1]["usage"] == {"type": "duration", "seconds": 1.0}
    assert [type(action) for action in session.actions] == [FeedAudio, CommitTurn]


def test_text_before_the_commit_has_the_id_that_the_commit_announces(converse: Converse) -> None:
    session = converse()
    session.append(1.0)
    [delta] = session.core(Settled(0, "Hello", (), "en", RATE))
    assert session.commit()[0]["item_id"] == delta["item_id"]


def test_items_form_a_chain(converse: Converse) -> None:
    session = converse()
    ids: list[str | None] = [None]
    for _ in range(3):
        session.append(0.2)
        answer = session.commit()
        assert [frame["previous_item_id"] for frame in answer] == [ids[-1]] * 3
        ids.append(answer[0]["item_id"])
    assert len(set(ids)) == 4


def test_silence_completes_and_a_failure_fails(converse: Converse) -> None:
    session = converse()
    for _ in range(2):
        session.append(0.2)
        session.commit()
    [completed] = session.core_ends(0, end=0.2)
    [failed] = session.core(TurnFailed(1, "internals", 0, RATE))
    assert (completed["transcript"], completed["usage"]["seconds"]) == ("", 0.2)
    assert kinds([failed]) == ["failed"]
    assert failed["error"]["message"] == f"Input transcription failed for item '{failed['item_id']}'."


# Commits of too little.


def test_an_empty_commit_is_refused_in_the_words_that_clients_know(converse: Converse) -> None:
    assert error(converse().commit(event_id="mine")) == {
        "type": "invalid_request_error",
        "code": "input_audio_buffer_commit_empty",
        "message": EMPTY_COMMIT.format(0),
        "param": None,
        "event_id": "mine",
    }


def test_99_milliseconds_are_too_little_and_stay_for_a_later_commit(converse: Converse) -> None:
    session = converse()
    session.append(0.099)
    assert error(session.commit())["message"] == EMPTY_COMMIT.format(99)
    session.append(0.001)
    assert kinds(session.commit())[0] == "committed"
    assert error(session.commit())["message"] == EMPTY_COMMIT.format(0)


@pytest.mark.parametrize("audio_format", [{"type": "audio/pcm", "rate": 44_100}, {"type": "audio/pcmu"}])
def test_exactly_100_milliseconds_are_enough_at_any_rate_and_after_any_history(
    audio_format: Json, converse: Converse
) -> None:
    session = converse(of_the_sdk=False)
    session.update(format=audio_format)
    for _ in range(300):
        session.append(0.1)
        assert kinds(session.commit())[0] == "committed"
    session.append(0.0985)
    assert error(session.commit())["code"] == "input_audio_buffer_commit_empty"


# Clear.


def test_a_clear_is_answered_at_once_and_leaves_nothing_to_commit(converse: Converse) -> None:
    session = converse()
    session.append(1.0)
    assert kinds(session.send("input_audio_buffer.clear")) == ["cleared"]
    assert error(session.commit())["code"] == "input_audio_buffer_commit_empty"
    assert isinstance(session.actions[-1], ClearAudio)
    assert session.core(TurnCleared(0, RATE)) == []


def test_what_was_committed_before_a_clear_completes(converse: Converse) -> None:
    session = converse()
    session.append(1.0)
    item_id = session.commit()[0]["item_id"]
    assert kinds(session.send("input_audio_buffer.clear")) == ["cleared"]
    assert session.core_ends(0, "Hello")[-1]["item_id"] == item_id
    assert session.core(TurnCleared(1, RATE)) == []


def test_nothing_is_said_of_a_turn_after_its_clear_and_its_id_is_never_used(converse: Converse) -> None:
    session = converse()
    session.append(1.0)
    [delta] = session.core(Settled(0, "gone", (), "en", RATE))
    session.send("input_audio_buffer.clear")
    assert session.core(Settled(0, " too", (), "en", RATE), TurnCleared(0, RATE)) == []
    session.append(1.0)
    committed = session.commit()[0]
    assert committed["previous_item_id"] is None
    assert committed["item_id"] != delta["item_id"]
    assert [frame.get("delta") for frame in session.core_ends(1, "new", start=1, end=2)] == ["new", None]
    assert not session.dialect._items._by_turn


def test_a_clear_of_nothing_is_answered_too(converse: Converse) -> None:
    session = converse()
    assert kinds(session.send("input_audio_buffer.clear")) == ["cleared"]
    assert session.core(TurnCleared(0, 0)) == []


def test_word_times_count_from_the_sessions_start_though_the_core_never_had_the_cleared_audio(
    converse: Converse,
) -> None:
    session = converse(of_the_sdk=False)
    session.send("session.update", session={"include": [f"{INCLUDE}.words"]})
    session.append(3.0)
    session.send("input_audio_buffer.clear")
    session.append(1.0)
    session.commit()
    session.core(TurnCleared(0, RATE // 2))
    words = session.core_ends(1, "a", start=0.5, end=1.5)[-1]["words"]
    assert (words[0]["start"], words[0]["end"]) == (3.0, 4.0)


# Updates.


def test_an_update_is_answered_with_the_whole_session_and_reaches_the_stream(converse: Converse) -> None:
    session = converse()
    [answer] = session.send(
        "session.update", event_id="mine", session={"audio": {"input": {"transcription": {"language": "de"}}}}
    )
    assert answer["type"] == "session.updated"
    assert "mine" not in json.dumps(answer)
    assert set(answer["session"]["audio"]["input"]) == {"format", "transcription", "noise_reduction", "turn_detection"}
    [action] = session.actions
    assert isinstance(action, ConfigureStream)
    assert action.options.language == "de"


def test_an_update_that_changes_nothing_for_the_stream_does_not_reach_it(converse: Converse) -> None:
    session = converse()
    session.update(noise_reduction={"type": "near_field"}, format={"type": "audio/pcmu"})
    session.send("session.update", session={"include": [f"{INCLUDE}.logprobs"]})
    assert session.actions == []


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (
            "session.update",
            {"audio": {"input": {"transcription": {"language": "de"}, "turn_detection": {"type": "x"}}}},
        ),
        ("transcription_session.update", {"input_audio_transcription": {"language": "de"}, "turn_detection": 7}),
    ],
)
def test_a_wrong_update_changes_nothing_at_all(kind: str, changes: Json, converse: Converse) -> None:
    session = converse()
    before = session.dialect.configuration
    assert error(session.send(kind, event_id="mine", session=changes))["event_id"] == "mine"
    assert session.dialect.configuration == before
    assert session.actions == []
    session.append(0.1)
    assert kinds(session.commit()) == ["committed", "item.added", "item.done"]


@pytest.mark.parametrize(
    "extra",
    [
        {"noise_reduction": {"type": "far_field"}},
        {"transcription": {"prompt": "x", "keywords": ["y"], "delay": "high", "unknown": 1}},
        {"turn_detection": {"type": "semantic_vad", "eagerness": "low"}},
        {"unknown": {}},
    ],
)
def test_harmless_configuration_is_never_an_error(extra: Json, converse: Converse) -> None:
    session = converse()
    assert kinds(session.update(**extra)) == ["session.updated"]


def test_the_format_can_change_in_mid_stream(converse: Converse) -> None:
    session = converse(of_the_sdk=False)
    session.append(0.06)
    session.update(format={"type": "audio/pcma"})
    session.append(0.04)
    session.commit()
    session.update(format={"type": "audio/pcm", "rate": 48_000})
    session.append(0.5)
    fed = [action for action in session.actions if isinstance(action, FeedAudio)]
    assert [(action.rate, len(action.samples)) for action in fed] == [(24_000, 1_440), (8_000, 320), (48_000, 24_000)]
    assert session.dialect.received_seconds == pytest.approx(0.6)


def test_without_transcription_items_are_committed_and_nothing_is_transcribed(converse: Converse) -> None:
    session = converse()
    session.append(0.2)
    session.commit()
    session.update(transcription=None)
    session.append(0.2)
    assert kinds(session.commit()) == ["committed", "item.added", "item.done"]
    session.update(transcription={})
    assert kinds(session.core_ends(0, "a")) == ["delta", "completed"]
    assert session.core_ends(1, "b") == []


@pytest.mark.parametrize(
    ("include", "keys"), [("logprobs", {"logprobs"}), ("words", {"words"}), ("draft", set()), ("other", set())]
)
def test_additions_come_only_when_asked_for(include: str, keys: set[str], converse: Converse) -> None:
    session = converse(of_the_sdk=include == "logprobs")
    plain = session.core_ends(0, "a")
    session.send("session.update", session={"include": [f"{INCLUDE}.{include}"]})
    frames = session.core_ends(1, "a")
    draft = session.core(Draft(2, "b", 0))
    for before, after in zip(plain, frames, strict=True):
        assert set(after) - set(before) == (keys if after["type"].endswith(("delta", "completed")) else set())
    assert kinds(draft) == (["text"] if include == "draft" else [])


# Frames that are no events, and text that is no Unicode.


@pytest.mark.parametrize("frame", ["no json", "[]", "{}", '{"type": "foo"}', b"\x00", '{"type": "response.create"}'])
def test_a_bad_frame_is_one_error_and_the_session_goes_on(frame: str | bytes, converse: Converse) -> None:
    session = converse()
    assert error(session.send_frame(frame))["type"] == "invalid_request_error"
    session.append(0.1)
    assert kinds(session.commit())[0] == "committed"


def test_half_a_surrogate_pair_comes_back_as_the_client_wrote_it(converse: Converse) -> None:
    session = converse()
    assert error(session.commit(event_id="\ud83d"))["event_id"] == "\ud83d"
    added = session.send("conversation.item.create", item={"id": "é\udc00"})[0]
    assert added["item"]["id"] == "é\udc00"


def test_samples_are_finite_whatever_bytes_come(converse: Converse) -> None:
    session = converse()
    session.send("input_audio_buffer.append", audio="AIB/////f/8=")
    [action] = session.actions
    assert isinstance(action, FeedAudio)
    assert np.isfinite(action.samples).all()


# Names of the three styles.


@pytest.mark.parametrize("style", STYLES)
def test_a_session_opens_with_its_whole_configuration(style: str, converse: Converse) -> None:
    opened = converse(style, of_the_sdk=style != "beta", expires_at=1_900_000_000).open()
    assert opened["type"] == ("transcription_session.created" if style == "beta" else "session.created")
    session = opened["session"]
    assert (session["id"], session["object"]) == ("sess_x", "realtime.transcription_session")
    assert session["expires_at"] == 1_900_000_000


def test_the_first_update_in_the_betas_shape_makes_it_a_session_of_the_beta(converse: Converse) -> None:
    session = converse(of_the_sdk=False)
    [answer] = session.send("transcription_session.update", session={"turn_detection": None})
    assert answer["type"] == "transcription_session.updated"
    session.append(0.1)
    assert kinds(session.commit()) == ["committed", "item.created"]
    assert kinds(session.update()) == ["session.updated"]


@pytest.mark.parametrize("style", STYLES)
def test_the_end_of_the_session_has_no_frame_of_its_own(style: str, converse: Converse) -> None:
    session = converse(style)
    assert session.dialect.finished() == []
    assert session.core(TurnEnded(0, "", "", 0, 0))[0]["transcript"] == ""
