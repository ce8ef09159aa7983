from __future__ import annotations

import json
import wave
from dataclasses import replace
from pathlib import Path

from wavescribe.bench.cost_tables import at, cost_measurement, step_times
from wavescribe.bench.looped_clips import LENGTHS, looped_clips
from wavescribe.bench.strategy_cost import LoopedText, StrategyCost
from wavescribe.bench.streamed import StepCost
from wavescribe.streaming.parameters import StrategyName


def strategy(name: StrategyName, costs: list[float], stopped_at: float | None = None) -> StrategyCost:
    """A step every 10 seconds of audio, of these CPU seconds."""
    steps = tuple(
        StepCost(10.0 * (index + 1), 8.0, cpu, cpu, sum(costs[: index + 1]), sum(costs[: index + 1]))
        for index, cpu in enumerate(costs)
    )
    return StrategyCost(name, steps, sum(costs), sum(costs), stopped_at, 8.0)


FLAT = strategy("windowed", [1.0] * 6)
GROWING = strategy("cumulative", [1.0, 2.0, 3.0, 4.0], stopped_at=40.0)


def test_a_length_costs_what_the_stream_had_cost_when_it_had_heard_so_much() -> None:
    step = at(FLAT, 35.0)
    assert step is not None
    assert (step.position, step.total_cpu) == (30.0, 3.0)


def test_the_longest_length_costs_no_end_of_the_stream_because_shorter_ones_have_none() -> None:
    end = StepCost(60.0, 8.0, 5.0, 5.0, 11.0, 11.0, closing=True)
    ended = replace(FLAT, steps=(*FLAT.steps, end), cpu_seconds=11.0)
    assert (at(ended, 60.0), step_times(ended, 60.0)) == (at(FLAT, 60.0), step_times(FLAT, 60.0))
    found = cost_measurement("model", [30.0, 60.0], {30.0: 1.0, 60.0: 2.0}, [ended], [], 10.0, "one reading")
    assert [row[2] for row in found.tables[0].rows] == ["3.00", "6.00"]
    assert "CPU seconds to write the rest when a stream ends, which are in no length's: windowed 5.00" in found.summary


def test_a_length_that_was_not_reached_costs_nothing_that_is_known() -> None:
    assert at(GROWING, 60.0) is None
    assert step_times(GROWING, 60.0) is None


def test_a_length_before_the_first_decode_is_told_as_such() -> None:
    found = cost_measurement("model", [5.0], {5.0: 1.0}, [FLAT], [], 10.0, "one reading")
    assert found.tables[0].rows == (("5 s", "1.00", "no decode yet", ""),)
    assert found.title == "windowed: too short to tell"
    assert "windowed: nothing was decoded" in found.summary


def test_of_one_length_the_cost_is_told_without_growth() -> None:
    found = cost_measurement("model", [60.0], {60.0: 1.0}, [FLAT], [], 10.0, "one reading")
    assert found.title == "windowed costs 0.100 CPU seconds a second at 60 s"


def test_step_times_are_of_the_beginning_in_milliseconds() -> None:
    times = step_times(GROWING, 30.0)
    assert times is not None
    assert (times.count, times.mean, times.minimum, times.maximum) == (3, 2000.0, 1000.0, 3000.0)


def test_the_measurement_says_what_grows_and_what_was_given_up() -> None:
    texts = [LoopedText("windowed", "EN180", 180.0, 2000, 1990, 0.995)]
    found = cost_measurement("model", [30.0, 60.0], {30.0: 1.0, 60.0: 2.0}, [GROWING, FLAT], texts, 10.0, "one reading")
    assert "windowed costs 1.0 times as much a second at 60 s as at 30 s" in found.title
    rows = {row[0]: row for row in found.tables[0].rows}
    assert rows["30 s"] == ("30 s", "1.00", "6.00", "0.200", "3.00", "0.100")
    assert rows["60 s"] == ("60 s", "2.00", "over budget", "", "6.00", "0.100")
    assert "cumulative: 6.0 times greedy offline decoding at 30 s; given up at 40 s" in found.summary
    assert "EN180, windowed: -0.5 % of the characters that were said" in found.summary


def test_steps_are_told_of_every_length_that_is_long_enough() -> None:
    costs = [strategy("windowed", [1.0] * 18 + [7.0, 2.0]), GROWING]
    lengths = [10.0, 30.0, 45.0, 190.0, 200.0]
    found = cost_measurement("model", lengths, dict.fromkeys(lengths, 1.0), costs, [], 10.0, "one reading")
    table = next(table for table in found.tables if "step" in table.title)
    assert table.headings == ("audio", "strategy", "steps", "mean", "median", "p95", "stdev", "min", "max")
    assert [row[:3] for row in table.rows] == [
        ("30 s", "windowed", "3"),
        ("30 s", "cumulative", "3"),
        ("45 s", "windowed", "4"),
        ("190 s", "windowed", "19"),
        ("200 s", "windowed", "20"),
    ]
    assert table.rows[-1][3:] == ("1350", "1000", "2000", "1348", "1000", "7000")
    assert [row[5] for row in table.rows[:2]] == ["1000 (most)", "3000 (most)"]


def corpus_of(folder: Path, *recordings: tuple[str, str, str, float, str]) -> Path:
    """A corpus of (id, language, kind, seconds, text) as its manifest says; each recording is a moment of silence."""
    with wave.open(str(folder / "a.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(3200))
    names = ("id", "language", "kind", "seconds", "text")
    lines = [{**dict(zip(names, each, strict=True)), "file": "a.wav", "ref_quality": "human"} for each in recordings]
    (folder / "manifest.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return folder


def test_looped_clips_are_the_english_ones_of_the_corpus(tmp_path: Path) -> None:
    corpus = corpus_of(
        tmp_path,
        ("en_tiled_180", "en", "long", 176.0, "english"),
        ("de_tiled_180", "de", "long", 180.0, "deutsch"),
        ("en_tiled_60", "en", "long", 60.0, "too short"),
        ("en_speech", "en", "long", 300.0, "not looped"),
    )
    assert [(clip.name, clip.text) for clip in looped_clips(corpus)] == [("EN180", "english")]


def test_without_an_english_looped_clip_an_installed_one_is_looped(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, ("de_tiled_180", "de", "long", 180.0, "deutsch"))
    assert [clip.name for clip in looped_clips(corpus)] == [f"EN{seconds:.0f}" for seconds in LENGTHS]
