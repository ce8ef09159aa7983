"""Whether a server served a level of load in time, and the highest that it did."""

from __future__ import annotations

from collections.abc import Mapping

from wavescribe.bench.paced_level import LevelResult

MOST_MISSING, MORE_MISSING = 0.5, 0.05
"""The share of gold words that may never come at all, and beyond that at the lowest level: more are lost, not heard
wrongly."""


def is_good(result: LevelResult, limit: float, lowest: LevelResult | None = None) -> bool:
    """Whether every stream was served without failure, no words were lost, and they settled in time.

    Args:
        result: the level.
        limit: of the settle lag's 95th percentile, in seconds.
        lowest: the lowest level of the run, where this is another.
    """
    return not shortcomings(result, limit, lowest)


def shortcomings(result: LevelResult, limit: float, lowest: LevelResult | None = None) -> list[str]:
    """Why a level is not good; the arguments are those of `is_good`."""
    lag, missing = result.pooled("settle_lags"), result.missing_share or 0.0
    accepted = MOST_MISSING if lowest is None else min(MOST_MISSING, (lowest.missing_share or 0.0) + MORE_MISSING)
    reasons = [f"{result.refusals} refused"] if result.refusals else []
    reasons += [f"{len(result.failures)} failures"] if result.failures else []
    if lag is None:
        reasons.append("no text")
    elif lag.p95 > limit:
        reasons.append(f"settle lag p95 {lag.p95:.2f} s")
    if lag is not None and missing > accepted:
        reasons.append(f"{100 * missing:.0f} % of the words never came")
    return reasons


def lowest(results: Mapping[int, LevelResult]) -> LevelResult:
    """The result of the lowest level."""
    return results[min(results)]


def most_good(results: Mapping[int, LevelResult], limit: float) -> int:
    """The highest level up to which every one is good; 0 where the first is not."""
    good = 0
    for level, result in results.items():
        if not is_good(result, limit, lowest(results)):
            break
        good = level
    return good
