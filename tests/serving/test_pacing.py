from __future__ import annotations

import pytest

from wavescribe.serving.pacing import MOST_SECONDS, Pace, least_advance


@pytest.mark.parametrize(
    ("interval", "lag", "expected"),
    [
        (0.3, 0.5, 0.0),  # idle: every step
        (0.3, 30.0, 0.0),  # a burst on an idle machine is worked off step by step, whatever its size
        (0.7, 3.5, 0.0),
        (0.9, 0.5, 0.0),  # busy, but it keeps up
        (3.0, 1.9, 0.0),
        (0.9, 2.9, 2.0),  # busy and behind: what waits is taken at once
        (3.0, 3.0, 3.0),
        (3.0, 7.0, MOST_SECONDS),
    ],
)
def test_a_step_on_a_busy_machine_covers_what_waits(interval: float, lag: float, expected: float) -> None:
    assert least_advance(1.0, interval, lag) == pytest.approx(expected)


def test_a_stream_at_the_pace_of_speech_is_not_fast_in_any_packet_size() -> None:
    for packet in (0.02, 1.0, 2.9):
        pace = Pace()
        for number in range(1, 50):
            now = 100 + number * packet
            pace.fed(packet, now)
            assert not pace.is_fast(now)


def test_a_file_sent_at_once_is_fast_until_the_clock_has_caught_up() -> None:
    pace = Pace()
    for _ in range(10):
        pace.fed(1.0, 50.0)
    assert pace.is_fast(50.0)
    assert pace.is_fast(56.0)
    assert not pace.is_fast(58.0)


def test_a_pause_earns_no_right_to_be_fast_later() -> None:
    pace = Pace()
    pace.fed(1.0, 0.0)
    pace.fed(10.0, 600.0)
    assert pace.is_fast(600.0)


def test_what_came_early_is_not_lag() -> None:
    pace = Pace()
    pace.fed(5.0, 10.0)
    assert pace.ahead(10.0) == 5.0
    assert pace.ahead(12.0) == 3.0
    assert pace.ahead(20.0) == 0.0


@pytest.mark.parametrize("gap", [5.0, 10.0, 30.0])
@pytest.mark.parametrize("packet", [0.02, 0.1, 1.0])
def test_what_was_said_while_the_line_was_down_is_forgiven_once_speech_goes_on_at_its_pace(
    gap: float, packet: float
) -> None:
    pace = Pace()
    now = 0.0
    for _ in range(round(5 / packet)):
        now += packet
        pace.fed(packet, now)
    now += gap
    pace.fed(gap, now)  # all that was kept meanwhile
    assert pace.is_fast(now)
    for _ in range(round(15 / packet)):
        now += packet
        pace.fed(packet, now)
    assert not pace.is_fast(now)
    assert pace.ahead(now) < 1.5


def test_a_stream_that_is_fed_twice_as_fast_as_speech_stays_fast() -> None:
    pace = Pace()
    fast = []
    for number in range(1, 600):
        pace.fed(0.2, number * 0.1)
        fast.append(pace.is_fast(number * 0.1))
    assert not any(fast[:25])
    assert all(fast[35:])
