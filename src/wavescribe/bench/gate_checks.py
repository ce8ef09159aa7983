"""The limits of the gate, and a readable line for what is beyond them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

MOST_GROWTH = 0.05
"""By what share of the mean the cost of a lap grows from lap to lap; a lap varies by some per cent, and so does a line
through four of them by two, while a cost that grows with length grows by tens."""

MOST_TIMES_OFFLINE = 4.0
"""Cost of streaming against greedy offline decoding of the same recording."""

MOST_PENALTY = 0.015
"""Word error rate of streaming above that of greedy offline decoding: 1.5 points of 118 words are one word."""

MOST_OVER_EMISSION = 1.03
LEAST_OVER_EMISSION = 0.97
"""Characters written per character said, of a clip that is said over and over."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured in one run.

    Attributes:
        lap_costs: CPU seconds of each lap of a stream that says the same again and again.
        offline_cost: CPU seconds of greedy offline decoding of one lap.
        streamed_cost: CPU seconds of streaming one lap.
        offline_errors: word error rate of greedy offline decoding.
        streamed_errors: word error rate of streaming.
        over_emission: characters written per character said, of a looped clip.
        quiet_characters: characters written of silence and noise.
    """

    lap_costs: tuple[float, ...]
    offline_cost: float
    streamed_cost: float
    offline_errors: float
    streamed_errors: float
    over_emission: float
    quiet_characters: int


@dataclass(frozen=True, slots=True)
class Check:
    """A ratio and its limits.

    Attributes:
        name: what it is.
        value: as measured.
        most: the largest that is good.
        least: the smallest that is good, or None.
        meaning: what a value beyond the limits says, for the person whose build failed.
    """

    name: str
    value: float
    most: float
    least: float | None = None
    meaning: str = ""

    @property
    def passed(self) -> bool:
        """Whether the value is within its limits; one that is not a number is not."""
        return self.value <= self.most and (self.least is None or self.value >= self.least)

    @property
    def shown(self) -> str:
        """The value as told."""
        return f"{self.value:.3g}"

    @property
    def allowed(self) -> str:
        """The limits as told."""
        return f"at most {self.most:g}" if self.least is None else f"{self.least:g} to {self.most:g}"

    @property
    def line(self) -> str:
        """One line that says what is wrong."""
        return f"{self.name} is {self.shown}, allowed is {self.allowed}: {self.meaning}"


def checks_of(figures: Figures) -> list[Check]:
    """The figures as checks, in the order in which they are told."""
    return [
        Check(
            "growth of a lap's cost per lap",
            growth(figures.lap_costs),
            MOST_GROWTH,
            meaning="a stream costs more the longer it is",
        ),
        Check(
            "cost of streaming against greedy offline decoding",
            _ratio(figures.streamed_cost, figures.offline_cost),
            MOST_TIMES_OFFLINE,
            meaning="streaming has become more expensive",
        ),
        Check(
            "word error rate of streaming above greedy offline decoding",
            figures.streamed_errors - figures.offline_errors,
            MOST_PENALTY,
            meaning="text has become worse only because it is streamed",
        ),
        Check(
            "characters written per character said, of a looped clip",
            figures.over_emission,
            MOST_OVER_EMISSION,
            LEAST_OVER_EMISSION,
            meaning="repeated words are lost, or written more often than they were said",
        ),
        Check(
            "characters written of silence and noise",
            figures.quiet_characters,
            0,
            meaning="text is written where nothing was said",
        ),
    ]


def growth(costs: Sequence[float]) -> float:
    """The slope of a line through the costs (least squares), as a share of their mean, per lap."""
    mean = statistics.fmean(costs)
    return statistics.linear_regression(range(len(costs)), costs).slope / mean if mean else float("inf")


def _ratio(value: float, base: float) -> float:
    return value / base if base else float("inf")
