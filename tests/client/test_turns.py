from __future__ import annotations

from typing import Any

import pytest

from wavescribe.client.events import Draft, TurnEnded, TurnFailed
from wavescribe.client.turns import BUFFER, TRANSCRIPTION, Turns


def tell(turns: Turns, *messages: tuple[str, dict[str, Any]]) -> list[Any]:
    return [turns.take({"type": kind, "item_id": "item_1", **fields}) for kind, fields in messages]


def delta(text: str, end: float) -> tuple[str, dict[str, Any]]:
    word = {"word": text, "start": end - 0.25, "end": end, "probability": 1.0}
    return f"{TRANSCRIPTION}delta", {"delta": f" {text}", "words": [word]}


def started(seconds: float) -> tuple[str, dict[str, Any]]:
    return f"{BUFFER}speech_started", {"audio_start_ms": 1000 * seconds}


def stopped(seconds: float) -> tuple[str, dict[str, Any]]:
    return f"{BUFFER}speech_stopped", {"audio_end_ms": 1000 * seconds}


def test_text_covers_audio_from_word_to_word_and_to_the_end_of_its_turn() -> None:
    turns = Turns()
    tell(turns, started(1.5))
    assert turns.covered == 1.5
    tell(turns, delta("so", 2.0))
    assert turns.covered == 2.0
    tell(turns, (f"{TRANSCRIPTION}text", {"text": " so", "stash": " what"}))
    assert turns.covered == 2.0
    tell(turns, stopped(3.0))
    assert turns.covered == 2.0
    tell(turns, (f"{TRANSCRIPTION}completed", {"transcript": " so what", "usage": {"seconds": 1.5}}))
    assert turns.covered == 3.0


def test_a_session_that_goes_on_begins_at_a_word_at_most_a_second_and_a_half_earlier_or_at_the_last_word() -> None:
    turns = Turns()
    tell(turns, started(0.5), delta("it", 1.0))
    assert turns.lead_in == 0.75
    tell(turns, delta("was", 1.5), delta("the", 2.25))
    assert turns.lead_in == 0.75
    tell(turns, delta("best", 2.5))
    assert turns.lead_in == 1.25
    word = {"word": "hm", "start": 3.0, "end": 6.0, "probability": 1.0}
    tell(turns, (f"{TRANSCRIPTION}delta", {"delta": " hm", "words": [word]}))
    assert turns.lead_in == 3.0
    tell(turns, (f"{TRANSCRIPTION}completed", {"transcript": " it was the best hm", "usage": {"seconds": 7.0}}))
    assert turns.lead_in == turns.covered == 7.5


def test_speech_that_starts_while_an_earlier_turn_lacks_text_covers_nothing() -> None:
    turns = Turns()
    tell(turns, started(1.5), delta("so", 2.0))
    turns.take({"type": f"{BUFFER}speech_started", "item_id": "item_2", "audio_start_ms": 4000})
    assert turns.covered == 2.0


def test_a_turn_that_a_server_had_no_time_for_is_heard_again() -> None:
    turns = Turns()
    error = {"code": "session_ended", "message": "The session ended before item 'item_0' was transcribed."}
    *_, failed = tell(turns, started(1.5), stopped(3.0), (f"{TRANSCRIPTION}failed", {"error": error}))
    assert failed is None
    assert turns.covered == 1.5
    assert turns.close() == [TurnEnded(0, "", "", 1.5, 1.5)]


def test_a_turn_that_failed_for_good_is_not_heard_again() -> None:
    turns = Turns()
    *_, failed = tell(turns, started(1.5), stopped(3.0), (f"{TRANSCRIPTION}failed", {"error": {"message": "lost"}}))
    assert failed == TurnFailed(0, "lost")
    assert turns.covered == 3.0
    assert turns.close() == []


def test_a_turn_that_is_cut_ends_with_what_had_settled_in_the_language_that_was_told() -> None:
    turns = Turns()
    draft = (f"{TRANSCRIPTION}text", {"text": " so", "stash": " what", "language": "en"})
    *_, drafted = tell(turns, started(1.5), delta("so", 2.0), draft)
    assert drafted == Draft(0, " what")
    assert turns.close() == [TurnEnded(0, " so", "en", 1.5, 2.0)]


def test_a_turn_without_text_ends_with_the_text_of_the_turn_before_it_when_both_are_cut() -> None:
    turns = Turns()
    tell(turns, started(1.5), delta("so", 2.0))
    turns.take({"type": f"{BUFFER}speech_started", "item_id": "item_2", "audio_start_ms": 4000})
    assert turns.close() == [TurnEnded(0, " so", "", 1.5, 2.0), TurnEnded(1, "", "", 2.0, 2.0)]


@pytest.mark.parametrize(
    ("message", "ended"),
    [
        (started(1.5), [TurnEnded(0, "", "", 1.5, 1.5)]),
        ((f"{BUFFER}committed", {}), []),
    ],
)
def test_a_turn_without_text_that_is_cut_ends_empty_where_it_was_told_of(
    message: tuple[str, dict[str, Any]], ended: list[TurnEnded]
) -> None:
    turns = Turns()
    tell(turns, message)
    assert turns.close() == ended
    assert turns.are_through
