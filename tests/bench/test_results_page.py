from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from wavescribe.bench.measurement import Chart, Measurement, Series, TableData
from wavescribe.bench.publishing import noted, write
from wavescribe.bench.results_page import write_results
from wavescribe.errors import ConfigurationError

LINE = Chart("cost_line", "Lines", "x", "y", (Series("a", (1.0, 2.0), (1.0, 2.0)),), caption="what lines show")
BAR = Chart("cost_bar", "Bars", "x", "y", (Series("a", ("one", "two"), (1.0, 2.0)),), "bar", caption="what bars show")
CURVE = Chart(
    "latency", "Curves", "x", "y", (Series("a", (1.0, 9.0), (1.0, 10.0)),), "curve", caption="what curves show"
)
COST = Measurement(
    name="cost",
    title="it costs enough",
    summary=("the first line", "the second line"),
    tables=(
        TableData("a table", ("name", "value"), (("one", "1 | 2"), ("two", "3"))),
        TableData("another table", ("language", "errors"), (("en", "4 %"), ("de", "5 %"))),
    ),
    charts=(LINE, BAR),
)
LATENCY = Measurement("latency", "it is soon", ("no other line",), (TableData("a third", ("x",), (("y",),)),), (CURVE,))


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    """A directory with two measurements."""
    with noted("a note"):
        write(COST, tmp_path / "out")
    write(LATENCY, tmp_path / "out")
    return tmp_path / "out"


def results_of(measured: Path, folder: str) -> dict[str, bytes]:
    """All that is written of the measurements, by path."""
    root = measured.parent / folder
    root.mkdir()
    write_results(measured, root / "results.md")
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_the_same_measurements_give_the_same_results_to_the_byte(measured: Path) -> None:
    assert results_of(measured, "one") == results_of(measured, "two")


def test_results_have_every_line_table_and_picture(measured: Path) -> None:
    files = results_of(measured, "docs")
    lines = files.pop("results.md").decode().splitlines()
    told = "Written by `wavescribe bench all --page`, each part when the command at its end was run; change nothing"
    assert told in " ".join(lines)
    for measurement in (COST, LATENCY):
        assert f"## {measurement.name}" in lines
        assert f"**{measurement.title}**" in lines
        assert all(f"- {line}" in lines for line in measurement.summary)
        assert all(f"![{each.title}](results/{each.name}.svg)" in lines for each in measurement.charts)
        assert all(each.caption in lines for each in measurement.charts)
    pictures = {f"results/{chart.name}.svg": chart for chart in (LINE, BAR, CURVE)}
    kept = {path: json.loads(files.pop(path)) for path in ("results/cost.json", "results/latency.json")}
    assert files == {path: (measured / f"{chart.name}.svg").read_bytes() for path, chart in pictures.items()}
    assert kept["results/cost.json"]["charts"][0] == {
        "name": "cost_line",
        "title": "Lines",
        "caption": "what lines show",
    }
    assert not any("data" in measurement for measurement in kept.values())


def test_tables_are_whole_and_in_order(measured: Path) -> None:
    text = results_of(measured, "docs")["results.md"].decode()
    assert text.index("## latency") < text.index("A third:") < text.index("## cost") < text.index("A table:")
    assert "A table:\n\n| name | value |\n|---|---|\n| one | 1 \\| 2 |\n| two | 3 |\n" in text
    assert "Another table:\n\n| language | errors |\n|---|---|\n| en | 4 % |\n| de | 5 % |\n" in text
    assert "A third:\n\n| x |\n|---|\n| y |\n" in text


def test_results_name_the_command_and_the_machine_of_each_measurement(measured: Path) -> None:
    path = measured / "cost.json"
    found = json.loads(path.read_text())
    path.write_text(
        json.dumps(found | {"command": "wavescribe bench cost", "environment": {"processor": "a fast one"}})
    )
    text = results_of(measured, "docs")["results.md"].decode()
    assert "Made by `wavescribe bench cost`. processor: a fast one." in text


def test_a_page_keeps_what_was_measured_earlier_until_it_is_measured_again(measured: Path, tmp_path: Path) -> None:
    page = tmp_path / "results.md"
    write_results(measured, page)
    once = page.read_text()
    later = tmp_path / "later"
    write(replace(LATENCY, title="it is sooner"), later)
    write_results(later, page)
    assert page.read_text() == once.replace("it is soon", "it is sooner")


def test_results_of_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no measurements"):
        write_results(tmp_path, tmp_path / "results.md")


def test_a_note_stays_with_its_measurement_whichever_was_made_last(measured: Path) -> None:
    sections = results_of(measured, "docs")["results.md"].decode().split("\n## ")[1:]
    assert {section.partition("\n")[0]: "\na note\n" in section for section in sections} == {
        "latency": False,
        "cost": True,
    }
    assert json.loads((measured / "cost.json").read_text())["note"] == "a note"
    assert "<p>a note</p>" in (measured / "report.html").read_text()
