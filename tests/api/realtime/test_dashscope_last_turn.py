from __future__ import annotations

import pytest

from wavescribe.api.realtime.dashscope_last_turn import LastTurn
from wavescribe.api.realtime.server_events import Frame
from wavescribe.streaming.events import (
    Draft,
    Event,
    Settled,
    SpeechStarted,
    SpeechStopped,
    TurnCommitted,
    TurnEnded,
    TurnFailed,
)

SECOND = 16_000
STARTED, STOPPED = SpeechStarted(0, 0), SpeechStopped(0, SECOND)
COMMITTED, COMPLETED = TurnCommitted(0, 0, SECOND), TurnEnded(0, "", "", 0, SECOND)
DRAFT, SETTLED = Draft(0, "Hi", SECOND), Settled(0, "Hi", (), "en", SECOND)
FAILED = TurnFailed(0, "broken", 0, SECOND)
NEXT = TurnCommitted(1, SECOND, SECOND), TurnEnded(1, "", "", SECOND, SECOND)


def sent(*events: Event, ends_with_session: bool = True) -> list[str]:
    """The numbers of the events whose frames came out."""
    last_turn = LastTurn()
    last_turn.ends_with_session = ends_with_session
    return [
        frame.text
        for number, event in enumerate(events)
        for frame in last_turn.pass_on(event, [Frame("event_1", str(number))])
    ]


def test_a_turn_without_speech_is_not_spoken_of() -> None:
    assert sent(COMMITTED, COMPLETED) == []


def test_a_turn_that_the_client_committed_is_spoken_of_in_any_case() -> None:
    assert sent(COMMITTED, COMPLETED, ends_with_session=False) == ["0", "1"]


@pytest.mark.parametrize(
    "events",
    [
        (DRAFT, COMMITTED, COMPLETED),
        (SETTLED, COMMITTED, COMPLETED),
        (STARTED, STOPPED, COMMITTED, COMPLETED),
        (COMMITTED, SETTLED, COMPLETED),
        (COMMITTED, DRAFT, COMPLETED),
        (COMMITTED, FAILED),
    ],
)
def test_a_turn_with_speech_is_spoken_of_in_order(events: tuple[Event, ...]) -> None:
    assert sent(*events) == [str(number) for number in range(len(events))]


def test_only_the_last_turn_is_left_out() -> None:
    assert sent(COMMITTED, COMPLETED, *NEXT) == ["0", "1"]
