from __future__ import annotations

from wavescribe.bench.paced import PacedRun
from wavescribe.streaming.events import Draft, Settled, SettledWord, TurnEnded

RATE = 16_000


def word(end: float) -> SettledWord:
    return SettledWord("word", 0, round(end * RATE), 0.9)


def test_a_words_lag_is_from_its_end_to_its_arrival() -> None:
    run = PacedRun()
    run.take(Settled(0, "two words", (word(1.0), word(1.5)), "en", 2 * RATE), 2.25, RATE)
    assert run.settle_lags == [1.25, 0.75]


def test_a_turns_lag_is_from_its_end_to_the_arrival_of_its_last_text() -> None:
    run = PacedRun()
    run.take(TurnEnded(0, "text", "en", 0, 2 * RATE), 2.5, RATE)
    assert run.final_lags == [0.5]


def test_turns_without_text_and_drafts_are_not_counted() -> None:
    run = PacedRun()
    run.take(TurnEnded(0, "", "", 0, 2 * RATE), 2.5, RATE)
    run.take(Draft(0, "text", RATE), 2.5, RATE)
    assert (run.settle_lags, run.final_lags) == ([], [])
