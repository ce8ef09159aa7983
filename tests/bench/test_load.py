from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from wavescribe.bench.corpus import Recording
from wavescribe.bench.gold_times import RATE, TimedRecording
from wavescribe.bench.heard import PREFIX
from wavescribe.bench.level_verdict import is_good, most_good, shortcomings
from wavescribe.bench.load import HEADINGS, load_measurement, same_texts, shown_errors, shown_missing
from wavescribe.bench.metrics.percentiles import distribution
from wavescribe.bench.metrics.timeline import GoldWord
from wavescribe.bench.paced_level import LevelResult, StreamResult, stream_result
from wavescribe.bench.realtime_client import StreamRecord
from wavescribe.bench.stream_plan import StreamPlan, join_recordings


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


def level(*streams: StreamResult) -> LevelResult:
    return LevelResult(streams, 1.7 * len(streams), 2.0, distribution([0.01]), 0.1, 0.5, 0.0)


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
    found = load_measurement(results, [plan(), plan()], [("red blue",), ("red blue",)], 4.0)
    assert found.title == "1 stream at once with a settle lag of at most 4 s at p95"
    assert "2 streams: not in time; settle lag p95 9.50 s" in found.summary
    assert found.tables[0].rows[1][:6] == ("2", "0", "0", "9.00", "9.50", "9.50")
    assert found.tables[0].rows[1][HEADINGS.index("audio s/s")] == "1.70"
    assert found.tables[0].rows[1][HEADINGS.index("slip max")] == "0.010"
