"""Draw a chart with matplotlib, as PNG and SVG. It is loaded only where pictures are wanted."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from wavescribe.bench.measurement import Chart, Series

SUFFIXES = ("png", "svg")
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito's colours, which the colour-blind can tell apart."""

MARKERS = "os^Dv*"


def draw(chart: Chart, folder: Path) -> list[Path]:
    """Draw a chart into the folder, once a suffix.

    Args:
        chart: with at least one series.
        folder: exists.
    """
    figure = Figure(figsize=(8, 4.6), layout="constrained")
    axes: Axes = figure.subplots()
    {"line": _lines, "curve": _curves, "bar": _bars}[chart.kind](axes, chart)
    if chart.limit is not None:
        level, label = chart.limit
        axes.axhline(level, color="black", linestyle="--", linewidth=1, label=label)
    _scale(axes, chart)
    axes.set_title(chart.title, fontsize=12, fontweight="bold")
    axes.set_xlabel(chart.x_label)
    axes.set_ylabel(chart.y_label)
    axes.grid(visible=True, axis="y" if chart.kind == "bar" else "both", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if len(chart.series) > 1 or chart.limit is not None:
        axes.legend(frameon=False, fontsize=9)
    return [_save(figure, folder / f"{chart.name}.{suffix}") for suffix in SUFFIXES]


def _save(figure: Figure, path: Path) -> Path:
    # The same figures give the same file: no date, and ids that do not depend on chance.
    with mpl.rc_context({"svg.hashsalt": "wavescribe"}):
        figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else None)
    return path


def _colour(index: int) -> str:
    return COLOURS[index % len(COLOURS)]


def _lines(axes: Axes, chart: Chart) -> None:
    """Points joined by lines, with grey reaches and text at the points where there are any."""
    for index, series in enumerate(chart.series):
        points = [(float(x), y) for x, y in zip(series.x, series.y, strict=True) if y is not None]
        xs, ys = [x for x, _ in points], [y for _, y in points]
        axes.plot(xs, ys, marker=MARKERS[index % len(MARKERS)], label=series.label, color=_colour(index))
        for (x, y), reach in zip(points, series.reach, strict=False):
            axes.plot([x, reach], [y, y], color="#999999", linewidth=1.5, zorder=1)
        for place, ((x, y), mark) in enumerate(zip(points, series.marks, strict=False)):
            # Above and below by turns, so that points that are close do not write over each other.
            axes.annotate(mark, (x, y), xytext=(0, (8, -15)[place % 2]), textcoords="offset points", fontsize=9)


def _curves(axes: Axes, chart: Chart) -> None:
    """Many points joined by thin lines."""
    for index, series in enumerate(chart.series):
        xs = [float(x) for x in series.x]
        axes.plot(
            xs,
            [float("nan") if y is None else y for y in series.y],
            label=series.label,
            linewidth=1.3,
            color=_colour(index),
        )


def _bars(axes: Axes, chart: Chart) -> None:
    """Groups of bars side by side, each with its value above it and error bars where there are any."""
    width = 0.8 / len(chart.series)
    for index, series in enumerate(chart.series):
        places = [place + (index - (len(chart.series) - 1) / 2) * width for place in range(len(series.x))]
        heights = [y or 0.0 for y in series.y]
        bars = axes.bar(
            places, heights, width * 0.95, label=series.label, yerr=_error_bars(series), color=_colour(index)
        )
        axes.bar_label(bars, labels=[f"{height:.2f}" for height in heights], padding=2, fontsize=8)
    axes.set_xticks(range(len(chart.series[0].x)), [str(name) for name in chart.series[0].x], fontsize=9)
    if len(chart.series[0].x) > 6:
        axes.tick_params(axis="x", labelrotation=30)


def _error_bars(series: Series) -> list[list[float]] | None:
    if not series.low:
        return None
    below = [max(0.0, (y or 0.0) - low) for y, low in zip(series.y, series.low, strict=True)]
    above = [max(0.0, high - (y or 0.0)) for y, high in zip(series.y, series.high, strict=True)]
    return [below, above]


def _scale(axes: Axes, chart: Chart) -> None:
    if "x" in chart.logarithmic:
        axes.set_xscale("log")
        axes.set_xticks(sorted({float(x) for series in chart.series for x in series.x}))
        _plain(axes.xaxis)
    if "y" in chart.logarithmic:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        _plain(axes.yaxis)
    elif chart.kind == "line" and not any(series.reach for series in chart.series):
        axes.set_ylim(bottom=0)
    if chart.counts:
        axes.set_xticks(sorted({float(x) for series in chart.series for x in series.x}))


def _plain(axis: Axis) -> None:
    """Ticks as plain numbers, without small ones between them."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())
