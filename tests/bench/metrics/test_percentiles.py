from __future__ import annotations

import pytest

from wavescribe.bench.metrics.percentiles import distribution, percentile

TEN = [3.0, 1.0, 2.0, 10.0, 9.0, 8.0, 7.0, 6.0, 5.0, 4.0]


@pytest.mark.parametrize(("share", "expected"), [(0.5, 5.0), (0.51, 6.0), (0.95, 10.0), (0.1, 1.0), (1.0, 10.0)])
def test_percentiles_are_by_nearest_rank(share: float, expected: float) -> None:
    assert percentile(TEN, share) == expected


def test_one_value_is_every_percentile() -> None:
    assert (percentile([4.0], 0.01), percentile([4.0], 0.99)) == (4.0, 4.0)


def test_no_values_have_no_percentile_and_no_distribution() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)
    assert distribution([]) is None


def test_each_percentile_of_a_distribution_is_its_own() -> None:
    spread = distribution([float(value) for value in range(200, 0, -1)])
    assert spread is not None
    assert (spread.p50, spread.p95, spread.p99, spread.maximum) == (100.0, 190.0, 198.0, 200.0)


@pytest.mark.parametrize(
    ("count", "name", "largest"),
    [(19, "p95", True), (20, "p95", False), (99, "p99", True), (100, "p99", False), (1, "maximum", False)],
)
def test_a_percentile_of_few_values_is_the_largest_of_them(count: int, name: str, largest: bool) -> None:
    spread = distribution([float(value) for value in range(count)])
    assert spread is not None
    assert spread.is_maximum(name) is largest
    assert (getattr(spread, name) == spread.maximum) is (largest or name == "maximum")


def test_a_distribution_tells_spread_and_extremes() -> None:
    spread = distribution([1.0, 2.0, 3.0, 6.0])
    assert spread is not None
    assert (spread.count, spread.mean, spread.minimum, spread.p50, spread.maximum) == (4, 3.0, 1.0, 2.0, 6.0)
    assert spread.stdev == pytest.approx((14 / 3) ** 0.5)


def test_one_measurement_has_no_spread() -> None:
    spread = distribution([2.0])
    assert spread is not None
    assert spread.stdev == 0.0
