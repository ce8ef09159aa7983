from __future__ import annotations

import pytest

from wavescribe.bench.installed_recordings import installed_recordings
from wavescribe.bench.streamed import RATE, StreamedRun, run_streamed, shown_texts
from wavescribe.engines.whisper import load_whisper
from wavescribe.streaming.events import Draft, Event, Settled, SettledWord, TurnEnded
from wavescribe.streaming.parameters import StreamParameters


def settled(turn: int, delta: str, position: int) -> Settled:
    return Settled(turn, delta, (), "en", position)


def test_the_lag_of_a_word_runs_from_its_end_to_the_step_that_settled_it() -> None:
    words = (SettledWord("one", 0, 8_000, 1.0), SettledWord("two", 8_000, 16_000, 1.0))
    run = StreamedRun(events=[Settled(0, "one two", words, "en", 32_000), TurnEnded(0, "one two", "en", 0, 32_000)])
    assert run.settle_lags(["one", "two"]) == [1.0, 1.5]
    assert run.text == "one two"


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        # Every word half a second after its end.
        (["one@1", "two@2", "three@3"], [0.5, 0.5, 0.5]),
        # A wrong word and one that nobody said have no lag, however late they are.
        (["one@1", "zzzz@2+9", "three@3", "qqqqqqqq@4+9"], [0.5, 0.5]),
        # A missing word has none and shifts no other.
        (["one@1", "three@3"], [0.5, 0.5]),
        # A doubled word has come with its first copy.
        (["one@1", "two@2", "two@3+7", "three@3"], [0.5, 0.5, 0.5]),
        # A late word is late.
        (["one@1", "two@2+4", "three@3+3"], [0.5, 3.0, 4.0]),
        ([], []),
    ],
)
def test_only_words_that_were_said_have_a_lag(told: list[str], expected: list[float]) -> None:
    """Each event is of one word, "text@end" in seconds, settled half a second after its end or "+" so many."""
    events: list[Event] = []
    for each in told:
        text, place = each.split("@")
        end, lag = (float(part) for part in (place if "+" in place else f"{place}+0.5").split("+"))
        word = SettledWord(text, 0, round(end * 16_000), 1.0)
        events.append(Settled(0, f" {text}", (word,), "en", round((end + lag) * 16_000)))
    assert StreamedRun(events=events).settle_lags(["one", "two", "three"]) == expected


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


@pytest.mark.model
def test_only_what_is_decoded_after_the_end_of_a_stream_closes_it() -> None:
    engine = load_whisper("whisper-tiny.en", threads_per_worker=1)
    clip = next(each for each in installed_recordings() if each.name == "en_quick_brown_fox").samples()
    samples = clip[: 2 * RATE]  # a whole number of blocks, so that the last decode before the end is at the end
    steps = run_streamed(engine, samples, StreamParameters(language="en")).steps
    engine.close()
    assert [(step.position, step.closing) for step in steps] == [
        *((step.position, False) for step in steps[:-1]),
        (2.0, True),
    ]
    assert len(steps) > 1
