from __future__ import annotations

from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from wavescribe.bench import cost, gate, offline, quality
from wavescribe.bench.installed_recordings import installed_recordings
from wavescribe.bench.offline import OfflineRun, run_offline, warm_up
from wavescribe.bench.strategy_cost import StrategyCost
from wavescribe.bench.streamed import StepCost, StreamedRun
from wavescribe.engines.whisper import load_whisper
from wavescribe.engines.whisper.engine import BEAM_SIZE

RATE = 16_000


def a_reading() -> Any:
    return next(each for each in installed_recordings() if each.name == "en_two_cities").samples()


@pytest.mark.model
def test_text_that_is_sampled_is_the_same_in_every_run() -> None:
    backwards = np.ascontiguousarray(a_reading()[: 8 * RATE][::-1])  # so improbable that it is sampled
    texts = set()
    for _ in range(3):
        engine = load_whisper("whisper-tiny.en", threads_per_worker=1)
        texts.add(run_offline(engine, backwards, "en").text)
        engine.close()
    assert len(texts) == 1
    assert len(texts.pop()) > 50


def measure_quality() -> None:
    quality.quality(languages="en", every=1)


def measure_cost() -> None:
    cost.cost(lengths="2,4", strategies="windowed", loops=False)


def measure_gate() -> None:
    reading, clip = (
        next(each for each in installed_recordings() if each.name == name) for name in (gate.READING, gate.CLIP)
    )
    gate.measure(SimpleNamespace(), reading, clip, "windowed", 2)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("module", "measure", "decodes"),
    [
        (quality, measure_quality, ["greedy", f"beam {BEAM_SIZE}"]),
        (cost, measure_cost, ["greedy", "greedy"]),
        (gate, measure_gate, ["greedy"]),
    ],
    ids=["quality", "cost", "gate"],
)
def test_the_engine_is_warm_before_the_first_decode_that_is_measured(
    module: ModuleType, measure: Callable[[], None], decodes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def decode(engine: Any, samples: Any, language: str, beam_size: int = 1) -> OfflineRun:
        made.append("greedy" if beam_size == 1 else f"beam {beam_size}")
        return OfflineRun("it was the best of times", 1.0)

    run = StreamedRun(steps=[StepCost(1.0, 1.0, 1.0, 1.0, 1.0, 1.0)])
    engine = SimpleNamespace(info=SimpleNamespace(name="none", languages=("en",)))
    monkeypatch.setattr(module, "warm_up", lambda *_: made.append("warm up"))
    monkeypatch.setattr(module, "run_offline", decode)
    monkeypatch.setattr(module, "load_engine" if module is cost else "load_whisper", lambda *_, **__: engine)
    monkeypatch.setattr(cost, "strategy_cost", lambda *_: cost_of(run))
    for each in (quality, gate):
        monkeypatch.setattr(each, "run_streamed", lambda *_, **__: run)
    measure()
    assert made[: 1 + len(decodes)] == ["warm up", *decodes]


def cost_of(run: StreamedRun) -> StrategyCost:
    return StrategyCost("windowed", tuple(run.steps), 1.0, 1.0, None, 1.0)


def test_what_warms_an_engine_is_some_seconds_of_the_speech(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[tuple[int, str]] = []

    def decode(engine: Any, samples: Any, language: str, beam_size: int) -> list[str]:
        heard.append((len(samples), language))
        return []

    monkeypatch.setattr(offline, "_texts", decode)
    engine: Any = SimpleNamespace()
    warm_up(engine, np.zeros(60 * RATE, dtype=np.float32), "de")
    assert heard == [(5 * RATE, "de")]
