"""`wavescribe bench hour`: whether the cost and the memory of a stream stay the same along an hour of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console

from wavescribe.bench import paced_options as option
from wavescribe.bench.corpus import Recording, joined
from wavescribe.bench.installed_recordings import installed_recordings
from wavescribe.bench.material import all_recordings, spoken_recordings
from wavescribe.bench.measurement import Measurement, TableData
from wavescribe.bench.offline import warm_up
from wavescribe.bench.publishing import publish
from wavescribe.bench.streamed import RATE, StreamedRun, run_streamed
from wavescribe.engines.base import Samples
from wavescribe.engines.whisper import load_whisper
from wavescribe.errors import ConfigurationError
from wavescribe.streaming.parameters import StreamParameters


def hour(
    kinds: Annotated[str, typer.Option(help="What is heard: speech, silence, phrase (one recording looped).")] = (
        "speech,silence,phrase"
    ),
    seconds: Annotated[float, typer.Option(min=60, help="Length of each stream.")] = 3600.0,
    model: Annotated[str, typer.Option(help="The Whisper model.")] = "whisper-base",
    corpus: option.Corpus = None,
    output: option.Output = None,
) -> None:
    """Compare the first with the last sixth of long streams; each sixth has the same audio."""
    sources = [(kind, _source(kind)) for kind in kinds.split(",")]
    # What cannot be had is told before the first hour.
    sixths = {kind: source(corpus, seconds / 6) for kind, source in sources}
    engine = load_whisper(model, threads_per_worker=1)
    runs: dict[str, StreamedRun] = {}
    for kind, sixth in sixths.items():
        Console(stderr=True).print(f"{seconds:g} s of {kind} ...")
        samples = np.tile(sixth, 6)
        warm_up(engine, samples, "en")
        runs[kind] = run_streamed(engine, samples, StreamParameters(language="en"))
    publish(hour_measurement(runs, seconds, engine.info.name), output)


def _source(kind: str) -> Callable[[Path | None, float], Samples]:
    if kind not in SOURCES:
        raise ConfigurationError(f"--kinds {kind!r} is unknown; expected one of {', '.join(SOURCES)}")
    return SOURCES[kind]


def _speech(corpus: Path | None, seconds: float) -> Samples:
    return joined(spoken_recordings(corpus, ["short"], ["en"]), seconds)


def _silence(corpus: Path | None, seconds: float) -> Samples:
    quiet = [r for r in all_recordings(corpus) if r.kind == "silence" and r.seconds >= 30 and not r.text]
    return joined(quiet, seconds) if quiet else np.zeros(round(seconds * RATE), dtype=np.float32)


PHRASE = "en_quick_brown_fox"


def _phrase(corpus: Path | None, seconds: float) -> Samples:
    named: list[Recording] = [r for r in all_recordings(corpus) if r.name == "en_jfk"] if corpus else []
    phrases = named or [r for r in installed_recordings() if r.name == PHRASE]
    if not phrases:
        raise ConfigurationError(f"--kinds phrase: neither the corpus nor an installed package has {PHRASE}")
    return joined(phrases, seconds)


SOURCES: dict[str, Callable[[Path | None, float], Samples]] = {
    "speech": _speech,
    "silence": _silence,
    "phrase": _phrase,
}


def hour_measurement(runs: dict[str, StreamedRun], seconds: float, model: str) -> Measurement:
    """The long streams as a measurement."""
    headings = ("stream", "CPU s/s", "decodes", "first sixth, CPU s", "last sixth, CPU s", "last to first", "held, s")
    rows = tuple(_row(kind, run, seconds) for kind, run in runs.items())
    ratios = {kind: last_to_first(run, seconds) for kind, run in runs.items()}
    told = [f"{kind}: the last sixth costs {r:.2f} times the first" for kind, r in ratios.items() if r is not None]
    return Measurement(
        name="hour",
        title=f"{seconds:g} s of one stream: " + ("; ".join(told) or "nothing was decoded"),
        summary=(f"{model}, one thread; each sixth has the same audio",),
        tables=(TableData("long streams", headings, rows),),
        data={
            kind: {
                "cpu_seconds": run.cpu_seconds,
                "last_to_first": ratios[kind],
                "held_seconds": run.held_seconds,
                "steps": [asdict(step) for step in run.steps],
            }
            for kind, run in runs.items()
        },
    )


def last_to_first(run: StreamedRun, seconds: float) -> float | None:
    """CPU of the decodes in the last sixth against those in the first; None where the first has none.

    What is decoded when the stream ends is left out, because the first sixth has no end.
    """
    first, last = run.cpu_between(0, seconds / 6), run.cpu_between(seconds * 5 / 6, seconds)
    return last / first if first else None


def _row(kind: str, run: StreamedRun, seconds: float) -> tuple[str, ...]:
    ratio = last_to_first(run, seconds)
    return (
        kind,
        f"{run.cpu_seconds / seconds:.4f}",
        str(len(run.steps)),
        f"{run.cpu_between(0, seconds / 6):.2f}",
        f"{run.cpu_between(seconds * 5 / 6, seconds):.2f}",
        "" if ratio is None else f"{ratio:.3f}",
        f"{run.held_seconds:.1f}",
    )
