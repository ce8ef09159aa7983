"""Streamed against offline: word errors, settle lag and cost per delay level, on a corpus.

python -m wavescribe.bench.quality --corpus DIR --kinds short,long --languages en --delays low,medium,high
"""

from __future__ import annotations

import random
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from wavescribe.bench.corpus import Recording, read_corpus, spoken
from wavescribe.bench.curve import CurvePoint, draw_curve
from wavescribe.bench.errors_in_text import ErrorRate, error_rate, normalise
from wavescribe.bench.streamed import StreamedRun, run_streamed
from wavescribe.engines.whisper import WhisperEngine, load_whisper
from wavescribe.streaming.delay import SETTLING_RULES, Delay
from wavescribe.streaming.parameters import StreamParameters


def percentile(values: list[float], share: float) -> float:
    """The nearest-rank percentile of sorted values; 0 for none."""
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def parameters_for(recording: Recording, delay: Delay, step_seconds: float) -> StreamParameters:
    """The stream parameters of a delay level, with the recording's language given."""
    return StreamParameters(step_seconds=step_seconds, language=recording.language, **asdict(SETTLING_RULES[delay]))


def offline_text(model: Any, recording: Recording) -> str:
    """Plain greedy decoding of the whole recording by faster-whisper: what streaming is compared with."""
    segments, _ = model.transcribe(
        recording.samples(), language=recording.language, beam_size=1, condition_on_previous_text=False
    )
    return "".join(segment.text for segment in segments)


def main(
    corpus: Annotated[Path, typer.Option(help="Directory of manifest.jsonl.")],
    kinds: Annotated[str, typer.Option(help="Kinds of recordings.")] = "short,long",
    languages: Annotated[str, typer.Option(help="ISO 639-1 codes.")] = "en",
    delays: Annotated[str, typer.Option(help="Delay levels.")] = "medium",
    step_seconds: Annotated[float, typer.Option(help="Audio between two decodes.")] = 1.0,
    every: Annotated[int, typer.Option(help="Use every Nth recording only.")] = 1,
    skip_steps: Annotated[bool, typer.Option(help="Skip half of the steps by chance.")] = False,
    model: Annotated[str, typer.Option(help="The Whisper model.")] = "whisper-base",
    plot: Annotated[Path | None, typer.Option(help="Draw penalty against lag into this picture.")] = None,
) -> None:
    """Print word errors of streamed and of offline decoding on the same recordings and model."""
    engine = load_whisper(model, threads_per_worker=1)
    chosen = spoken(read_corpus(corpus), set(kinds.split(",")), set(languages.split(",")))[::every]
    table = Table("decoding", "errors", "substituted", "missing", "added", "penalty", "lag p50", "lag p95", "CPU s/s")
    offline = error_rate(
        (normalise(item.text, item.language), normalise(offline_text(engine.faster_whisper, item), item.language))
        for item in track(chosen, "offline", transient=True)
    )
    table.add_row("offline", *_errors(offline), "", "", "", "")
    points = [_measure(engine, chosen, delay, step_seconds, skip_steps, offline, table) for delay in delays.split(",")]
    if plot is not None:
        draw_curve(points, plot, f"{engine.info.name}, {len(chosen)} recordings, steps of {step_seconds:g} s")
    Console().print(f"{len(chosen)} recordings, {sum(item.seconds for item in chosen):.0f} s, step {step_seconds:g} s")
    Console().print(table)


def _measure(
    engine: WhisperEngine,
    chosen: list[Recording],
    delay: str,
    step_seconds: float,
    skip_steps: bool,
    offline: ErrorRate,
    table: Table,
) -> CurvePoint:
    if delay not in SETTLING_RULES:
        raise typer.BadParameter(f"unknown delay {delay!r}; expected one of {', '.join(SETTLING_RULES)}")
    chance = random.Random(1) if skip_steps else None
    runs: list[tuple[Recording, StreamedRun]] = []
    for item in track(chosen, delay, transient=True):
        parameters = parameters_for(item, delay, step_seconds)
        runs.append((item, run_streamed(engine, item.samples(), parameters, skip=chance)))
    streamed = error_rate(
        (normalise(item.text, item.language), normalise(run.text, item.language)) for item, run in runs
    )
    lags = sorted(lag for _, run in runs for lag in run.settle_lags())
    cost = sum(run.cpu_seconds for _, run in runs) / sum(item.seconds for item in chosen)
    point = CurvePoint(delay, percentile(lags, 0.5), percentile(lags, 0.95), 100 * (streamed.rate - offline.rate))
    table.add_row(
        delay,
        *_errors(streamed),
        f"{point.penalty:+.2f}",
        f"{point.lag:.2f} s",
        f"{point.late:.2f} s",
        f"{cost:.3f}",
    )
    return point


def _errors(rate: ErrorRate) -> tuple[str, str, str, str]:
    share = [100 * count / max(1, rate.words) for count in (rate.substitutions, rate.deletions, rate.insertions)]
    return (f"{100 * rate.rate:.2f} %", *(f"{value:.2f}" for value in share))  # type: ignore[return-value]


if __name__ == "__main__":
    typer.run(main)
