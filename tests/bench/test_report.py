from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from html.parser import HTMLParser
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace

import pytest
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from playwright.async_api import Browser

from wavescribe.bench.drawing import figure_of
from wavescribe.bench.environment import describe_environment
from wavescribe.bench.measurement import Chart, Measurement, Series, TableData
from wavescribe.bench.publishing import publish, write

LINE = Chart("cost_line", "Lines", "x", "y", (Series("a", (1.0, 2.0), (1.0, None)),), limit=(2.0, "limit"))
CURVE = Chart("cost_curve", "Curves", "x", "y", (Series("a", (1.0, 9.0), (1.0, 10.0)),), "curve", logarithmic="xy")
BAR = Chart(
    "cost_bar", "Bars", "x", "y", (Series("a", ("one", "two"), (1.0, 2.0), low=(0.5, 1.0), high=(2, 3)),), "bar"
)
NAMES = ("de long", "en long", "en multispeaker", "yue multispeaker, characters", "yue short, characters") + tuple(
    f"x{number} short" for number in range(14)
)


def bars(name: str, groups: int, series: int = 2, first: float | None = 31.5) -> Chart:
    """Bars of made-up figures, some of them with long error bars."""
    values = [
        (first, *(1.3 + (7.7 * place + 3.1 * number) % 41 for place in range(1, groups))) for number in range(series)
    ]
    shown = tuple(
        Series(
            f"series {number}",
            NAMES[:groups],
            row,
            low=tuple(0.7 * (value or 0) for value in row),
            high=tuple((1 + number) * (value or 0) for value in row),
        )
        for number, row in enumerate(values)
    )
    return Chart(f"cost_{name}", "Bars", "groups", "values", shown, "bar", limit=(20.0, "limit"))


BARS = {
    "few": bars("few", 3),
    "many": bars("many", 19),
    "crowded": bars("crowded", 7, 4),
    "long_names": bars("long_names", 5),
    "gap": bars("gap", 2, first=None),
}
CLOSE = Chart(
    "cost_close",
    "Close",
    "x",
    "y",
    (
        Series(
            "a",
            (0.88, 0.90, 0.94, 1.8, 2.3),
            (1.03, 1.065, 1.08, 0.63, 0.67),
            reach=(1.81, 1.81, 1.82, 2.5, 3.5),
            marks=("minimal", "low", "medium", "high", "xhigh"),
        ),
    ),
)
MARKED = Chart(
    "cost_marked", "Marked", "x", "y", (Series("a", (1.0, 2.0), (2.0, 1.0), reach=(2.0, 4.0), marks=("here", "there")),)
)
WIDE = TableData("wide", tuple(f"head {number:05}" for number in range(16)), (tuple(["123.45"] * 16),))
COST = Measurement(
    name="cost",
    title="it costs <little> & enough",
    summary=("the first line", "the second line"),
    tables=(TableData("a table", ("name", "value"), (("one", "1 | 2"),)), WIDE),
    charts=(LINE, CURVE, BAR, MARKED, BARS["many"]),
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
    pictures = {f"{chart.name}.{suffix}" for chart in COST.charts for suffix in ("png", "svg")}
    assert {path.name for path in folder.iterdir()} == pictures | {"cost.json", "report.html"}
    written = json.loads((folder / "cost.json").read_text())
    assert written["data"] == {"value": 1.5}
    assert float(written["environment"]["cores"]) > 0


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
    assert len(reader.sources) == len(COST.charts) + 1
    assert all(source.startswith("data:") for source in reader.sources)


@pytest.mark.browser
async def test_the_report_opens_in_a_browser_with_whole_pictures_and_tables_and_asks_for_nothing(
    tmp_path: Path, launch: Callable[..., Awaitable[Browser]]
) -> None:
    report = write(COST, tmp_path).as_uri()
    page = await (await launch()).new_page(viewport={"width": 1250, "height": 800})
    asked: list[str] = []
    told: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(f"exception: {error}"))
    await page.goto(report)
    widths = await page.evaluate("[...document.images].map((image) => image.naturalWidth)")
    tables = await page.evaluate("[...document.querySelectorAll('table')].map((t) => t.scrollWidth - t.clientWidth)")
    await page.close()
    assert len(widths) == len(COST.charts)
    assert all(width > 0 for width in widths)
    assert tables == [0, 0]
    assert [url for url in asked if not url.startswith("data:")] == [report]
    assert told == []


def test_the_environment_names_torch_without_loading_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    (tmp_path / "torch-9.8.7.dist-info").mkdir()
    (tmp_path / "torch-9.8.7.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 9.8.7\n")
    (tmp_path / "torch.py").write_text("raise AssertionError('torch was loaded')")
    monkeypatch.syspath_prepend(tmp_path)
    assert describe_environment()["version of torch"] == "9.8.7"
    assert "torch" not in sys.modules


@pytest.mark.parametrize(("available", "facts"), [(True, {"GPU": "a fast one"}), (False, {})])
def test_the_gpu_is_named_where_torch_is_loaded_and_can_use_it(
    available: bool, facts: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cuda = SimpleNamespace(is_available=lambda: available, get_device_name=lambda: "a fast one")
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    assert {name: fact for name, fact in describe_environment().items() if name == "GPU"} == facts


def legends_of(figure: Figure) -> list[Legend]:
    """The legends in and outside of the axes."""
    return [*figure.legends, *(legend for axes in figure.axes if (legend := axes.get_legend()))]


def words_of(figure: Figure) -> list[tuple[str, Bbox]]:
    """Every text of a drawn chart and where it stands."""
    figure.draw_without_rendering()
    (axes,) = figure.axes
    texts: list[Text] = [axes.title, axes.xaxis.label, axes.yaxis.label, *axes.texts]
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        ticks = zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True)
        texts += [label for place, label in ticks if low <= place <= high]
    texts += [text for legend in legends_of(figure) for text in legend.get_texts()]
    return [(text.get_text(), text.get_window_extent()) for text in texts if text.get_text()]


@pytest.mark.parametrize("chart", [LINE, CURVE, BAR, MARKED, CLOSE, *BARS.values()], ids=lambda chart: chart.name)
def test_no_text_of_a_picture_lies_over_another_or_beyond_the_edge(chart: Chart) -> None:
    figure = figure_of(chart)
    placed = words_of(figure)
    covered = [(one, other) for (one, a), (other, b) in combinations(placed, 2) if Bbox.intersection(a, b)]
    assert covered == []
    width, height = figure.bbox.size
    assert [text for text, box in placed if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height] == []


@pytest.mark.parametrize("chart", [LINE, CURVE, BAR, MARKED, CLOSE, *BARS.values()], ids=lambda chart: chart.name)
def test_values_and_marks_stand_within_the_axes_and_the_legend_outside(chart: Chart) -> None:
    figure = figure_of(chart)
    figure.draw_without_rendering()
    (axes,) = figure.axes
    box = axes.get_window_extent()
    inside = [text.get_window_extent() for text in axes.texts if text.get_text()]
    assert all(box.x0 <= each.x0 and each.x1 <= box.x1 and box.y0 <= each.y0 and each.y1 <= box.y1 for each in inside)
    legends = legends_of(figure)
    assert len(legends) == (chart.limit is not None)
    assert not any(legend.get_window_extent().overlaps(box) for legend in legends)


@pytest.mark.parametrize(("name", "values_shown"), [("few", True), ("many", True), ("crowded", False), ("gap", True)])
def test_bars_have_their_names_and_where_they_fit_their_values(name: str, values_shown: bool) -> None:
    chart = BARS[name]
    texts = [text for text, _ in words_of(figure_of(chart))]
    assert all(text in texts for text in chart.series[0].x)
    values = [f"{value:.2f}" for series in chart.series for value in series.y if value is not None]
    assert all((value in texts) == values_shown for value in values)
    assert "0.00" not in texts


def test_a_bar_beyond_the_highest_is_cut_off_and_has_its_value() -> None:
    chart = replace(bars("cut", 19, 3, first=1784.4), highest=100.0)
    figure = figure_of(chart)
    (axes,) = figure.axes
    assert axes.get_xlim()[1] < 120
    assert [text for text, _ in words_of(figure)].count("1784") == 3


def test_a_picture_of_bars_is_as_high_as_they_need() -> None:
    heights = {name: figure_of(chart).get_figheight() for name, chart in BARS.items()}
    assert heights["few"] < heights["many"]
    assert heights["crowded"] < heights["many"]
