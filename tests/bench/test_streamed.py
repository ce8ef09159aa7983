from __future__ import annotations

from wavescribe.bench.streamed import StreamedRun, shown_texts
from wavescribe.streaming.events import Draft, Event, Settled, SettledWord, TurnEnded


def settled(turn: int, delta: str, position: int) -> Settled:
    return Settled(turn, delta, (), "en", position)


def test_the_lag_of_a_word_runs_from_its_end_to_the_step_that_settled_it() -> None:
    words = (SettledWord("one", 0, 8_000, 1.0), SettledWord("two", 8_000, 16_000, 1.0))
    run = StreamedRun(events=[Settled(0, "one two", words, "en", 32_000), TurnEnded(0, "one two", "en", 0, 32_000)])
    assert run.settle_lags() == [1.0, 1.5]
    assert run.text == "one two"


def test_the_text_of_a_stream_that_was_given_up_is_what_had_settled() -> None:
    run = StreamedRun(events=[settled(0, "one", 1), settled(0, " two", 2), settled(1, "three", 3)])
    assert run.text == "one two three"


def test_what_one_step_settles_and_drafts_is_shown_at_once() -> None:
    events: list[Event] = [
        Draft(0, "one to", 1),
        settled(0, "one", 2),
        Draft(0, " two", 2),
        TurnEnded(0, "one two", "en", 0, 3),
    ]
    assert shown_texts(events) == [["one to", "one two", "one two"]]


def test_turns_are_shown_apart() -> None:
    events: list[Event] = [settled(0, "one", 1), TurnEnded(0, "one", "en", 0, 1), Draft(1, "two", 2)]
    assert shown_texts(events) == [["one", "one"], ["two"]]
