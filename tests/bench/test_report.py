from __future__ import annotations

import json
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from wavescribe.bench.measurement import Chart, Measurement, Series, TableData
from wavescribe.bench.publishing import publish, write
from wavescribe.bench.results_page import write_results
from wavescribe.errors import ConfigurationError

LINE = Chart("cost_line", "Lines", "x", "y", (Series("a", (1.0, 2.0), (1.0, None)),), limit=(2.0, "limit"))
CURVE = Chart("cost_curve", "Curves", "x", "y", (Series("a", (1.0, 9.0), (1.0, 10.0)),), "curve", logarithmic="xy")
BAR = Chart(
    "cost_bar", "Bars", "x", "y", (Series("a", ("one", "two"), (1.0, 2.0), low=(0.5, 1.0), high=(2, 3)),), "bar"
)
MARKED = Chart("cost_marked", "Marked", "x", "y", (Series("a", (1.0,), (1.0,), reach=(2.0,), marks=("here",)),))
COST = Measurement(
    name="cost",
    title="it costs <little> & enough",
    summary=("the first line", "the second line"),
    tables=(TableData("a table", ("name", "value"), (("one", "1 | 2"),)),),
    charts=(LINE, CURVE, BAR, MARKED),
    data={"value": 1.5},
)
QUALITY = Measurement("quality", "it is good", (), ())


def test_a_measurement_is_printed_and_written_with_its_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "made" / "for it"
    publish(COST, folder)
    shown = capsys.readouterr().out
    assert all(text in shown for text in ("a table", "1 | 2", "it costs <little> & enough", "the second line"))
    pictures = {f"cost_{name}.{suffix}" for name in ("line", "curve", "bar", "marked") for suffix in ("png", "svg")}
    assert {path.name for path in folder.iterdir()} == pictures | {"cost.json", "report.html"}
    written = json.loads((folder / "cost.json").read_text())
    assert written["data"] == {"value": 1.5}
    assert written["environment"]["cores"].isdigit()


@pytest.mark.parametrize(("columns", "on_its_side"), [(200, False), (60, True)])
def test_a_table_wider_than_the_terminal_is_printed_on_its_side(
    columns: int, on_its_side: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    headings = tuple(f"heading {number}" for number in range(10))
    table = TableData("wide", headings, (tuple(f"value {number}" for number in range(10)),))
    publish(Measurement("quality", "it is good", (), (table,)), None)
    lines = capsys.readouterr().out.splitlines()
    assert all(any(heading in line for line in lines) for heading in headings)
    assert any("heading 9" in line and "value 9" in line for line in lines) == on_its_side


def test_without_a_directory_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    publish(COST, None)
    assert list(tmp_path.iterdir()) == []


def test_pictures_have_their_labels_and_are_the_same_each_time(tmp_path: Path) -> None:
    write(COST, tmp_path / "one")
    write(COST, tmp_path / "two")
    svg = (tmp_path / "one" / "cost_line.svg").read_bytes()
    assert svg == (tmp_path / "two" / "cost_line.svg").read_bytes()
    assert all(f"<!-- {text} -->".encode() in svg for text in ("Lines", "x", "y", "limit"))
    assert b"<!-- here -->" in (tmp_path / "one" / "cost_marked.svg").read_bytes()


class Reader(HTMLParser):
    """Collects a page's texts and everything that it would load."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "iframe")
        self.sources += [value or "" for name, value in attrs if name == "src" or (tag == "link" and name == "href")]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_report_has_every_measurement_of_the_directory_and_loads_nothing(tmp_path: Path) -> None:
    write(COST, tmp_path)
    page = write(QUALITY, tmp_path).read_text(encoding="utf-8")
    reader = Reader()
    reader.feed(page)
    assert all(text in reader.texts for text in ("it costs <little> & enough", "it is good", "1 | 2", "a table"))
    assert page.index("it is good") < page.index("it costs")
    assert len(reader.sources) == 5
    assert all(source.startswith("data:") for source in reader.sources)


def test_results_are_markdown_with_their_pictures_beside_them(tmp_path: Path) -> None:
    write(COST, tmp_path / "out")
    page = tmp_path / "docs" / "results.md"
    page.parent.mkdir()
    write_results(tmp_path / "out", page, "wavescribe bench all", note="a note")
    text = page.read_text()
    assert "Written by `wavescribe bench all`" in text
    assert "a note" in text
    assert "| one | 1 \\| 2 |" in text
    assert "![Lines](results/cost_line.svg)" in text
    assert (tmp_path / "docs" / "results" / "cost_line.svg").exists()


def test_results_of_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no measurements"):
        write_results(tmp_path, tmp_path / "results.md", "command")


@pytest.mark.slow
def test_the_report_opens_in_a_browser_without_errors(tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no chromium on this machine")
    report = write(COST, tmp_path)
    picture = tmp_path / "page.png"
    opened = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--window-size=1000,2000"]
        + [f"--screenshot={picture}", f"--user-data-dir={tmp_path / 'profile'}", report.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
    )
    # What a page does wrong is logged by its console; the rest of the log is the browser's own.
    assert not [line for line in opened.stderr.splitlines() if ":CONSOLE" in line]
    assert picture.stat().st_size > 20_000
