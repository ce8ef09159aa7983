"""What one strategy costs along a stream, and what it writes of a looped clip."""

from __future__ import annotations

from dataclasses import dataclass

from wavescribe.bench.looped_clips import LoopedClip
from wavescribe.bench.metrics.over_emission import counted, over_emission
from wavescribe.bench.streamed import RATE, StepCost, StreamedRun, run_streamed
from wavescribe.engines.base import Engine, Samples
from wavescribe.streaming.fitting import fitted
from wavescribe.streaming.parameters import StrategyName, StreamParameters

LANGUAGE = "en"
"""Of all that is streamed here."""


@dataclass(frozen=True, slots=True)
class StrategyCost:
    """What a strategy cost along one stream.

    Attributes:
        strategy: its name.
        steps: each decode, in order.
        cpu_seconds: of the whole stream.
        wall_seconds: the same on the clock.
        stopped_at: seconds of audio at which its budget was spent, or None.
        held_seconds: most audio in memory at any time.
    """

    strategy: StrategyName
    steps: tuple[StepCost, ...]
    cpu_seconds: float
    wall_seconds: float
    stopped_at: float | None
    held_seconds: float


@dataclass(frozen=True, slots=True)
class LoopedText:
    """What a strategy wrote of a clip that is said over and over.

    Attributes:
        strategy: its name.
        clip: the stream's name.
        seconds: audio heard, less than the clip's where the budget was spent.
        gold: characters that were said in that time, normalised, without spaces.
        written: the same of what was written.
        ratio: over-emission; 1.0 is as much as was said.
    """

    strategy: StrategyName
    clip: str
    seconds: float
    gold: int
    written: int
    ratio: float


def strategy_cost(
    engine: Engine, samples: Samples, strategy: StrategyName, step_seconds: float, budget: float
) -> StrategyCost:
    """Stream the samples with a strategy.

    Args:
        engine: decodes.
        samples: float32 at 16 kHz.
        strategy: its name.
        step_seconds: audio between two decodes of `windowed`; the others have the recipe's.
        budget: CPU seconds after which the run is given up.
    """
    run = _run(engine, samples, strategy, step_seconds, budget)
    return StrategyCost(strategy, tuple(run.steps), run.cpu_seconds, run.wall_seconds, run.stopped_at, run.held_seconds)


def looped_text(
    engine: Engine, clip: LoopedClip, strategy: StrategyName, step_seconds: float, budget: float
) -> LoopedText:
    """Stream a looped clip with a strategy; the arguments are those of `strategy_cost`."""
    run = _run(engine, clip.samples, strategy, step_seconds, budget)
    whole = len(clip.samples) / RATE
    seconds = run.stopped_at or whole
    gold = round(counted(clip.text, LANGUAGE) * seconds / whole)
    ratio = (over_emission(clip.text, run.text, LANGUAGE) or 0.0) * whole / seconds
    return LoopedText(strategy, clip.name, seconds, gold, counted(run.text, LANGUAGE), ratio)


def _run(engine: Engine, samples: Samples, strategy: StrategyName, step_seconds: float, budget: float) -> StreamedRun:
    parameters = StreamParameters(strategy=strategy, step_seconds=step_seconds, language=LANGUAGE)
    return run_streamed(engine, samples, fitted(parameters, engine.info), budget_seconds=budget)
