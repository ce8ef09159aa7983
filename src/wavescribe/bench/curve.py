"""The picture of what holding text back buys: word errors against settle lag, one point a delay level."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One delay level.

    Attributes:
        delay: its name.
        lag: seconds of audio from a word's end to the step that settled it, median.
        late: the same at the 95th percentile.
        penalty: word errors above offline decoding, in points.
    """

    delay: str
    lag: float
    late: float
    penalty: float


def draw_curve(points: list[CurvePoint], path: Path, title: str) -> None:
    """Draw the points in order of their lag.

    Args:
        points: at least one.
        path: of the picture; its suffix says the format (png, svg, pdf).
        title: over the picture.
    """
    ordered = sorted(points, key=lambda point: point.lag)
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    lags, penalties = [point.lag for point in ordered], [point.penalty for point in ordered]
    axes.plot(lags, penalties, marker="o")
    for point in ordered:
        axes.plot([point.lag, point.late], [point.penalty] * 2, color="lightgray", zorder=0)
        axes.annotate(point.delay, (point.lag, point.penalty), xytext=(6, 6), textcoords="offset points")
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set_xlabel("settle lag in seconds of audio: median, and gray up to the 95th percentile")
    axes.set_ylabel("word errors above offline, in points")
    axes.set_title(title, fontsize=10)
    figure.savefig(path, dpi=150)
