from __future__ import annotations

from wavescribe.bench.metrics.bootstrap import difference_interval, rate_interval


def test_recordings_that_are_all_alike_leave_no_doubt() -> None:
    interval = rate_interval([1] * 20, [10] * 20)
    assert (interval.low, interval.high) == (0.1, 0.1)


def test_the_interval_holds_the_rate_and_narrows_with_more_recordings() -> None:
    few, many = rate_interval([0, 2] * 5, [10] * 10), rate_interval([0, 2] * 100, [10] * 200)
    assert few.low < many.low < 0.1 < many.high < few.high


def test_differences_are_paired() -> None:
    # Every recording has one error more than the other: the difference is sure, however much the recordings differ.
    interval = difference_interval([1, 9, 3, 6], [0, 8, 2, 5], [10, 10, 10, 10])
    assert (round(interval.low, 9), round(interval.high, 9)) == (0.1, 0.1)


def test_the_same_figures_give_the_same_interval() -> None:
    assert rate_interval([0, 1, 5], [10, 20, 30]) == rate_interval([0, 1, 5], [10, 20, 30])


def test_no_recordings_have_no_errors() -> None:
    assert rate_interval([], []).high == 0.0
