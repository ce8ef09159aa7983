"""docs/results.md: measurements as Markdown, so that nothing in it is edited by hand.

A whole run takes hours. Beside the page lies what it is made of, so that a measurement made later, of a later commit,
takes its predecessor's place and leaves the others.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wavescribe.bench.report_page import read_measurements
from wavescribe.errors import ConfigurationError

HEAD = """# Results

Written by `wavescribe bench all --page`, each part when the command at its end was run; change nothing here by hand.
What each figure means is in [benchmarks.md](benchmarks.md).
"""


def write_results(folder: Path, page: Path) -> None:
    """Write the page, of what was measured and of what lies beside it from earlier.

    In a folder beside the page, of its name, are the pictures, and what the page shows of each measurement as JSON.

    Args:
        folder: where `wavescribe bench ... --output` wrote.
        page: the Markdown file.

    Raises:
        ConfigurationError: there are no measurements.
    """
    kept = page.with_suffix("")
    for measurement in read_measurements(folder):
        _keep(measurement, folder, kept)
    found = read_measurements(kept)
    if not found:
        raise ConfigurationError(f"there are no measurements in {folder}")
    sections = [_section(measurement, kept.name) for measurement in found]
    page.write_text("\n".join([HEAD, *sections]), encoding="utf-8")


def _keep(measurement: Mapping[str, Any], folder: Path, kept: Path) -> None:
    """Put a measurement and its pictures beside the page, without the streams' texts and the single figures."""
    kept.mkdir(parents=True, exist_ok=True)
    for chart in measurement["charts"]:
        shutil.copyfile(folder / f"{chart['name']}.svg", kept / f"{chart['name']}.svg")
    shown = {name: value for name, value in measurement.items() if name != "data"}
    shown["charts"] = [{name: chart[name] for name in ("name", "title", "caption")} for chart in measurement["charts"]]
    text = json.dumps(shown, indent=1, ensure_ascii=False)
    (kept / f"{measurement['name']}.json").write_text(f"{text}\n", encoding="utf-8")


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
