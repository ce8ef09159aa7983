from __future__ import annotations

from wavescribe.bench.metrics.final_latency import FinalLatencies, Utterance, final_latencies
from wavescribe.bench.metrics.timeline import Emission

SAID = (Utterance(("one", "two"), 2.0, 1.0), Utterance(("three", "four"), 5.0, 4.0))
HEARD = (
    Emission("one", 1.5, "a"),
    Emission(" two", 2.5, "a"),
    Emission(" three", 4.5, "b"),
    Emission(" four", 6.0, "b"),
)


def test_latency_runs_from_the_end_of_speech_to_the_last_text_and_to_its_turns_completion() -> None:
    assert final_latencies(SAID, HEARD, {"a": 2.75, "b": 6.5}) == FinalLatencies((0.5, 1.0), (0.75, 1.5))


def test_the_last_text_is_that_of_the_last_word_that_came() -> None:
    heard = (*HEARD[:2], Emission(" three", 5.5, "b"))
    assert final_latencies(SAID, heard, {"a": 2.75, "b": 6.5}) == FinalLatencies((0.5, 0.5), (0.75, 1.5))


def test_an_utterance_whose_last_part_never_came_has_no_latency_before_its_end() -> None:
    # The turn of the first part ended in a pause; what was said after it is nowhere.
    assert final_latencies(SAID, HEARD[:3], {"a": 2.75, "b": 4.75}) == FinalLatencies((0.5,), (0.75,))
    # Its turn ended after the speech, so that its completion is what the client waited for.
    assert final_latencies(SAID, HEARD[:3], {"a": 2.75, "b": 6.5}) == FinalLatencies((0.5,), (0.75, 1.5))


def test_an_utterance_of_which_nothing_came_is_left_out() -> None:
    assert final_latencies(SAID, HEARD[2:], {"b": 6.5}) == FinalLatencies((1.0,), (1.5,))


def test_a_turn_that_never_completed_has_no_completion() -> None:
    assert final_latencies(SAID, HEARD, {"a": 2.75}) == FinalLatencies((0.5, 1.0), (0.75,))


def test_late_text_is_late_and_leaves_the_other_utterance_alone() -> None:
    heard = (HEARD[0], Emission(" two", 4.25, "a"), *HEARD[2:])
    assert final_latencies(SAID, heard, {"a": 4.75, "b": 6.5}) == FinalLatencies((2.25, 1.0), (2.75, 1.5))


def test_a_doubled_last_word_has_come_with_the_first_copy() -> None:
    heard = (*HEARD[:2], Emission(" two", 3.5, "a"), *HEARD[2:], Emission(" four", 8.0, "c"))
    assert final_latencies(SAID, heard, {"a": 4.0, "b": 6.5, "c": 8.5}) == FinalLatencies((0.5, 1.0), (2.0, 1.5))


def test_a_wrong_last_word_leaves_the_one_before_it_as_the_last() -> None:
    heard = (*HEARD[:2], Emission(" three", 5.25, "b"), Emission(" xyz", 6.0, "b"))
    assert final_latencies(SAID, heard, {"a": 2.75, "b": 6.5}).text == (0.5, 0.25)


def test_a_wrong_word_in_the_first_utterance_leaves_the_second_alone() -> None:
    heard = (Emission("won", 1.5, "a"), Emission(" tool", 2.5, "a"), *HEARD[2:])
    assert final_latencies(SAID, heard, {"a": 2.75, "b": 6.5}).text[-1] == 1.0
