from __future__ import annotations

from wavescribe.bench.metrics.final_latency import FinalLatencies, Utterance, final_latencies
from wavescribe.bench.metrics.timeline import Emission

SAID = (Utterance(("one", "two"), 2.0), Utterance(("three", "four"), 5.0))
HEARD = (
    Emission("one", 1.5, "a"),
    Emission(" two", 2.5, "a"),
    Emission(" three", 4.5, "b"),
    Emission(" four", 6.0, "b"),
)


def test_latency_runs_from_the_end_of_speech_to_the_last_text_and_to_its_turns_completion() -> None:
    assert final_latencies(SAID, HEARD, {"a": 2.75, "b": 6.5}) == FinalLatencies((0.5, 1.0), (0.75, 1.5))


def test_the_last_text_is_that_of_the_last_word_that_came() -> None:
    assert final_latencies(SAID, HEARD[:3], {"a": 2.75, "b": 6.5}) == FinalLatencies((0.5, -0.5), (0.75, 1.5))


def test_an_utterance_of_which_nothing_came_is_left_out() -> None:
    assert final_latencies(SAID, HEARD[2:], {"b": 6.5}) == FinalLatencies((1.0,), (1.5,))


def test_a_turn_that_never_completed_has_no_completion() -> None:
    assert final_latencies(SAID, HEARD, {"a": 2.75}) == FinalLatencies((0.5, 1.0), (0.75,))


def test_a_wrong_word_in_the_first_utterance_leaves_the_second_alone() -> None:
    heard = (Emission("won", 1.5, "a"), Emission(" tool", 2.5, "a"), *HEARD[2:])
    assert final_latencies(SAID, heard, {"a": 2.75, "b": 6.5}).text[-1] == 1.0
