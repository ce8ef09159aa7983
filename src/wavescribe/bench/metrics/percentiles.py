"""Percentiles by nearest rank, and the figures that describe a set of measurements."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that at least this share of them does not exceed (nearest rank).

    Args:
        values: in any order, at least one.
        share: above 0, at most 1.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("no values have no percentile")
    return sorted(values)[max(1, math.ceil(share * len(values))) - 1]


LEAST_COUNTS = {"p95": 20, "p99": 100}
"""From how many values on a percentile by nearest rank is another value than the largest."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """How measurements are spread, all in the unit of the measurements.

    Attributes:
        count: how many there are.
        mean: arithmetic mean.
        stdev: standard deviation of the sample; 0 for one measurement.
        minimum: the smallest.
        p50: the median, by nearest rank.
        p95: 95th percentile.
        p99: 99th percentile.
        maximum: the largest.
    """

    count: int
    mean: float
    stdev: float
    minimum: float
    p50: float
    p95: float
    p99: float
    maximum: float

    def is_maximum(self, name: str) -> bool:
        """Whether a percentile ("p95") is only another name of the largest, because there are few values."""
        return self.count < LEAST_COUNTS.get(name, 0)


def distribution(values: Sequence[float]) -> Distribution | None:
    """The spread of the values, or None where there are none."""
    if not values:
        return None
    return Distribution(
        count=len(values),
        mean=statistics.fmean(values),
        stdev=statistics.stdev(values) if len(values) > 1 else 0.0,
        minimum=min(values),
        p50=percentile(values, 0.50),
        p95=percentile(values, 0.95),
        p99=percentile(values, 0.99),
        maximum=max(values),
    )
