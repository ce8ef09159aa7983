from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wavescribe.bench.compare import HEADINGS, LOAD_HEADINGS, compare, compare_measurement
from wavescribe.bench.compared_server import compared_server, server_name
from wavescribe.bench.corpus import Recording
from wavescribe.bench.gold_times import RATE, TimedRecording
from wavescribe.bench.heard import PREFIX
from wavescribe.bench.metrics.percentiles import distribution
from wavescribe.bench.metrics.timeline import GoldWord
from wavescribe.bench.paced_level import LevelResult, stream_result
from wavescribe.bench.paced_options import Speech, wire_rate
from wavescribe.bench.realtime_client import StreamRecord, Target
from wavescribe.bench.served import Served
from wavescribe.bench.stream_plan import StreamPlan, join_recordings
from wavescribe.errors import ConfigurationError


def target(text: str) -> Target:
    return compared_server(text, language="de", rate=24_000, turns="server", silence_ms=700)


def plan() -> StreamPlan:
    """Words that end at 0.5 and 1.0 s."""
    words = (GoldWord("red", 0.0, 0.5), GoldWord("blue", 0.5, 1.0))
    recording = Recording("r", Path("none"), 1.2, "en", "short", "red blue", False, "human")
    samples = np.zeros(round(1.2 * RATE), dtype=np.float32)
    return join_recordings([TimedRecording(recording, samples, words, 1.0, 1.0)], turns="manual")


def level(lag: float, text: str = "red blue", refused: str = "") -> LevelResult:
    events = [(1.0 + lag, {"type": f"{PREFIX}completed", "item_id": "a", "transcript": text})]
    record = StreamRecord([] if refused else events, [0.01], refused, sent_seconds=1.2)
    return LevelResult((stream_result(record, plan()),), 1.2, 2.4, 0.5, distribution([0.01]), 0.1, None, None)


def remote(*names: str) -> dict[str, Served]:
    """Servers that were not started here."""
    return {name: Served(f"ws://{name}", "", {}, ()) for name in names}


def test_each_server_has_its_own_model_and_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "secret")
    first = target("wss://one/v1/realtime,model=whisper-1,key_env=SOME_KEY")
    assert (first.url, first.model, first.api_key) == ("wss://one/v1/realtime", "whisper-1", "secret")
    assert (first.language, first.rate, first.turns, first.silence_ms) == ("de", 24_000, "server", 700)
    second = target("http://two")
    assert (second.url, second.model, second.api_key) == ("http://two", "", "")
    # Two models of one server are two things to compare, and nobody's key is shown.
    assert (server_name(first), server_name(second)) == ("wss://one/v1/realtime whisper-1", "http://two")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("http://one,key=sk-1", "'key' is unknown; a server is URL,model=NAME,key_env=VARIABLE"),
        ("http://one,key_env=NOT_SET_ANYWHERE", "the environment variable 'NOT_SET_ANYWHERE' is not set"),
    ],
)
def test_a_server_that_is_named_wrongly_is_told(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        target(text)


def test_servers_are_told_side_by_side_with_what_went_wrong() -> None:
    results = {
        "good": {1: level(0.5), 2: level(1.5)},
        "full": {1: level(0, refused="HTTP 503")},
        "slow": {1: level(9.0, text="red blew")},
    }
    found = compare_measurement(results, 4.0, remote("good", "full", "slow"))
    assert found.summary[:3] == (
        "good: words 0.50 s after their end, most 1.00 s, final latency 0.50 s, 2 streams at once in time",
        "full: no text, final latency unknown s, not one stream at once in time; 1 refused; no text",
        "slow: words 9.00 s after their end, most 9.50 s, final latency 9.00 s, "
        "not one stream at once in time; settle lag p95 9.50 s",
    )
    quality, load = found.tables
    rows = {row[0]: dict(zip(HEADINGS, row, strict=True)) for row in quality.rows}
    assert rows["good"] == {
        "server": "good",
        "WER": "0.0 %",
        "words": "2",
        "missing": "0",
        "lag p50": "0.50",
        "lag p95": "1.00 (most)",
        "lag p99": "1.00 (most)",
        "finals": "1/1",
        "final p50": "0.50",
        "final p95": "0.50 (most)",
        "first text p50": "1.50",
        "first text p95": "1.50 (most)",
        "slip p95": "0.010 (most)",
    }
    assert (rows["full"]["WER"], rows["full"]["missing"], rows["slow"]["WER"]) == ("", "", "50.0 %")
    loads = [dict(zip(LOAD_HEADINGS, row, strict=True)) for row in load.rows]
    assert [(row["server"], row["streams"], row["refused"]) for row in loads] == [
        ("good", "1", "0"),
        ("good", "2", "0"),
        ("full", "1", "1"),
        ("slow", "1", "0"),
    ]
    assert loads[1]["audio s/s"] == "0.50"


def test_the_lowest_level_that_was_not_good_is_named() -> None:
    line = compare_measurement({"slow": {4: level(9.0)}}, 4.0, remote("slow")).summary[0]
    assert "fewer than 4 streams (the lowest level tried) at once in time" in line


def test_a_server_whose_deltas_are_no_settled_text_is_told_as_such() -> None:
    delta = (0.6, {"type": f"{PREFIX}delta", "item_id": "a", "delta": "red and blue"})
    record = StreamRecord([delta, (3.0, {"type": f"{PREFIX}completed", "item_id": "a", "transcript": "red blue"})])
    changed = LevelResult((stream_result(record, plan()),), 1.2, 2.4, 0.5, None, 0.1, None, None)
    told = "1 turn has another text in the end than in the deltas; the words count from the completion"
    results = {"one": {1: changed}, "other": {1: level(2.0)}}
    summary = compare_measurement(results, 4.0, remote(*results)).summary
    assert [told in line for line in summary[:2]] == [True, False]


def test_it_is_told_what_each_server_served_and_whether_this_machine_did_the_work() -> None:
    results = {"here": {1: level(0.5)}, "there": {1: level(0.6)}}
    here = Served("", "tiny.en", {"model": "tiny.en"}, ("model",))
    found = compare_measurement(results, 4.0, remote("there") | {"here": here})
    assert found.summary[2:] == (
        "here: served by wavescribe, started here, model tiny.en, settings as by default",
        "there: served by ws://there, model of its own choice, settings unknown",
    )
    assert [found.data[name]["server"]["model"] for name in results] == ["tiny.en", ""]
    assert [set(found.data[name]["levels"]) for name in results] == [{1}, {1}]
    assert not found.elsewhere
    assert compare_measurement({"there": results["there"]}, 4.0, remote("there")).elsewhere


def test_two_servers_of_one_name_are_not_taken_for_one() -> None:
    urls = ["ws://one/v1/realtime?deployment=a", "ws://one/v1/realtime?deployment=b"]
    with pytest.raises(ConfigurationError, match=r"two servers would both be called 'ws://one.*'; compare them in two"):
        compare(urls, own=False)


def test_a_line_has_no_point_where_values_are_too_few_for_a_percentile() -> None:
    many = replace(level(1.0), streams=level(1.0).streams * 10)
    (chart,) = compare_measurement({"one": {1: level(1.0), 2: many}}, 4.0, remote("one")).charts
    assert chart.series[0].y == (None, 1.5)


def test_other_servers_are_sent_the_rate_of_the_api_unless_another_is_asked_for() -> None:
    assert (wire_rate(None, "wss://other"), wire_rate(None, "")) == (24_000, 16_000)
    assert (wire_rate(8_000, "wss://other"), wire_rate(8_000, "")) == (8_000, 8_000)


def test_the_lowest_level_says_three_times_as_much_and_each_server_has_its_rate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran: list[tuple[str, int, list[float], list[float]]] = []

    def planned(speech: Speech, streams: int) -> list[float]:
        return [speech.seconds] * streams

    def run(target: Target, flags: object, plans: list[float], levels: list[int], **more: Any) -> dict[int, object]:
        ran.append((target.url, target.rate, plans, more["longer"]))
        return {}

    monkeypatch.setattr(Speech, "plans", planned)
    monkeypatch.setattr("wavescribe.bench.compare.run_levels", run)
    monkeypatch.setattr("wavescribe.bench.compare.compare_measurement", lambda results, limit, served: None)
    monkeypatch.setattr("wavescribe.bench.compare.publish", lambda measurement, output: None)
    compare(["ws://other"], streams="2,3", seconds=20.0)
    assert ran == [("", 16_000, [20.0] * 3, [60.0] * 2), ("ws://other", 24_000, [20.0] * 3, [60.0] * 2)]
