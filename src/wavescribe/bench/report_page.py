"""The report: every measurement in a directory as one HTML page that needs no other file and no script."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

ORDER = ("quality", "latency", "load", "cost", "hour", "repetition", "compare", "gate")

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:76rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}
h1{font-size:1.8rem}h2{margin-top:3rem;border-top:1px solid #ccc;padding-top:1rem}
table{border-collapse:collapse;font-size:.85rem;margin:.5rem 0 1.5rem;display:block;overflow-x:auto}
caption{text-align:left;font-weight:600;padding:.3rem 0}
th,td{padding:.25rem .6rem;border-bottom:1px solid #ddd;text-align:right;white-space:nowrap}
th{white-space:normal;vertical-align:bottom}
th:first-child,td:first-child{text-align:left}
figure{margin:1.5rem 0}figcaption{color:#555;font-size:.9rem}img{max-width:100%;height:auto}
.lead{font-size:1.15rem;font-weight:600}code{background:#f3f3f3;padding:.1rem .3rem}
"""

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>wavescribe bench</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<h1>wavescribe bench</h1>
{summary}
{sections}
</body>
</html>
"""


def write_report(folder: Path) -> Path:
    """Write report.html of all measurements in the folder.

    Args:
        folder: has NAME.json of each measurement, and NAME.svg of each chart.
    """
    found = read_measurements(folder)
    page = PAGE.format(style=STYLE, summary=_overview(found), sections="\n".join(_section(m, folder) for m in found))
    path = folder / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


def read_measurements(folder: Path) -> list[dict[str, Any]]:
    """The measurements written into a folder, in the order in which they are shown."""
    paths = [folder / f"{name}.json" for name in ORDER]
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths if path.exists()]


def _overview(found: Iterable[Mapping[str, Any]]) -> str:
    items = (f'<li><a href="#{m["name"]}">{escape(m["name"])}</a>: {escape(m["title"])}</li>' for m in found)
    return "<ul>\n" + "\n".join(items) + "\n</ul>"


def _section(measurement: Mapping[str, Any], folder: Path) -> str:
    parts = [
        f'<h2 id="{measurement["name"]}">{escape(measurement["name"])}</h2>',
        f'<p class="lead">{escape(measurement["title"])}</p>',
        *([f"<p>{escape(note)}</p>"] if (note := measurement.get("note")) else []),
        "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in measurement["summary"]) + "</ul>",
        *(_figure(chart, folder) for chart in measurement["charts"]),
        *(_table(table) for table in measurement["tables"]),
        f"<p>Made by <code>{escape(measurement['command'])}</code></p>",
        _facts(measurement["environment"]),
    ]
    return "\n".join(parts)


def _figure(chart: Mapping[str, Any], folder: Path) -> str:
    picture = base64.b64encode((folder / f"{chart['name']}.svg").read_bytes()).decode()
    return (
        f'<figure><img alt="{escape(chart["title"])}" src="data:image/svg+xml;base64,{picture}">'
        f"<figcaption>{escape(chart['caption'])}</figcaption></figure>"
    )


def _table(table: Mapping[str, Any]) -> str:
    head = "".join(f"<th>{escape(heading)}</th>" for heading in table["headings"])
    rows = ("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table["rows"])
    caption = escape(table["title"])
    return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _facts(facts: Mapping[str, str]) -> str:
    shown = "; ".join(f"{escape(name)}: {escape(value)}" for name, value in facts.items())
    return f"<p><small>{shown}</small></p>"
