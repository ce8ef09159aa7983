"""What a subcommand found: a summary to read in a minute, tables, charts, and all figures as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

ChartKind = Literal["line", "bar", "curve"]


@dataclass(frozen=True, slots=True)
class TableData:
    """A table, its cells as shown.

    Attributes:
        title: what it shows.
        headings: one a column.
        rows: as many cells each as there are headings.
    """

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Series:
    """One line or one group of bars of a chart.

    Attributes:
        label: in the legend.
        x: positions, or names for bars.
        y: values; None leaves a gap.
        low: lower ends of error bars; empty for none.
        high: upper ends.
        reach: for each point how far to the right a gray line goes; empty for none.
        marks: text at each point; empty for none.
    """

    label: str
    x: tuple[float | str, ...]
    y: tuple[float | None, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    reach: tuple[float, ...] = ()
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture of a measurement.

    Attributes:
        name: of its file, without suffix.
        title: over it.
        x_label: with the unit.
        y_label: with the unit.
        series: what it shows.
        kind: lines over numbers, or bars over names.
        logarithmic: which axes are logarithmic, for example "xy".
        counts: whether the positions are few whole numbers, each with a tick of its own.
        limit: a level drawn as a dashed line, with its label.
        highest: bars are cut off there and have their values at their ends, so that one does not dwarf all others.
        caption: one sentence that says what to see.
    """

    name: str
    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    kind: ChartKind = "line"
    logarithmic: str = ""
    counts: bool = False
    limit: tuple[float, str] | None = None
    highest: float | None = None
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Measurement:
    """The result of a subcommand.

    Attributes:
        name: of the subcommand, and of its files.
        title: one line.
        summary: sentences, the most important first.
        tables: what is printed.
        charts: what is drawn.
        data: every figure, ready for JSON.
        elsewhere: whether a server that this program did not start did the work: this machine only asked it.
    """

    name: str
    title: str
    summary: tuple[str, ...]
    tables: tuple[TableData, ...]
    charts: tuple[Chart, ...] = ()
    data: dict[str, Any] = field(default_factory=dict)
    elsewhere: bool = False
