from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wavescribe.bench.corpus import Recording
from wavescribe.bench.gold_times import RATE, TimedRecording
from wavescribe.bench.heard import PREFIX
from wavescribe.bench.latency import COMPLETED, SETTLED, latency_measurement
from wavescribe.bench.measurement import Measurement
from wavescribe.bench.metrics.timeline import GoldWord
from wavescribe.bench.paced_level import LevelResult, stream_result
from wavescribe.bench.realtime_client import StreamRecord
from wavescribe.bench.served import Served
from wavescribe.bench.stream_plan import StreamPlan, join_recordings

Events = list[tuple[float, dict[str, Any]]]


@pytest.fixture
def plan() -> StreamPlan:
    """Two utterances, whose speech ends at 1.0 and 2.7 s; words end at 0.5, 1.0, 2.2 and 2.7 s."""
    made = []
    for text in ("red blue", "green gold"):
        words = tuple(GoldWord(word, 0.5 * index, 0.5 * (index + 1)) for index, word in enumerate(text.split()))
        recording = Recording(text, Path("none"), 1.2, "en", "short", text, False, "human")
        made.append(TimedRecording(recording, np.zeros(round(1.2 * RATE), dtype=np.float32), words, 1.0, 1.0))
    return join_recordings(made, turns="manual")


def measured(plan: StreamPlan, events: Events) -> Measurement:
    record = StreamRecord(events, [0.01], sent_seconds=plan.seconds)
    level = LevelResult((stream_result(record, plan),), 3.4, 3.4, 1.0, None, 0.1, None, None)
    return latency_measurement(level, [plan], Served("", "whisper-base", {"model": "whisper-base"}, ()))


def completed(time: float, item: str, text: str) -> tuple[float, dict[str, Any]]:
    return time, {"type": f"{PREFIX}completed", "item_id": item, "transcript": text}


BOTH: Events = [completed(1.5, "a", "red blue"), completed(3.7, "b", "green gold")]


def test_each_figure_is_told_with_what_it_is_of(plan: StreamPlan) -> None:
    found = measured(plan, BOTH)
    rows = {row[0]: row[1:] for row in found.tables[0].rows}
    assert rows[SETTLED] == ("4 of 4", "1.00", "1.50 (most)", "1.50 (most)", "1.50")
    assert rows[COMPLETED] == ("2 of 2", "0.50", "1.00 (most)", "1.00 (most)", "1.00")
    assert found.title == "words settle 1.00 s after their end (most 1.50 s)"
    assert found.summary[0] == "final latency (TTFS) 0.50 s, most 1.00 s; 2 of 2 utterances have one"


def test_a_curve_reaches_1_where_everything_has_come(plan: StreamPlan) -> None:
    words, utterances = measured(plan, BOTH).charts[0].series
    assert words.x == pytest.approx((0.5, 1.0, 1.0, 1.5))
    assert words.y == (0.25, 0.5, 0.75, 1.0)
    assert utterances.x == pytest.approx((0.5, 1.0))
    assert utterances.y == (0.5, 1.0)


def test_a_curve_stays_below_1_by_what_never_came(plan: StreamPlan) -> None:
    found = measured(plan, BOTH[:1])
    words, utterances = found.charts[0].series
    assert words.y == (0.25, 0.5)
    assert utterances.y == (0.5,)
    assert found.summary[0].endswith("; 1 of 2 utterances have one")
    assert {row[0]: row[1] for row in found.tables[0].rows}[SETTLED] == "2 of 4"


def test_an_utterance_whose_turn_ended_before_its_speech_is_left_out_and_told(plan: StreamPlan) -> None:
    found = measured(plan, [completed(0.8, "a", "red"), BOTH[1]])
    assert found.summary[0] == "final latency (TTFS) 1.00 s, most 1.00 s; 1 of 2 utterances have one"


def test_where_nothing_came_nothing_is_drawn(plan: StreamPlan) -> None:
    found = measured(plan, [])
    assert found.charts[0].series == ()
    assert found.title == "words settle unknown s after their end (p95 unknown)"


def test_streams_that_were_refused_are_told_and_have_no_part_in_the_figures(plan: StreamPlan) -> None:
    served = stream_result(StreamRecord(BOTH, [0.01], sent_seconds=plan.seconds), plan)
    refused = stream_result(StreamRecord([], [], "HTTP 503"), plan)
    target = Served("ws://full", "", {}, ())
    some = latency_measurement(LevelResult((served, refused), 3.4, 3.4, 1.0, None, 0.1, None, None), [plan] * 2, target)
    assert "1 of 2 streams were refused: HTTP 503" in some.summary
    assert "word error rate 0.00 % of 4 words; 0 gold words never came" in some.summary
    none = latency_measurement(LevelResult((refused,), 0.0, 0.0, 0.0, None, 0.1, None, None), [plan], target)
    assert "1 of 1 streams were refused: HTTP 503" in none.summary
    assert "word error rate unknown" in none.summary
    assert not any("refused" in line for line in measured(plan, BOTH).summary)


def test_turns_with_another_text_in_the_end_are_told(plan: StreamPlan) -> None:
    delta = (1.1, {"type": f"{PREFIX}delta", "item_id": "a", "delta": "red red"})
    told = "1 turn has another text in the end than in the deltas; the words count from the completion"
    assert told in measured(plan, [delta, *BOTH]).summary
    assert told not in measured(plan, BOTH).summary
