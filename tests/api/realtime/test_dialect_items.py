from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from wavescribe.api.realtime.actions import CommitTurn, FeedAudio
from wavescribe.api.realtime.items import LONGEST_ID

if TYPE_CHECKING:
    from tests.api.realtime.conftest import Conversation

Converse = Callable[..., "Conversation"]
Json = dict[str, Any]

RATE = 16_000


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


def message(audio: str | None = None, **fields: object) -> Json:
    content = {"type": "input_audio", "audio": audio} if audio is not None else {"type": "input_text", "text": "Hi"}
    return {"type": "message", "role": "user", "content": [content], **fields}


def silence(samples: int) -> str:
    return "A" * (samples * 2 // 3 * 4)


def test_a_completed_item_can_be_retrieved_and_deleted(converse: Converse) -> None:
    session = converse()
    session.append(0.2)
    item_id = session.commit()[0]["item_id"]
    session.core_ends(0, "Hello")
    [retrieved] = session.send("conversation.item.retrieve", item_id=item_id)
    assert retrieved["item"]["content"][0]["transcript"] == "Hello"
    [deleted] = session.send("conversation.item.delete", item_id=item_id)
    assert (deleted["type"], deleted["item_id"]) == ("conversation.item.deleted", item_id)
    session.append(0.2)
    assert session.commit()[0]["previous_item_id"] == item_id


def test_an_item_that_is_deleted_before_its_text_still_completes(converse: Converse) -> None:
    session = converse()
    session.append(0.2)
    item_id = session.commit()[0]["item_id"]
    session.send("conversation.item.delete", item_id=item_id)
    assert session.core_ends(0, "Hello")[-1]["item_id"] == item_id


@pytest.mark.parametrize("verb", ["retrieve", "delete"])
@pytest.mark.parametrize("item_id", ["item_x", 7, [], "\ud800", "x" * 2**20])
def test_an_unknown_item_is_an_error(verb: str, item_id: object, converse: Converse) -> None:
    detail = error(converse().send(f"conversation.item.{verb}", item_id=item_id, event_id="mine"))
    assert (detail["code"], detail["param"]) == (f"item_{verb}_invalid_item_id", "item_id")
    assert detail["event_id"] == "mine"


@pytest.mark.parametrize(
    ("kind", "param"),
    [
        ("conversation.item.retrieve", "item_id"),
        ("conversation.item.delete", "item_id"),
        ("conversation.item.create", "item"),
        ("input_audio_buffer.append", "audio"),
        ("session.update", "session"),
        ("transcription_session.update", "session"),
    ],
)
def test_a_missing_member_is_named(kind: str, param: str, converse: Converse) -> None:
    detail = error(converse().send(kind))
    assert (detail["code"], detail["param"]) == ("missing_required_parameter", param)


def test_an_item_with_audio_is_transcribed_like_a_commit(converse: Converse) -> None:
    session = converse()
    item = message(silence(24_000), id="mine")
    answer = session.send("conversation.item.create", item=item, previous_item_id="root")
    assert kinds(answer) == ["committed", "item.added", "item.done"]
    assert {frame.get("item_id") or frame["item"]["id"] for frame in answer} == {"mine"}
    assert [type(action) for action in session.actions] == [FeedAudio, CommitTurn]
    assert session.core_ends(0, "Hello")[-1]["item_id"] == "mine"


def test_an_item_without_audio_is_only_added(converse: Converse) -> None:
    session = converse()
    added, done = session.send("conversation.item.create", item=message(role="system"))
    assert kinds([added, done]) == ["item.added", "item.done"]
    assert added["item"]["role"] == "system"
    assert added["item"]["content"][0]["text"] == "Hi"
    assert session.actions == []


@pytest.mark.parametrize(
    ("item", "code", "param"),
    [
        (message(silence(2_376)), "input_audio_buffer_commit_empty", None),
        (message(""), "input_audio_buffer_commit_empty", None),
        (message("?"), "invalid_value", "item.content.audio"),
        (message(silence(24_000), id="x" * (LONGEST_ID + 1)), "invalid_value", "item.id"),
        (message(id="taken"), "invalid_value", "item.id"),
        ("x", "missing_required_parameter", "item"),
    ],
)
def test_an_item_that_cannot_be_made_leaves_no_trace(
    item: object, code: str, param: str | None, converse: Converse
) -> None:
    session = converse()
    session.send("conversation.item.create", item=message(id="taken"))
    detail = error(session.send("conversation.item.create", item=item))
    assert (detail["code"], detail["param"]) == (code, param)
    assert (session.actions, session.dialect.received_seconds) == ([], 0)
    session.append(0.1)
    assert session.commit()[0]["item_id"].startswith("item_")


@pytest.mark.parametrize("detecting", [False, True])
def test_an_item_with_audio_does_not_mix_with_audio_in_the_buffer(detecting: bool, converse: Converse) -> None:
    session = converse(detecting=detecting)
    session.append(0.01)
    assert error(session.send("conversation.item.create", item=message(silence(24_000))))["code"] == "invalid_value"
    assert len(session.actions) == 1
