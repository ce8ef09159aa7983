"""What streaming costs against offline decoding, and whether the cost stays the same along a long stream.

python -m wavescribe.bench.cost --corpus DIR                    ratio on long reading, by step length
python -m wavescribe.bench.cost --corpus DIR --hour speech      first against last ten minutes of an hour
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from wavescribe.bench.corpus import Recording, joined, read_corpus, spoken
from wavescribe.bench.quality import offline_text
from wavescribe.bench.streamed import StreamedRun, run_streamed
from wavescribe.engines.whisper import WhisperEngine, load_whisper
from wavescribe.streaming.parameters import StreamParameters

HOURS = ("speech", "silence", "phrase")


def main(
    corpus: Annotated[Path, typer.Option(help="Directory of manifest.jsonl.")],
    steps: Annotated[str, typer.Option(help="Step lengths in seconds.")] = "1,2",
    longest: Annotated[float, typer.Option(help="Use long recordings up to this many seconds.")] = 600.0,
    hour: Annotated[str, typer.Option(help="speech, silence or phrase: measure a long stream instead.")] = "",
    seconds: Annotated[float, typer.Option(help="Length of the long stream.")] = 3600.0,
    model: Annotated[str, typer.Option(help="The Whisper model.")] = "whisper-base",
) -> None:
    """Print CPU seconds per second of audio, one thread each, all from this run."""
    engine = load_whisper(model, threads_per_worker=1)
    recordings = read_corpus(corpus)
    if hour:
        _long_stream(engine, recordings, hour, seconds)
    else:
        _against_offline(engine, recordings, steps, longest)


def _against_offline(engine: WhisperEngine, recordings: list[Recording], steps: str, longest: float) -> None:
    chosen = [item for item in spoken(recordings, {"long"}, {"en"}) if item.seconds <= longest]
    length = sum(item.seconds for item in chosen)
    started = time.process_time()
    for item in chosen:
        offline_text(engine.faster_whisper, item)
    offline = (time.process_time() - started) / length
    table = Table("decoding", "CPU s per s of audio", "times offline", "decodes per s")
    table.add_row("offline, greedy", f"{offline:.3f}", "1.0", "")
    for step in (float(text) for text in steps.split(",")):
        parameters = StreamParameters(step_seconds=step, language="en")
        runs = [run_streamed(engine, item.samples(), parameters) for item in chosen]
        cost = sum(run.cpu_seconds for run in runs) / length
        decodes = sum(len(run.steps) for run in runs) / length
        table.add_row(f"streamed, {step:g} s steps", f"{cost:.3f}", f"{cost / offline:.2f}", f"{decodes:.2f}")
    Console().print(f"{len(chosen)} long recordings, {length:.0f} s, {engine.info.name}, one thread")
    Console().print(table)


def _long_stream(engine: WhisperEngine, recordings: list[Recording], kind: str, seconds: float) -> None:
    if kind not in HOURS:
        raise typer.BadParameter(f"unknown stream {kind!r}; expected one of {', '.join(HOURS)}")
    sources = {
        "speech": spoken(recordings, {"short"}, {"en"}),
        "silence": [item for item in recordings if item.kind == "silence" and item.seconds >= 30 and not item.text],
        "phrase": [item for item in recordings if item.name == "en_jfk"],
    }
    # Each sixth has the same audio, so that the first and the last can be compared.
    samples = np.tile(joined(sources[kind], seconds / 6), 6)
    run = run_streamed(engine, samples, replace(StreamParameters(), language="en"))
    sixth = seconds / 6
    first, last = _steps(run, 0, sixth), _steps(run, seconds - sixth, seconds)
    console = Console()
    console.print(f"{seconds:g} s of {kind}: {run.cpu_seconds / seconds:.4f} CPU s per s, {len(run.steps)} decodes")
    for name, steps in (("first", first), ("last", last)):
        console.print(f"{name} sixth: {len(steps)} decodes, {sum(steps):.2f} CPU s")
    if first:
        console.print(f"last to first {sum(last) / sum(first):.3f}")
    console.print(f"most audio held at any time {run.held_seconds:.1f} s; characters written {len(run.text)}")


def _steps(run: StreamedRun, start: float, end: float) -> list[float]:
    """CPU seconds of each decode that ended in a part of the stream."""
    return [cpu for position, cpu in run.steps if start < position <= end]


if __name__ == "__main__":
    typer.run(main)
