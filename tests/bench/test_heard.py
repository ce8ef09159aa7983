from __future__ import annotations

from typing import Any

import pytest

from wavescribe.bench.heard import PREFIX, hear
from wavescribe.bench.metrics.timeline import Emission, StatedWord

SIX = {"word": "six", "end": 2.5}


def committed(time: float, item: str) -> tuple[float, dict[str, Any]]:
    return time, {"type": "input_audio_buffer.committed", "item_id": item}


def delta(time: float, item: str, text: str, **more: Any) -> tuple[float, dict[str, Any]]:
    return time, {"type": f"{PREFIX}delta", "item_id": item, "delta": text, **more}


def completed(time: float, item: str, text: str) -> tuple[float, dict[str, Any]]:
    return time, {"type": f"{PREFIX}completed", "item_id": item, "transcript": text}


def test_deltas_are_the_text_and_completions_end_turns() -> None:
    heard = hear([delta(1, "a", "one"), delta(2, "a", " two"), committed(3, "a"), completed(4, "a", "one two")])
    assert heard.emissions == (Emission(" one", 1, "a"), Emission(" two", 2, "a"))
    assert (heard.text, heard.turns, heard.completed) == ("one two", ("one two",), {"a": 4})
    assert (heard.shown, heard.contradictions, heard.failed) == ({"a": 1}, 0, 0)


def test_turns_have_the_order_in_which_they_began_whenever_they_complete() -> None:
    heard = hear([committed(1, "a"), committed(2, "b"), completed(3, "b", "two"), completed(4, "a", "one")])
    assert heard.text == "one two"
    assert [emission.text for emission in heard.emissions] == [" one", " two"]


def test_a_turn_without_deltas_arrives_with_its_completion() -> None:
    assert hear([completed(4, "a", "one two")]).emissions == (Emission(" one two", 4, "a"),)


def test_words_that_the_server_gives_times_with_are_kept_with_their_arrival() -> None:
    words = [{"word": "one", "end": 0.5}, {"word": "two", "end": 1.5}]
    heard = hear([committed(0, "b"), delta(2.0, "a", "one two", words=words), delta(3.0, "b", "six", words=[SIX])])
    # In the order of the turns, as the text is.
    assert heard.stated == (StatedWord("six", 2.5, 3.0), StatedWord("one", 0.5, 2.0), StatedWord("two", 1.5, 2.0))


def test_a_transcript_that_is_not_its_deltas_is_a_contradiction() -> None:
    heard = hear([delta(1, "a", "one"), completed(2, "a", "won")])
    assert heard.contradictions == 1
    assert heard.text == "won"


@pytest.mark.parametrize(
    "deltas",
    [
        pytest.param(["one", "one two", "one two three"], id="cumulative"),
        pytest.param(["won", " to", " tree"], id="changed in the end"),
        pytest.param(["one"], id="a part"),
    ],
)
def test_words_of_a_turn_that_contradicts_itself_have_come_when_it_is_completed(deltas: list[str]) -> None:
    words = [{"word": "one", "end": 0.5}]
    told = [delta(1 + index, "a", text, words=words) for index, text in enumerate(deltas)]
    heard = hear([*told, completed(9, "a", "one two three"), delta(10, "b", "four"), completed(11, "b", "four")])
    assert heard.emissions == (Emission(" one two three", 9, "a"), Emission(" four", 10, "b"))
    assert {word.time for word in heard.stated} == {9}
    assert heard.contradictions == 1
    # What was shown was shown, whatever became of it.
    assert heard.shown["a"] == 1


def test_white_space_around_deltas_contradicts_nothing() -> None:
    heard = hear([delta(1, "a", " one"), delta(2, "a", " two "), completed(3, "a", "one two")])
    assert (heard.contradictions, len(heard.emissions)) == (0, 2)


def test_deltas_whose_text_is_taken_back_are_no_text() -> None:
    heard = hear([delta(1, "a", "one"), completed(2, "a", "")])
    assert (heard.emissions, heard.turns, heard.contradictions) == ((), (), 1)


def test_turns_without_a_name_are_told_apart_by_their_completions() -> None:
    unnamed = [committed(1, "a"), completed(2, "a", "one"), committed(3, "a"), delta(3.5, "a", "two")]
    unnamed += [committed(3.6, "a"), completed(4, "a", "two"), completed(5, "a", "three")]
    for _, event in unnamed:
        del event["item_id"]
    heard = hear(unnamed)
    assert heard.turns == ("one", "two", "three")
    assert [(emission.text, emission.time) for emission in heard.emissions] == [
        (" one", 2),
        (" two", 3.5),
        (" three", 5),
    ]
    assert list(heard.completed.values()) == [2, 4, 5]
    assert heard.contradictions == 0


def test_failed_turns_are_counted() -> None:
    assert hear([(1.0, {"type": f"{PREFIX}failed", "item_id": "a"})]).failed == 1


def test_empty_turns_and_other_events_say_nothing() -> None:
    heard = hear([(1.0, {"type": "conversation.item.added", "item_id": "a"}), completed(2, "a", "")])
    assert (heard.emissions, heard.turns, heard.shown) == ((), (), {})


def test_a_draft_is_the_first_text_of_its_turn_and_settles_nothing() -> None:
    draft = {"type": f"{PREFIX}text", "item_id": "a", "text": "", "stash": "one"}
    heard = hear([(0.5, draft | {"stash": " "}), (1.0, draft), delta(2, "a", "one"), completed(3, "b", "two")])
    assert heard.shown == {"a": 1.0, "b": 3}
    assert [emission.text for emission in heard.emissions] == [" one", " two"]


def test_the_drafts_of_another_server_are_first_texts_too() -> None:
    draft = {"type": "input_audio_buffer.partial_transcription", "item_id": "a", "transcript": "on"}
    heard = hear([(1.0, draft), committed(2, "a"), completed(3, "a", "one")])
    assert heard.shown == {"a": 1.0}
    assert (heard.turns, heard.emissions) == (("one",), (Emission(" one", 3, "a"),))


def test_transcription_events_of_other_protocols_are_told() -> None:
    heard = hear([(1.0, {"type": "transcription.delta", "delta": "one"}), (2.0, {"type": "session.updated"})])
    assert heard.foreign == {"transcription.delta"}
