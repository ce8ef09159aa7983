from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wavescribe.bench import paced_level
from wavescribe.bench.corpus import Recording
from wavescribe.bench.gold_times import RATE, TimedRecording
from wavescribe.bench.heard import PREFIX
from wavescribe.bench.metrics.timeline import GoldWord
from wavescribe.bench.paced_level import run_level, stream_result
from wavescribe.bench.realtime_client import StreamRecord, Target
from wavescribe.bench.stream_plan import StreamPlan, join_recordings


class Played:
    """A stream whose record is known ahead."""

    def __init__(self, record: StreamRecord) -> None:
        self.record = record
        self.began: float | None = None

    async def open(self) -> None:
        pass

    async def run(self, began: float) -> None:
        self.began = began


def plan() -> StreamPlan:
    words = (GoldWord("red", 0.0, 0.5), GoldWord("blue", 0.5, 1.0))
    recording = Recording("r", Path("none"), 1.2, "en", "short", "red blue", False, "human")
    samples = np.zeros(round(1.2 * RATE), dtype=np.float32)
    return join_recordings([TimedRecording(recording, samples, words, 1.0, 1.0)], turns="manual")


def event(time: float, kind: str, **fields: Any) -> tuple[float, dict[str, Any]]:
    return time, {"type": f"{PREFIX}{kind}", "item_id": "a", **fields}


async def test_a_levels_seconds_run_from_the_first_sample_to_the_last_that_happened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    streams = [
        # Text comes after the last packet; the next begins 0.618 s later and has none; the last was refused.
        Played(StreamRecord([event(4.0, "completed", transcript="red blue")], [0.01, 0.02], sent_seconds=2.5)),
        Played(StreamRecord([], [0.03], sent_seconds=3.5)),
        Played(StreamRecord([], [], "full")),
    ]
    waiting = iter(streams)
    monkeypatch.setattr(paced_level, "_stream", lambda target, plan: next(waiting))
    counted = iter(({"wavescribe_steps_skipped": 2.0}, {"wavescribe_steps_skipped": 5.0}))
    monkeypatch.setattr(paced_level, "read_counters", lambda url: next(counted))
    result = await run_level(Target("ws://other"), [plan()] * 3)
    assert result.audio_seconds == 6.0
    assert result.wall_seconds == pytest.approx(3.5 + 0.618)
    # Each stream to its own end: 2.5 s of audio in 4 s, and 3.5 s in 3.5 s.
    assert result.throughput == pytest.approx(0.625 + 1.0)
    assert (result.steps_skipped, result.server_cpu_seconds, result.refusals) == (3.0, None, 1)
    assert result.slip is not None
    assert (result.slip.count, result.slip.maximum) == (3, 0.03)
    began = [stream.began for stream in streams if stream.began is not None]
    assert [start - began[0] for start in began] == pytest.approx([0.0, 0.618, 0.236])
    # The streams that were taken said two words each, and the second's never came.
    assert (result.words, result.missing, result.utterances) == (4, 2, 2)


async def test_a_servers_cpu_is_what_it_spent_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    class Spending:
        told = iter((10.0, 12.5))

        def cpu_seconds(self) -> float:
            return next(self.told)

    monkeypatch.setattr(paced_level, "_stream", lambda target, plan: Played(StreamRecord([], [0.0], sent_seconds=5.0)))
    monkeypatch.setattr(paced_level, "read_counters", lambda url: None)
    server: Any = Spending()
    result = await run_level(Target("ws://here"), [plan()], server)
    assert result.server_cpu_seconds == 2.5


def test_lags_by_stated_ends_are_of_words_that_were_said() -> None:
    words = [{"word": "red", "end": 0.25}, {"word": "zzzz", "end": 0.3}, {"word": "blue", "end": 1.0}]
    told = event(2.0, "delta", delta="red zzzz blue", words=words)
    result = stream_result(StreamRecord([told, event(3.0, "completed", transcript="red zzzz blue")]), plan())
    assert result.stated_lags == (1.75, 1.0)
    assert result.settle_lags == (1.5, 1.0)
