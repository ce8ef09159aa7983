from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from wavescribe.bench import latency
from wavescribe.bench import load as module
from wavescribe.bench.corpus import Recording
from wavescribe.bench.gold_times import RATE, TimedRecording
from wavescribe.bench.heard import PREFIX
from wavescribe.bench.level_verdict import is_good, most_good, shortcomings
from wavescribe.bench.load import HEADINGS, load_measurement, run_levels, same_texts, shown_errors, shown_missing
from wavescribe.bench.metrics.percentiles import distribution
from wavescribe.bench.metrics.timeline import GoldWord
from wavescribe.bench.paced_level import LevelResult, StreamResult, stream_result
from wavescribe.bench.paced_options import Speech
from wavescribe.bench.realtime_client import StreamRecord, Target
from wavescribe.bench.served import Served, served_by
from wavescribe.bench.stream_plan import StreamPlan, join_recordings
from wavescribe.errors import EngineError
from wavescribe.settings import Settings

SERVED = Served("", "whisper-base", {"model": "whisper-base", "workers": 4}, ("workers",))


def plan(text: str = "red blue") -> StreamPlan:
    """Words that end at 0.5 and 1.0 s; speech ends at 1.0 s."""
    words = tuple(GoldWord(word, 0.5 * index, 0.5 * (index + 1)) for index, word in enumerate(text.split()))
    recording = Recording(text, Path("none"), 1.2, "en", "short", text, False, "human")
    samples = np.zeros(round(1.2 * RATE), dtype=np.float32)
    return join_recordings([TimedRecording(recording, samples, words, 1.0, 1.0)], turns="manual")


def heard(lag: float, text: str = "red blue", refused: str = "") -> StreamResult:
    """A stream whose whole text came so long after its last word."""
    events = [(1.0 + lag, {"type": f"{PREFIX}completed", "item_id": "a", "transcript": text})]
    return stream_result(StreamRecord([] if refused else events, [0.0], refused), plan())


def growing(first: float, middle: float, last: float, words: int = 360) -> StreamResult:
    """A stream whose words settle so late in each third of it."""
    lags = tuple(lag for lag in (first, middle, last) for _ in range(words // 3))
    return replace(heard(1.0), settle_lags=lags)


def level(*streams: StreamResult) -> LevelResult:
    return LevelResult(streams, 1.7 * len(streams), 2.0, 0.85 * len(streams), distribution([0.01]), 0.1, 0.5, 0.0)


def test_a_streams_figures_come_from_its_events() -> None:
    result = heard(0.5)
    assert result.settle_lags == pytest.approx((1.0, 0.5))
    assert result.final_completed == pytest.approx((0.5,))
    assert (result.errors.rate, result.missing, result.failures) == (0.0, 0, ())
    assert result.first_texts == (1.5,)


def test_a_stream_of_which_nothing_came_has_all_words_missing() -> None:
    result = stream_result(StreamRecord(), plan())
    assert (result.missing, result.errors.rate, result.first_texts) == (2, 1.0, ())


def test_percentiles_are_over_the_words_of_all_streams_together() -> None:
    lags = level(heard(0.5), heard(2.5)).pooled("settle_lags")
    assert lags is not None
    assert (lags.count, lags.minimum, lags.p50, lags.maximum) == (4, 0.5, 1.0, 3.0)


@pytest.mark.parametrize(
    ("result", "good"),
    [
        (level(heard(2.0)), True),
        (level(heard(3.8)), False),
        (level(heard(2.0), heard(0, refused="HTTP 503")), False),
        (level(stream_result(StreamRecord(failures=["lost"]), plan())), False),
        (level(stream_result(StreamRecord(), plan())), False),
    ],
)
def test_a_level_is_good_where_every_stream_was_served_in_time(result: LevelResult, good: bool) -> None:
    assert is_good(result, 4.0) is good


def test_a_level_that_loses_more_words_than_the_lowest_is_not_good() -> None:
    whole, half = level(heard(1.0)), level(heard(1.0, text="red"))
    assert half.missing_share == 0.5
    assert is_good(half, 4.0)  # a hard recording, where it is the only level
    assert not is_good(half, 4.0, whole)
    assert most_good({1: whole, 2: half}, 4.0) == 1
    assert "50 % of the words never came" in shortcomings(half, 4.0, whole)


def test_a_server_that_drops_nearly_all_text_serves_no_level() -> None:
    speech = plan("red blue green gold gray")
    heard = [(3.0, {"type": f"{PREFIX}completed", "item_id": "a", "transcript": "red"})]
    assert not is_good(level(stream_result(StreamRecord(heard, [0.0]), speech)), 4.0)


def test_refused_streams_are_counted_and_not_judged() -> None:
    result = level(heard(2.0), heard(0, refused="HTTP 503"))
    assert result.refusals == 1
    assert result.errors.words == 2


def test_where_nobody_was_served_no_errors_are_shown() -> None:
    refused = level(heard(0, refused="full"))
    assert (shown_errors(refused), shown_missing(refused), shown_errors(level(heard(2.0)))) == ("", "", "0.0 %")


@pytest.mark.parametrize(
    ("streams", "grows"),
    [
        ([growing(1.0, 1.6, 2.2)], True),
        ([growing(1.0, 2.0, 2.2)], False),
        ([growing(1.0, 2.5, 1.0)], False),
        ([growing(1.0, 1.0, 3.0, words=60)], False),
        ([growing(1.0, 1.0, 3.0, words=150), growing(1.0, 1.0, 3.0, words=150)], True),
        ([replace(growing(1.0, 1.0, 1.0), settle_lags=(1.0,) * 345 + (3.0,) * 15)], False),
        ([growing(1.0, 1.0, 1.0), replace(growing(9.0, 9.0, 9.0), refused="full")], False),
    ],
    ids=["later and later", "a plateau", "better", "few words", "together enough words", "some late words", "refused"],
)
def test_a_server_whose_text_comes_later_and_later_is_not_good_though_it_is_within_the_limit(
    streams: list[StreamResult], grows: bool
) -> None:
    reasons = [each for each in shortcomings(level(*streams), 4.0) if "refused" not in each]
    assert (reasons != []) == grows
    if grows:
        assert reasons[0].startswith("text comes later and later: p95 ")


def test_text_that_comes_later_and_later_is_told_with_both_lags() -> None:
    assert shortcomings(level(growing(1.0, 1.6, 2.2)), 4.0) == [
        "text comes later and later: p95 1.60 s in the middle third, 2.20 s in the last"
    ]


def test_what_was_let_in_and_held_is_told_beside_what_was_refused() -> None:
    full = heard(0, refused="HTTP 503")
    assert shortcomings(level(heard(2.0), heard(2.0), full), 4.0) == [
        "1 refused: 2 of 3 were let in, and kept p95 2.50 s"
    ]
    assert shortcomings(level(heard(4.0), full), 4.0) == ["1 refused", "settle lag p95 4.50 s"]
    assert shortcomings(level(full), 4.0) == ["1 refused", "no text"]


@pytest.mark.parametrize(
    ("results", "told", "line"),
    [
        (
            {12: level(heard(1.0), heard(0, refused="full"))},
            "fewer than 12 streams (the lowest level tried) at once",
            "fewer than 12 streams (the lowest level tried) at once can be served in time",
        ),
        ({1: level(heard(9.0))}, "not one stream at once", "not one stream at once can be served in time"),
        ({1: level(heard(1.0)), 2: level(heard(9.0))}, "1 stream at once", "1 stream at once: served in time"),
        ({2: level(heard(1.0)), 4: level(heard(9.0))}, "2 streams at once", "2 streams at once: served in time"),
    ],
)
def test_where_the_lowest_level_was_not_served_fewer_may_be(
    results: dict[int, LevelResult], told: str, line: str
) -> None:
    found = load_measurement(results, [plan(), plan()], [], 4.0, SERVED)
    assert found.title == f"{told} with a settle lag of at most 4 s at p95"
    assert found.summary[0] == line


def test_levels_are_published_without_the_baseline_where_that_fails_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Speech, "plans", lambda *_: [plan()])
    monkeypatch.setattr(module, "run_levels", lambda *_, **__: {1: level(heard(1.0))})
    loaded: list[str] = []

    def engine(settings: Settings) -> Any:
        loaded.append(settings.model)
        raise EngineError("model Qwen/Qwen3-ASR-0.6B needs the package torch")

    monkeypatch.setattr(module, "engine_loader", engine)
    module.load(streams="1", server_flags=["--model", "Qwen/Qwen3-ASR-0.6B"], output=tmp_path)
    found = json.loads((tmp_path / "load.json").read_text())
    assert loaded == ["Qwen/Qwen3-ASR-0.6B"]
    assert found["data"]["levels"]["1"]["refusals"] == 0
    assert (
        "texts are not compared with what the audio gives alone, which failed: "
        "model Qwen/Qwen3-ASR-0.6B needs the package torch" in found["summary"]
    )


@pytest.mark.parametrize(("url", "machine"), [("", "processor"), ("ws://elsewhere", "measured from")])
@pytest.mark.parametrize("name", ["latency", "load"])
def test_latency_and_load_tell_what_was_served_and_where(
    name: str, url: str, machine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in (latency, module):
        monkeypatch.setattr(each, "run_levels", lambda *_, **__: {1: level(heard(1.0))})
    monkeypatch.setattr(Speech, "plans", lambda *_: [plan()])
    if name == "latency":
        latency.latency(url=url, output=tmp_path)
    else:
        module.load(streams="1", baseline=False, url=url, output=tmp_path)
    found = json.loads((tmp_path / f"{name}.json").read_text())
    served = served_by(Target(url), [])
    assert found["data"]["server"] == json.loads(json.dumps(asdict(served)))
    assert served.line in found["summary"]
    assert next(iter(found["environment"])) == machine


def test_text_in_another_protocol_is_a_failure_that_names_it() -> None:
    events = [(1.0, {"type": "transcription.delta", "delta": "red"})]
    result = stream_result(StreamRecord(events, [0.0]), plan())
    assert result.failures == ("the server's events are of another protocol: transcription.delta",)


def test_what_is_served_is_the_highest_level_below_the_first_bad_one() -> None:
    good, bad = level(heard(1.0)), level(heard(9.0))
    assert most_good({1: good, 2: good, 4: bad, 6: good}, 4.0) == 2
    assert most_good({1: bad}, 4.0) == 0


def test_texts_are_compared_with_what_the_audio_gives_alone() -> None:
    result = level(heard(1.0), heard(1.0, text="red blew"))
    assert same_texts(result, [("red blue",), ("red blue",)]) == 1


def test_the_measurement_says_how_many_streams_were_served_and_why_not_more() -> None:
    results = {1: level(heard(1.0)), 2: level(heard(9.0), heard(9.0))}
    found = load_measurement(results, [plan(), plan()], [("red blue",), ("red blue",)], 4.0, SERVED)
    assert found.title == "1 stream at once with a settle lag of at most 4 s at p95"
    assert "2 streams: not in time; settle lag p95 9.50 s" in found.summary
    assert found.tables[0].rows[1][:6] == ("2", "0", "0", "9.00", "9.50 (most)", "9.50 (most)")
    assert found.tables[0].rows[1][HEADINGS.index("finals")] == "2/2"
    assert found.tables[0].rows[1][HEADINGS.index("audio s/s")] == "1.70"
    assert found.tables[0].rows[1][HEADINGS.index("server CPU")] == "0.147"
    assert found.tables[0].rows[1][HEADINGS.index("slip max")] == "0.010"


def test_where_nobody_was_served_nothing_is_said_of_texts() -> None:
    refused = {1: level(heard(0, refused="full"))}
    summary = load_measurement(refused, [plan()], [("red blue",)], 4.0, SERVED).summary
    assert not any("word error rate" in line or "to the byte" in line for line in summary)


def test_texts_are_not_compared_with_those_of_audio_of_another_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Speech, "plans", lambda *_: [plan()])
    monkeypatch.setattr(module, "run_levels", lambda *_, **__: {1: level(heard(1.0))})
    monkeypatch.setattr(module, "engine_loader", lambda _: pytest.fail("an engine was loaded"))
    module.load(streams="1", rate=24_000, output=tmp_path)
    summary = json.loads((tmp_path / "load.json").read_text())["summary"]
    assert "texts are not compared with what the audio gives alone, which is not sent at 24000 Hz" in summary


def test_the_picture_tells_how_many_were_let_in_where_not_all_were() -> None:
    results = {1: level(heard(1.0)), 3: level(heard(1.0), heard(1.0), heard(0, refused="full"))}
    (chart,) = load_measurement(results, [plan()] * 3, [], 4.0, SERVED).charts
    assert {series.label: series.marks for series in chart.series}["median"] == ("", "2 let in")
    assert sum(bool(series.marks) for series in chart.series) == 1


def test_a_server_whose_deltas_are_no_settled_text_is_told_as_such() -> None:
    cumulative = [("red", 0.6), ("red blue", 1.1)]
    events = [(time, {"type": f"{PREFIX}delta", "item_id": "a", "delta": text}) for text, time in cumulative]
    events.append((3.0, {"type": f"{PREFIX}completed", "item_id": "a", "transcript": "red blue"}))
    result = stream_result(StreamRecord(events, [0.0]), plan())
    assert result.settle_lags == (2.5, 2.0)
    found = load_measurement({1: level(result)}, [plan()], [], 4.0, SERVED)
    told = "1 turn has another text in the end than in the deltas; the words count from the completion"
    assert f"1 stream: {told}" in found.summary
    assert not any(
        "deltas" in line for line in load_measurement({1: level(heard(1.0))}, [plan()], [], 4.0, SERVED).summary
    )


def test_the_lowest_level_may_say_more_than_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[list[StreamPlan]] = []

    async def run(target: Target, plans: list[StreamPlan], server: object) -> LevelResult:
        said.append(plans)
        return level(heard(1.0))

    monkeypatch.setattr("wavescribe.bench.load.run_level", run)
    longer, plans = [plan("red blue green")], [plan(), plan("gold")]
    found = run_levels(
        Target("ws://other"), [], plans, [1, 2], limit=4.0, keep_going=False, console=Console(quiet=True), longer=longer
    )
    # The first is to warm up.
    assert said[1:] == [longer, plans]
    assert list(found) == [1, 2]


def test_text_and_errors_are_compared_for_the_streams_that_were_taken() -> None:
    results = {3: level(heard(1.0), heard(1.0, text="red blew"), heard(1.0, refused="full"))}
    alone = [("red blue",), ("red blue",), ("quite wrong",)]
    found = load_measurement(results, [plan()] * 3, alone, 4.0, SERVED)
    assert found.tables[0].rows[0][HEADINGS.index("same text")] == "1/2"
    assert "1 of 2 streams that were taken at the highest level wrote what their audio gives alone, to the byte" in (
        found.summary
    )
    assert "their word error rate is 25.00 %, alone it is 0.00 %" in found.summary
