from __future__ import annotations

from wavescribe.client.continuity import Continuity
from wavescribe.client.events import Draft, Settled, SpeechStarted, SpeechStopped, TurnEnded, TurnEvent, TurnFailed
from wavescribe.engines.base import Word


def events(first_turn: int, origin: float) -> list[TurnEvent]:
    """Two turns, as a session tells them that begins there."""
    word = Word(" Hello", origin + 0.5, origin + 0.9, 0.7)
    return [
        SpeechStarted(first_turn, origin + 0.25),
        Draft(first_turn, " Hello"),
        Settled(first_turn, " Hello", (word,)),
        SpeechStopped(first_turn, origin + 1.5),
        TurnEnded(first_turn, " Hello", "en", origin + 0.25, origin + 1.5),
        TurnFailed(first_turn + 1, "lost"),
    ]


def test_events_of_the_first_session_are_those_of_the_stream() -> None:
    continuity = Continuity()
    assert [continuity.take(event) for event in events(0, 0.0)] == events(0, 0.0)


def test_turns_and_times_of_later_sessions_go_on_where_the_one_before_ended() -> None:
    continuity = Continuity()
    for number, origin in enumerate((0.0, 10.25, 3_600.5)):
        continuity.begin(origin)
        assert [continuity.take(event) for event in events(0, 0.0)] == events(2 * number, origin)


def test_a_session_in_which_nothing_was_told_takes_no_numbers() -> None:
    continuity = Continuity()
    continuity.take(Draft(0, " So"))
    for origin in (1.0, 2.0):
        continuity.begin(origin)
    assert continuity.take(Draft(0, " what")) == Draft(1, " what")


def test_sums_of_times_are_as_round_as_the_times() -> None:
    continuity = Continuity()
    continuity.begin(0.1)
    assert continuity.take(SpeechStarted(0, 0.2)) == SpeechStarted(0, 0.3)
