"""Draw a chart with matplotlib, as PNG and SVG. It is loaded only where pictures are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from wavescribe.bench.measurement import Chart, Series

SUFFIXES = ("png", "svg")
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito's colours, which the colour-blind can tell apart."""

MARKERS = "os^Dv*"

SIZE = (8.0, 4.6)
"""Inches of a picture; one of bars that lie is as high as they need."""

AXES_INCHES = 6.5
"""Width of the axes in a picture."""

MOST_UPRIGHT = 6
"""Groups of bars that stand side by side; more lie one below the other, where their names have room."""

GROUP_INCHES = 0.4
"""Height of a group of bars that lie, with the gap to the next."""

GROUP_SHARE = 0.8
"""What bars take of it."""

VALUE_INCHES = (0.34, 0.12)
"""Width and height of a bar's value."""

OVER_LINES = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
"""The box of a value, which hides a line behind it."""

LETTER_INCHES = 0.07
"""Width of a letter of a group's name."""

MARK_POINTS = 11.0
"""From the middle of one mark's text to that of the next, in points."""


def draw(chart: Chart, folder: Path) -> list[Path]:
    """Draw a chart into the folder, which exists, once a suffix."""
    figure = figure_of(chart)
    return [_save(figure, folder / f"{chart.name}.{suffix}") for suffix in SUFFIXES]


def figure_of(chart: Chart) -> Figure:
    """The drawn chart."""
    figure = Figure(figsize=_size(chart), layout="constrained")
    axes: Axes = figure.subplots()
    {"line": _lines, "curve": _curves, "bar": _bars}[chart.kind](axes, chart)
    _limit(axes, chart)
    _scale(axes, chart)
    _name(axes, chart)
    _tidy(axes, chart)
    if len(chart.series) > 1 or chart.limit is not None:
        # Below the axes it covers nothing, whatever is drawn.
        figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    return figure


def _lies(chart: Chart) -> bool:
    """Whether it is of bars that lie, because they or their names are too many to stand side by side."""
    if chart.kind != "bar":
        return False
    names = [str(name) for name in chart.series[0].x]
    width = len(names) * max(len(name) + 1 for name in names) * LETTER_INCHES
    return len(names) > MOST_UPRIGHT or width > AXES_INCHES


def _size(chart: Chart) -> tuple[float, float]:
    return (SIZE[0], 1.4 + GROUP_INCHES * len(chart.series[0].x)) if _lies(chart) else SIZE


def _limit(axes: Axes, chart: Chart) -> None:
    if chart.limit is not None:
        level, label = chart.limit
        across = axes.axvline if _lies(chart) else axes.axhline
        across(level, color="black", linestyle="--", linewidth=1, label=label)


def _name(axes: Axes, chart: Chart) -> None:
    axes.set_title(chart.title, fontsize=12, fontweight="bold")
    below, beside = (chart.y_label, chart.x_label) if _lies(chart) else (chart.x_label, chart.y_label)
    axes.set_xlabel(below)
    axes.set_ylabel(beside)


def _tidy(axes: Axes, chart: Chart) -> None:
    values: Literal["x", "y"] = "x" if _lies(chart) else "y"
    axes.grid(visible=True, axis=values if chart.kind == "bar" else "both", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


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
        ends = [(reach, y) for (_, y), reach in zip(points, series.reach, strict=False)]
        for (x, y), (reach, _) in zip(points, ends, strict=False):
            axes.plot([x, reach], [y, y], color="#999999", linewidth=1.5, zorder=1)
        _mark(axes, ends or points, series.marks)


def _mark(axes: Axes, points: Sequence[tuple[float, float]], marks: Sequence[str]) -> None:
    """Text to the right of points, from the lowest up, and lifted where it would lie on the text below it."""
    if not marks:
        return
    axes.margins(0.14, 0.1)  # room for the text of the last one
    axes.autoscale_view()
    lowest = float("-inf")
    for point, mark in sorted(zip(points, marks, strict=False), key=lambda marked: marked[0][1]):
        height = axes.transData.transform(point)[1] * 72 / axes.figure.dpi
        lowest = max(lowest + MARK_POINTS, height)
        offset = (4, lowest - height)
        axes.annotate(mark, point, xytext=offset, va="center", textcoords="offset points", fontsize=9)


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
    """Groups of bars, each with error bars where there are any, and with its value behind it where that has room."""
    for index, series in enumerate(chart.series):
        bars = _series_bars(axes, chart, index)
        if _values_fit(chart):
            labels = ["" if y is None else f"{y:.2f}" for y in series.y]
            axes.bar_label(bars, labels=labels, padding=3, fontsize=8, bbox=OVER_LINES)
        elif chart.highest is not None:
            labels = [f"{y:.0f}" if y is not None and y > chart.highest else "" for y in series.y]
            axes.bar_label(bars, labels=labels, padding=3, fontsize=7)
    (axes.set_xmargin if _lies(chart) else axes.set_ymargin)(0.08)  # room for the last value
    names = [str(name) for name in chart.series[0].x]
    if _lies(chart):
        axes.set_yticks(range(len(names)), names, fontsize=9)
        axes.set_ylim(len(names) - 0.5, -0.5)  # the first on top
    else:
        axes.set_xticks(range(len(names)), names, fontsize=9)


def _series_bars(axes: Axes, chart: Chart, index: int) -> BarContainer:
    """One bar in each group."""
    series, width = chart.series[index], GROUP_SHARE / len(chart.series)
    places = [place + (index - (len(chart.series) - 1) / 2) * width for place in range(len(series.x))]
    highest = chart.highest or float("inf")
    lengths, ends = [min(y or 0.0, highest) for y in series.y], _error_bars(series, highest)
    style: dict[str, Any] = {"label": series.label, "color": _colour(index), "error_kw": {"elinewidth": 1}}
    if _lies(chart):
        return axes.barh(places, lengths, width * 0.95, xerr=ends, **style)
    return axes.bar(places, lengths, width * 0.95, yerr=ends, **style)


def _values_fit(chart: Chart) -> bool:
    """Whether the bars are so far apart that their values do not touch."""
    if _lies(chart):
        return GROUP_INCHES * GROUP_SHARE / len(chart.series) >= VALUE_INCHES[1]
    return AXES_INCHES * GROUP_SHARE / (len(chart.series) * len(chart.series[0].x)) >= VALUE_INCHES[0]


def _error_bars(series: Series, highest: float) -> list[list[float]] | None:
    """How far the error bars go below and above what is drawn of each bar."""
    if not series.low:
        return None
    drawn = [min(y or 0.0, highest) for y in series.y]
    below = [max(0.0, y - low) for y, low in zip(drawn, series.low, strict=True)]
    above = [max(0.0, min(high, highest) - y) for y, high in zip(drawn, series.high, strict=True)]
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
