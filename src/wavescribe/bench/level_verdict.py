"""Whether a server served a level of load in time, and the highest that it did."""

from __future__ import annotations

from collections.abc import Mapping

from wavescribe.bench.metrics.percentiles import Distribution, distribution
from wavescribe.bench.paced_level import LevelResult

MOST_MISSING, MORE_MISSING = 0.5, 0.05
"""The share of gold words that may never come at all, and beyond that at the lowest level: more are lost, not heard
wrongly."""

MOST_GROWTH = 0.3
"""Seconds by which words may settle later in the last third of a level than in the middle one, at the median and at the
95th percentile: a server that is 3 % too slow falls 0.6 s further behind in 20 s. In good runs the 95th percentile
alone was up to a second later by chance, the median never more than 0.1 s."""

LEAST_WORDS = 100
"""Of each third: of fewer, the 95th percentile is a matter of a few words."""


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
    reasons = [_refused(result, lag, limit)] if result.refusals else []
    reasons += [f"{len(result.failures)} failures"] if result.failures else []
    if lag is None:
        reasons.append("no text")
    elif lag.p95 > limit:
        reasons.append(f"settle lag p95 {lag.p95:.2f} s")
    if lag is not None and missing > accepted:
        reasons.append(f"{100 * missing:.0f} % of the words never came")
    return [*reasons, *_growth(result)]


def _refused(result: LevelResult, lag: Distribution | None, limit: float) -> str:
    """How many were refused and, where those that were let in were served in time, that they were."""
    if lag is None or lag.p95 > limit:
        return f"{result.refusals} refused"
    count = len(result.streams)
    return f"{result.refusals} refused: {len(result.served)} of {count} were let in, and kept p95 {lag.p95:.2f} s"


def _growth(result: LevelResult) -> list[str]:
    """That words settle later and later, where they do: such a server is too slow, and late in the end."""
    middle, last = (_part(result, part) for part in (1, 2))
    if middle is None or last is None or min(middle.count, last.count) < LEAST_WORDS:
        return []
    if min(last.p50 - middle.p50, last.p95 - middle.p95) <= MOST_GROWTH:
        return []
    return [f"text comes later and later: p95 {middle.p95:.2f} s in the middle third, {last.p95:.2f} s in the last"]


def _part(result: LevelResult, part: int) -> Distribution | None:
    """The lags of one third of each stream's words, which are in the order in which they were said; the first is 0."""
    streams = [stream.settle_lags for stream in result.served]
    return distribution([lag for lags in streams for lag in lags[part * len(lags) // 3 : (part + 1) * len(lags) // 3]])


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


def most_streams(results: Mapping[int, LevelResult], limit: float) -> str:
    """How many streams were served in time, in words: fewer than the lowest level is not none, where it is above 1."""
    most, first = most_good(results, limit), min(results)
    if most:
        return "1 stream" if most == 1 else f"{most} streams"
    return "not one stream" if first == 1 else f"fewer than {first} streams (the lowest level tried)"
