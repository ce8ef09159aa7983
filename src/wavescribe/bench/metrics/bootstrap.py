"""Confidence intervals of rates by the bootstrap: recordings are drawn anew with replacement, as if measured again.

The recording is what is drawn, because the errors within one are not independent (Bisani and Ney, "Bootstrap estimates
for confidence intervals in ASR performance evaluation", ICASSP 2004). Differences are paired: both rates are of the
same draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

DRAWS = 2000
SEED = 1

LEAST_RECORDINGS = 5
"""Fewer have no interval: they do not show how much recordings differ, and one alone would seem to be sure."""

Rates = npt.NDArray[np.float64]
"""A rate for each draw, shape (draws,)."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % confidence interval."""

    low: float
    high: float


def rate_interval(errors: Sequence[int], words: Sequence[int]) -> Interval | None:
    """The interval of a corpus-level rate; None for fewer recordings than `LEAST_RECORDINGS`.

    Args:
        errors: of each recording.
        words: gold words of each recording.
    """
    if len(words) < LEAST_RECORDINGS:
        return None
    return _interval(_drawn_rates(errors, words))


def difference_interval(errors: Sequence[int], other_errors: Sequence[int], words: Sequence[int]) -> Interval | None:
    """The interval of the rate of `errors` minus that of `other_errors`, on the same recordings; None for too few."""
    if len(words) < LEAST_RECORDINGS:
        return None
    return _interval(_drawn_rates(errors, words) - _drawn_rates(other_errors, words))


def _drawn_rates(errors: Sequence[int], words: Sequence[int]) -> Rates:
    drawn = np.random.default_rng(SEED).integers(0, len(words), (DRAWS, len(words)))
    wrong = np.asarray(errors)[drawn].sum(axis=1)
    rates: Rates = wrong / np.maximum(1, np.asarray(words)[drawn].sum(axis=1))
    return rates


def _interval(rates: Rates) -> Interval:
    low, high = np.percentile(rates, (2.5, 97.5))
    return Interval(float(low), float(high))
