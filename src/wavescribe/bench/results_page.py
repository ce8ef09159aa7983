"""docs/results.md: the measurements of a directory as Markdown, so that nothing in it is edited by hand."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wavescribe.bench.report_page import read_measurements
from wavescribe.errors import ConfigurationError

HEAD = """# Results

Written by `{command}`; change nothing here by hand. What each figure means is in [benchmarks.md](benchmarks.md).
"""


def write_results(folder: Path, page: Path, command: str) -> None:
    """Write the page, and the pictures into a folder beside it of the page's name.

    Args:
        folder: where `wavescribe bench ... --output` wrote.
        page: the Markdown file.
        command: the one that wrote it.

    Raises:
        ConfigurationError: there are no measurements in the folder.
    """
    found = read_measurements(folder)
    if not found:
        raise ConfigurationError(f"there are no measurements in {folder}")
    pictures = page.with_suffix("")
    pictures.mkdir(parents=True, exist_ok=True)
    for chart in (chart for measurement in found for chart in measurement["charts"]):
        shutil.copyfile(folder / f"{chart['name']}.svg", pictures / f"{chart['name']}.svg")
    sections = [_section(measurement, pictures.name) for measurement in found]
    page.write_text("\n".join([HEAD.format(command=command), *sections]), encoding="utf-8")


def _section(measurement: Mapping[str, Any], pictures: str) -> str:
    lines = [f"## {measurement['name']}", "", f"**{measurement['title']}**", ""]
    lines += [note, ""] if (note := measurement.get("note")) else []
    lines += [f"- {line}" for line in measurement["summary"]]
    for chart in measurement["charts"]:
        lines += ["", f"![{chart['title']}]({pictures}/{chart['name']}.svg)", "", chart["caption"]]
    for table in measurement["tables"]:
        lines += ["", *_table(table)]
    facts = "; ".join(f"{name}: {value}" for name, value in measurement["environment"].items())
    return "\n".join([*lines, "", f"Made by `{measurement['command']}`. {facts}.", ""])


def _table(table: Mapping[str, Any]) -> list[str]:
    def row(cells: list[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    rule = "|" + "---|" * len(table["headings"])
    return [
        f"{table['title'][:1].upper()}{table['title'][1:]}:",
        "",
        row(table["headings"]),
        rule,
        *map(row, table["rows"]),
    ]
