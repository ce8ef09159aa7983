from __future__ import annotations

import json
from typing import Any

import pytest

from wavescribe.api.realtime.dashscope_events import DashscopeTexts
from wavescribe.api.realtime.items import Items
from wavescribe.streaming.events import Draft, Event, Settled, TurnEnded, TurnFailed

PREFIX = "conversation.item.input_audio_transcription"
SECOND = 16_000


def render(*events: Event, language: str | None = None) -> list[dict[str, Any]]:
    """The messages of a session's events, without ids of events."""
    texts = DashscopeTexts(Items())
    messages = [json.loads(frame.text) for event in events for frame in texts.render(event, language)]
    for message in messages:
        message.pop("event_id")
    return messages


def previews(messages: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(message["text"], message["stash"]) for message in messages if message["type"] == f"{PREFIX}.text"]


def settled(turn: int, delta: str, language: str = "en") -> Settled:
    return Settled(turn, delta, (), language, SECOND)


def draft(turn: int, text: str) -> Draft:
    return Draft(turn, text, SECOND)


def ended(turn: int, transcript: str, language: str = "en") -> TurnEnded:
    return TurnEnded(turn, transcript, language, 0, SECOND)


def test_a_preview_is_the_whole_text_so_far_and_what_may_still_change() -> None:
    messages = render(
        draft(0, "今天"),
        draft(0, "今天天气"),
        settled(0, "今天", "zh"),
        draft(0, "天气不错"),
        settled(0, "天气不错，", "zh"),
        draft(0, ""),
        draft(0, "阳光"),
    )
    assert previews(messages) == [
        ("", "今天"),
        ("", "今天天气"),
        ("今天", "天气不错"),
        ("今天天气不错，", ""),
        ("今天天气不错，", "阳光"),
    ]
    assert messages[-1] == {
        "type": f"{PREFIX}.text",
        "item_id": messages[0]["item_id"],
        "content_index": 0,
        "language": "zh",
        "emotion": "neutral",
        "text": "今天天气不错，",
        "stash": "阳光",
    }


def test_text_that_settles_without_a_draft_before_it_is_sent_at_once() -> None:
    assert previews(render(settled(0, "Hello"), settled(0, " world"))) == [("Hello", ""), ("Hello world", "")]


def test_text_that_settles_twice_over_one_draft_waits_once() -> None:
    messages = render(draft(0, "Hello"), settled(0, "Hello"), settled(0, " world"))
    assert previews(messages) == [("", "Hello"), ("Hello world", "")]


def test_a_draft_is_withdrawn_by_an_empty_one() -> None:
    assert previews(render(draft(0, "Thanks"), draft(0, ""))) == [("", "Thanks"), ("", "")]


def test_a_completed_item_has_the_transcript_that_its_last_text_begins() -> None:
    messages = render(
        settled(0, "Hello"), draft(0, " word"), settled(0, " world."), draft(0, ""), ended(0, "Hello world.")
    )
    assert previews(messages) == [("Hello", ""), ("Hello", " word"), ("Hello world.", "")]
    assert messages[-1] == {
        "type": f"{PREFIX}.completed",
        "item_id": messages[0]["item_id"],
        "content_index": 0,
        "language": "en",
        "emotion": "neutral",
        "transcript": "Hello world.",
    }


@pytest.mark.parametrize("end", [ended(0, "One"), TurnFailed(0, "broken", 0, SECOND)])
def test_the_next_turn_begins_without_the_text_of_the_one_before(end: Event) -> None:
    messages = render(settled(0, "One"), draft(0, " rest"), end, settled(1, "Two"), draft(1, " more"))
    assert previews(messages)[-2:] == [("Two", ""), ("Two", " more")]
    assert messages[-1]["item_id"] != messages[0]["item_id"]


@pytest.mark.parametrize(
    ("events", "wanted", "told"),
    [
        ((draft(0, "Hi"),), None, ""),
        ((draft(0, "Hi"),), "en", "en"),
        ((settled(0, "Hi", "en"), ended(0, "Hi"), draft(1, "You")), None, "en"),
        ((ended(0, "", ""),), None, ""),
        ((ended(0, "", ""),), "zh", "zh"),
        # What was asked for may have changed since the turn was heard.
        ((ended(0, "Hi", "en"),), "zh", "en"),
    ],
)
def test_the_language_is_the_one_that_is_known(events: tuple[Event, ...], wanted: str | None, told: str) -> None:
    assert render(*events, language=wanted)[-1]["language"] == told


def test_turns_that_are_given_up_fail_and_those_that_are_through_do_not() -> None:
    items = Items()
    texts = DashscopeTexts(items)
    for turn in range(4):
        texts.commit(turn)
    texts.render(ended(0, "Hello"), None)
    texts.render(TurnFailed(1, "no", 0, SECOND), None)
    wanted = [items.of_turn(turn).id for turn in (2, 3)]
    failures = [json.loads(frame.text) for frame in texts.give_up()]
    assert [(failure["type"], failure["item_id"]) for failure in failures] == [
        (f"{PREFIX}.failed", item_id) for item_id in wanted
    ]
    assert failures[0]["error"]["code"] == "session_ended"
    assert texts.give_up() == []
