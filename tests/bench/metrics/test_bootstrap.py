from __future__ import annotations

import pytest

from wavescribe.bench.metrics.bootstrap import Interval, difference_interval, rate_interval


def test_recordings_that_are_all_alike_leave_no_doubt() -> None:
    assert rate_interval([1] * 20, [10] * 20) == Interval(0.1, 0.1)


def test_the_interval_holds_the_rate_and_narrows_with_more_recordings() -> None:
    few, many = rate_interval([0, 2] * 5, [10] * 10), rate_interval([0, 2] * 100, [10] * 200)
    assert few is not None
    assert many is not None
    assert few.low < many.low < 0.1 < many.high < few.high


def test_differences_are_paired() -> None:
    # Every recording has one error more than the other: the difference is sure, however much the recordings differ.
    interval = difference_interval([1, 9, 3, 6, 2], [0, 8, 2, 5, 1], [10] * 5)
    assert interval is not None
    assert (round(interval.low, 9), round(interval.high, 9)) == (0.1, 0.1)


def test_the_same_figures_give_the_same_interval() -> None:
    first, second = (rate_interval([0, 1, 5, 2, 0], [10, 20, 30, 20, 10]) for _ in range(2))
    assert first is not None
    assert first == second


@pytest.mark.parametrize("count", [0, 1, 4])
def test_fewer_than_five_recordings_have_no_interval(count: int) -> None:
    errors, words = list(range(count)), [10] * count
    assert rate_interval(errors, words) is None
    assert difference_interval(errors, errors, words) is None


def test_five_recordings_have_an_interval() -> None:
    assert rate_interval([1] * 5, [10] * 5) == Interval(0.1, 0.1)
    assert difference_interval([2] * 5, [1] * 5, [10] * 5) == Interval(0.1, 0.1)
