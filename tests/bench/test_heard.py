from __future__ import annotations

from typing import Any

from wavescribe.bench.heard import PREFIX, hear
from wavescribe.bench.metrics.timeline import Emission


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


def test_word_times_of_the_server_give_its_own_lags() -> None:
    words = [{"word": "one", "end": 0.5}, {"word": "two", "end": 1.5}]
    assert hear([delta(2.0, "a", "one two", words=words)]).stated_lags == (1.5, 0.5)


def test_a_transcript_that_is_not_its_deltas_is_a_contradiction() -> None:
    heard = hear([delta(1, "a", "one"), completed(2, "a", "won")])
    assert heard.contradictions == 1
    assert heard.text == "won"


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


def test_transcription_events_of_other_protocols_are_told() -> None:
    heard = hear([(1.0, {"type": "transcription.delta", "delta": "one"}), (2.0, {"type": "session.updated"})])
    assert heard.foreign == {"transcription.delta"}
