from __future__ import annotations

from typing import Any

import pytest

from wavescribe.api.realtime.items import LONGEST_TEXT, MOST_ITEMS, MOST_PARTS, Item, Items


def committed(items: Items, turn: int) -> Item:
    item = items.of_turn(turn)
    items.commit(item)
    return item


def test_a_turn_keeps_its_id_and_every_turn_has_another() -> None:
    items = Items()
    ids = [items.of_turn(turn).id for turn in (0, 1, 0, 2, 1)]
    assert ids[0] == ids[2]
    assert ids[1] == ids[4]
    assert len(set(ids)) == 3
    assert all(item_id.startswith("item_") and len(item_id) == len("item_") + 21 for item_id in ids)


def test_items_form_a_chain_in_the_order_of_their_commits() -> None:
    items = Items()
    second, first = items.of_turn(1), items.of_turn(0)
    assert items.commit(first) is None
    assert items.commit(second) == first.id
    items.delete(second)
    assert items.commit(items.of_turn(2)) == second.id


def test_only_committed_items_are_found() -> None:
    items = Items()
    item = items.of_turn(0)
    assert items.find(item.id) is None
    items.commit(item)
    assert items.find(item.id) is item
    items.delete(item)
    assert items.find(item.id) is None


@pytest.mark.parametrize("item_id", [None, 7, ["item_x"], {}, "item_x"])
def test_what_is_not_an_items_id_finds_nothing(item_id: object) -> None:
    assert Items().find(item_id) is None


def test_a_finished_item_has_its_transcript() -> None:
    items = Items()
    item = committed(items, 0)
    assert item.rendered()["content"] == [{"type": "input_audio", "transcript": None}]
    assert items.finish(0, "Hello.") is item
    assert items.find(item.id) is item
    assert item.rendered() == {
        "id": item.id,
        "object": "realtime.item",
        "type": "message",
        "role": "user",
        "status": "completed",
        "content": [{"type": "input_audio", "transcript": "Hello."}],
    }


def test_of_an_item_of_very_many_parts_few_are_looked_at() -> None:
    class Parts(list[dict[str, str]]):
        """A content that counts what is looked at."""

        looked_at = 0

        def __getitem__(self, place: Any) -> Any:
            found = super().__getitem__(place)
            Parts.looked_at += len(found)
            return found

        def __iter__(self) -> Any:
            raise AssertionError("all parts were looked at")

    item = Item.of_text("mine", {"content": Parts([{"text": ""}, {"text": "ab"}] * 500_000)})
    assert Parts.looked_at == MOST_PARTS
    assert item.rendered()["content"] == [{"type": "input_text", "text": "ab"}] * (MOST_PARTS // 2)
    long = Item.of_text("long", {"content": [{"text": "x" * (LONGEST_TEXT - 1)}, {"text": "yz"}, {"text": "z"}]})
    assert [len(part["text"]) for part in long.content] == [LONGEST_TEXT - 1, 1]


def test_a_failed_item_has_no_transcript() -> None:
    items = Items()
    committed(items, 0)
    assert items.finish(0).rendered()["content"] == [{"type": "input_audio", "transcript": None}]


def test_a_turn_can_be_given_the_id_that_its_client_wants() -> None:
    items = Items()
    items.name(0, "mine")
    assert items.of_turn(0).id == "mine"
    assert items.is_taken("mine")
    items.commit(items.finish(0))
    assert items.is_taken("mine")
    assert not items.is_taken("yours")


def test_the_id_of_a_cleared_turn_is_never_used() -> None:
    items = Items()
    reserved = items.of_turn(0).id
    items.drop(0)
    items.drop(7)
    assert not items.is_taken(reserved)
    assert items.of_turn(0).id != reserved


def test_what_is_remembered_of_turns_and_items_is_bounded() -> None:
    items = Items()
    first = committed(items, 0)
    items.finish(0)
    for turn in range(1, MOST_ITEMS + 1):
        committed(items, turn)
        items.finish(turn, "x")
        items.of_turn(10_000 + turn)
        items.drop(10_000 + turn)
    assert items.find(first.id) is None
    assert not items._by_turn
    assert len(items._by_id) == MOST_ITEMS


@pytest.mark.parametrize(
    ("given", "role", "content"),
    [
        ({}, "user", []),
        ({"role": "robot", "content": "text"}, "user", []),
        ({"content": [{"type": "input_text", "text": "Hi"}]}, "user", [{"type": "input_text", "text": "Hi"}]),
        ({"role": "system", "content": [{"text": "Be."}]}, "system", [{"type": "input_text", "text": "Be."}]),
        ({"role": "assistant", "content": [{"text": "Yes"}]}, "assistant", [{"type": "output_text", "text": "Yes"}]),
        ({"role": {}, "content": [None, 7, {"text": 7}, {"type": "input_image"}]}, "user", []),
    ],
)
def test_an_item_of_text_keeps_its_role_and_its_texts(given: dict[str, Any], role: str, content: object) -> None:
    rendered = Item.of_text("mine", given).rendered()
    assert (rendered["id"], rendered["role"], rendered["content"]) == ("mine", role, content)


def test_of_a_long_text_only_the_beginning_is_kept() -> None:
    parts = [{"text": "x" * (LONGEST_TEXT - 1)}, {"text": "yz"}, {"text": "more"}]
    content = Item.of_text("mine", {"content": parts}).rendered()["content"]
    assert [part["text"][-1] for part in content] == ["x", "y"]
    assert sum(len(part["text"]) for part in content) == LONGEST_TEXT
