from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from wavescribe.bench import strategy_cost as module
from wavescribe.bench.looped_clips import LoopedClip, looped_clips
from wavescribe.bench.strategy_cost import looped_text, strategy_cost
from wavescribe.bench.streamed import RATE, StepCost, StreamedRun
from wavescribe.engines.base import EngineInfo
from wavescribe.engines.whisper import load_whisper
from wavescribe.streaming.events import Settled
from wavescribe.streaming.parameters import StrategyName, StreamParameters

INFO = EngineInfo(
    name="none",
    sample_rate=RATE,
    languages=("en",),
    max_window_seconds=29.0,
    takes_prefix=True,
    gives_times=True,
    batches=False,
    translates=False,
)
ENGINE: Any = SimpleNamespace(info=INFO)
CLIP = LoopedClip("EN40", np.zeros(40 * RATE, dtype=np.float32), " ".join(["Red, blue!"] * 10))
STRATEGIES: tuple[StrategyName, ...] = ("windowed", "sliced")
STEP = StepCost(10.0, 8.0, 0.5, 0.6, 0.5, 0.6)


def given_up(monkeypatch: pytest.MonkeyPatch, text: str, stopped_at: float | None) -> list[StreamParameters]:
    """Every stream writes the text and is given up there; the parameters of all of them."""
    asked: list[StreamParameters] = []

    def stream(engine: Any, samples: Any, parameters: StreamParameters, *, budget_seconds: float) -> StreamedRun:
        asked.append(parameters)
        events = [Settled(0, text, (), "en", 1)]
        return StreamedRun(events, [STEP], budget_seconds + 1.0, 3.0, 8.5, stopped_at)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "run_streamed", stream)
    return asked


@pytest.mark.parametrize(
    ("written", "stopped_at", "seconds", "gold", "ratio"),
    [
        ("red blue " * 10, None, 40.0, 70, 1.0),
        ("Red. Blue? " * 10, None, 40.0, 70, 1.0),
        ("red blue " * 15, None, 40.0, 70, 1.5),
        ("red blue " * 5, 20.0, 20.0, 35, 1.0),
        ("red blue " * 10, 20.0, 20.0, 35, 2.0),
        ("red blue " * 10, 10.0, 10.0, 18, 4.0),
        ("", 10.0, 10.0, 18, 0.0),
    ],
)
def test_what_a_given_up_stream_wrote_is_compared_with_what_had_been_said(
    written: str, stopped_at: float | None, seconds: float, gold: int, ratio: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_up(monkeypatch, written, stopped_at)
    found = looped_text(ENGINE, CLIP, "cumulative", 1.0, 5.0)
    assert (found.strategy, found.clip, found.seconds, found.gold) == ("cumulative", "EN40", seconds, gold)
    assert found.written == 7 * (written.lower().count("red"))
    assert found.ratio == pytest.approx(ratio)


def test_a_strategys_cost_is_that_of_its_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = given_up(monkeypatch, "red", 20.0)
    found = strategy_cost(ENGINE, CLIP.samples, "sliced", 2.0, 5.0)
    assert (found.strategy, found.steps, found.stopped_at, found.held_seconds) == ("sliced", (STEP,), 20.0, 8.5)
    assert (found.cpu_seconds, found.wall_seconds) == (6.0, 3.0)
    assert [(each.strategy, each.step_seconds, each.language) for each in asked] == [("sliced", 2.0, "en")]


@pytest.mark.parametrize(("budget", "stopped_at"), [(-1.0, 1.0), (3600.0, None)])
def test_a_stream_over_its_budget_is_given_up_where_it_was(budget: float, stopped_at: float | None) -> None:
    found = strategy_cost(ENGINE, np.zeros(3 * RATE, dtype=np.float32), "windowed", 1.0, budget)
    assert (found.stopped_at, found.steps) == (stopped_at, ())


@pytest.mark.slow
@pytest.mark.model
def test_of_a_clip_said_for_three_minutes_windowed_writes_all_and_sliced_loses_much() -> None:
    engine = load_whisper("whisper-tiny.en", threads_per_worker=1)
    clip = looped_clips(None)[0]
    windowed, sliced = (looped_text(engine, clip, name, 1.0, 3600.0) for name in STRATEGIES)
    engine.close()
    assert (clip.name, windowed.seconds) == ("EN180", len(clip.samples) / RATE)
    assert windowed.ratio == pytest.approx(1.0, abs=0.03)
    assert sliced.ratio < 0.8
