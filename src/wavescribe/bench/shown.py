"""A distribution's figures as a reader sees them: a percentile of too few values is told to be the largest of them."""

from __future__ import annotations

from wavescribe.bench.metrics.percentiles import Distribution


def shown(values: Distribution | None, name: str, digits: int = 2) -> str:
    """One figure as a cell of a table; empty where there are no values."""
    if values is None:
        return ""
    return f"{getattr(values, name):.{digits}f}{' (most)' if values.is_maximum(name) else ''}"


def shown_p95(values: Distribution | None, digits: int = 2) -> str:
    """The 95th percentile of seconds in a sentence."""
    if values is None:
        return "p95 unknown"
    return f"most {values.maximum:.{digits}f} s" if values.is_maximum("p95") else f"p95 {values.p95:.{digits}f} s"


def drawn(values: Distribution, name: str) -> float | None:
    """A percentile as a point of a line; no point where there are too few values for it."""
    return None if values.is_maximum(name) else float(getattr(values, name))
