"""Show a measurement on the terminal and, where a directory is given, write and draw it there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wavescribe.bench.command_line import running_command
from wavescribe.bench.environment import describe_environment
from wavescribe.bench.measurement import Measurement, TableData
from wavescribe.bench.report_page import write_report

_note: ContextVar[str] = ContextVar("note", default="")


def publish(measurement: Measurement, output: Path | None) -> None:
    """Print the tables and the summary; with a directory, write NAME.json, pictures and report.html.

    Args:
        measurement: what was found.
        output: the directory, made where it is missing; None writes nothing.
    """
    console = Console()
    for table in measurement.tables:
        console.print(_fitting(table, console))
    console.print(f"[bold]{escape(measurement.title)}[/bold]", soft_wrap=True)
    for line in measurement.summary:
        console.print(f"- {escape(line)}", soft_wrap=True, highlight=False)
    if output is not None:
        console.print(f"written to {write(measurement, output)}", soft_wrap=True, highlight=False)


def write(measurement: Measurement, output: Path) -> Path:
    """Write a measurement's JSON and pictures, and the report of all in the directory; returns its path."""
    # matplotlib is slow to load and not needed for tables.
    from wavescribe.bench.drawing import draw

    output.mkdir(parents=True, exist_ok=True)
    path = output / f"{measurement.name}.json"
    path.write_text(json.dumps(document(measurement), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for chart in measurement.charts:
        draw(chart, output)
    return write_report(output)


def document(measurement: Measurement) -> dict[str, object]:
    """The measurement and where it was made, ready for JSON."""
    return asdict(measurement) | {
        "note": _note.get(),
        "command": running_command(),
        "environment": describe_environment(elsewhere=measurement.elsewhere),
    }


@contextmanager
def noted(note: str) -> Iterator[None]:
    """Write a note, "" for none, to every measurement that is published while the context is open."""
    token = _note.set(note)
    try:
        yield
    finally:
        _note.reset(token)


def _fitting(table: TableData, console: Console) -> Table:
    """The table, or where its columns would have to be cut, the table on its side if that is narrower."""
    shown, turned = _rich(table), _rich(_turned(table))
    unbounded = console.options.update(max_width=10_000)
    width, width_turned = (console.measure(each, options=unbounded).maximum for each in (shown, turned))
    return shown if width <= max(console.width, width_turned) else turned


def _turned(table: TableData) -> TableData:
    """Its rows as columns."""
    first, *others = zip(table.headings, *table.rows, strict=True)
    return TableData(table.title, tuple(first), tuple(tuple(row) for row in others))


def _rich(table: TableData) -> Table:
    shown = Table(*table.headings, title=escape(table.title), title_justify="left")
    for row in table.rows:
        shown.add_row(*map(escape, row))
    return shown
