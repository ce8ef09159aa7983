"""Clips looped, and sound without speech: how much text is written for how much that was said.

python -m wavescribe.bench.repetition --corpus DIR --strategies windowed,sliced
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, get_args

import typer
from rich.console import Console
from rich.table import Table

from wavescribe.bench.corpus import Recording, read_corpus
from wavescribe.bench.streamed import run_streamed
from wavescribe.engines.whisper import load_whisper
from wavescribe.streaming.parameters import StrategyName, StreamParameters


def main(
    corpus: Annotated[Path, typer.Option(help="Directory of manifest.jsonl.")],
    strategies: Annotated[str, typer.Option(help="Strategies to compare.")] = "windowed",
    model: Annotated[str, typer.Option(help="The Whisper model.")] = "whisper-base",
) -> None:
    """Print the characters that each strategy writes against the gold text's."""
    engine = load_whisper(model, threads_per_worker=1)
    table = Table("recording", "seconds", "strategy", "characters", "gold", "more or less", "decodes")
    for recording in _chosen(read_corpus(corpus)):
        for strategy in strategies.split(","):
            run = run_streamed(engine, recording.samples(), _parameters(strategy))
            gold, written = len(recording.text), len(run.text)
            share = f"{100 * (written / gold - 1):+.1f} %" if gold else ""
            row = (recording.name, f"{recording.seconds:.0f}", strategy, str(written), str(gold), share)
            table.add_row(*row, str(len(run.steps)))
    Console().print(table)


def _chosen(recordings: list[Recording]) -> list[Recording]:
    return [each for each in recordings if each.tiled or (each.kind == "silence" and not each.text)]


def _parameters(strategy: str) -> StreamParameters:
    for known in get_args(StrategyName):
        if strategy == known:
            return StreamParameters(strategy=known, language="en")
    raise typer.BadParameter(f"unknown strategy {strategy!r}; expected one of {', '.join(get_args(StrategyName))}")


if __name__ == "__main__":
    typer.run(main)
