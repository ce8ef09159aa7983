from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from wavescribe.bench.compare import HEADINGS, LOAD_HEADINGS, compare_measurement
from wavescribe.bench.compared_server import compared_server, server_name
from wavescribe.bench.corpus import Recording
from wavescribe.bench.gold_times import RATE, TimedRecording
from wavescribe.bench.heard import PREFIX
from wavescribe.bench.metrics.percentiles import distribution
from wavescribe.bench.metrics.timeline import GoldWord
from wavescribe.bench.paced_level import LevelResult, stream_result
from wavescribe.bench.realtime_client import StreamRecord, Target
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
    return LevelResult((stream_result(record, plan()),), 1.2, 2.4, distribution([0.01]), 0.1, None, None)


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
    found = compare_measurement(results, 4.0)
    assert found.summary == (
        "good: words 0.50 s after their end, p95 1.00 s, final latency 0.50 s, 2 at once in time",
        "full: no text, final latency unknown s, 0 at once in time; 1 refused; no text",
        "slow: words 9.00 s after their end, p95 9.50 s, final latency 9.00 s, 0 at once in time; "
        "settle lag p95 9.50 s",
    )
    quality, load = found.tables
    rows = {row[0]: dict(zip(HEADINGS, row, strict=True)) for row in quality.rows}
    assert rows["good"] == {
        "server": "good",
        "WER": "0.0 %",
        "missing": "0",
        "lag p50": "0.50",
        "lag p95": "1.00",
        "lag p99": "1.00",
        "final p50": "0.50",
        "final p95": "0.50",
        "final p99": "0.50",
        "first text p50": "1.50",
        "first text p95": "1.50",
        "slip p95": "0.010",
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
