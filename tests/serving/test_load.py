from __future__ import annotations

import pytest

from wavescribe.serving.load import LAG_SECONDS, SPEAKING_SECONDS, Load


def test_the_interval_grows_with_those_who_speak_and_falls_with_the_workers() -> None:
    load = Load(workers=2)
    load.took(0.4)
    for number in range(10):
        load.seen(f"stream {number}", now=0.0)
    assert load.interval(now=1.0) == pytest.approx(2.0)
    assert load.interval_with_another(now=1.0) == pytest.approx(2.2)


@pytest.mark.parametrize(
    ("processors", "streams", "expected"),
    [
        (2, 10, 0.1 * 10 / (2 * 0.825)),  # 10 streams take 0.35 of the 2 processors that the workers need
        (3, 10, 0.1 * 10 / 2),  # what streams take beside decodes finds a processor that is free
        (3, 60, 0.1 * 60 / (2 * 0.45)),
        (2, 500, 0.1 * 500 / (2 * 0.1)),
        (None, 100, 0.1 * 100 / 2),
    ],
)
def test_what_streams_take_beside_their_decodes_is_not_the_workers(
    processors: int | None, streams: int, expected: float
) -> None:
    load = Load(workers=2, threads=2, processors=processors)
    load.took(0.1)
    for number in range(streams):
        load.seen(str(number), now=0.0)
    assert load.interval(now=0.0) == pytest.approx(expected)


def test_who_has_left_or_fallen_silent_does_not_count() -> None:
    load = Load(workers=1)
    load.seen("silent", now=0.0)
    load.seen("speaks", now=0.0)
    load.seen("left", now=0.0)
    load.left("left")
    load.seen("speaks", now=SPEAKING_SECONDS)
    assert load.speaking(now=SPEAKING_SECONDS) == 2
    assert load.speaking(now=SPEAKING_SECONDS + 0.1) == 1
    load.left("never there")


def test_who_waits_for_an_answer_speaks_however_long_it_takes() -> None:
    load = Load(workers=1)
    load.asked("waits")
    assert load.speaking(now=100 * SPEAKING_SECONDS) == 1
    load.seen("waits", now=1000.0)
    assert load.speaking(now=1000.0 + SPEAKING_SECONDS) == 1
    assert load.speaking(now=1000.1 + SPEAKING_SECONDS) == 0


def test_what_was_expected_of_a_full_machine_counts_until_steps_take_longer() -> None:
    load = Load(workers=1)
    assert load.step_seconds == 0
    load.expect(0.4)
    assert load.step_seconds == 0.4
    load.took(0.3)
    assert load.step_seconds == 0.3
    assert load.interval_with_another(now=0.0) == 0.4
    for _ in range(100):
        load.took(0.6)
    assert load.interval_with_another(now=0.0) == pytest.approx(0.6, rel=0.01)


def test_one_slow_step_moves_the_mean_little() -> None:
    load = Load(workers=1)
    for _ in range(50):
        load.took(0.3)
    load.took(3.0)
    assert load.step_seconds == pytest.approx(0.57)


def test_lags_are_forgotten() -> None:
    load = Load(workers=1)
    assert load.lag(now=0.0) == 0
    for second in range(20):
        load.settled(5.0 if second < 19 else 9.0, now=0.0)
    assert load.lag(now=1.0) == 9.0
    assert load.lag(now=1.0, share=0.5) == 5.0
    load.settled(1.0, now=10.0)
    assert load.lag(now=LAG_SECONDS + 1) == 1.0


def test_streams_that_never_began_are_forgotten() -> None:
    load = Load(workers=1)
    for number in range(1000):
        load.seen(str(number), now=0.0)
    assert load.speaking(now=2 * SPEAKING_SECONDS) == 0
    assert not vars(load)["_last_step"]
