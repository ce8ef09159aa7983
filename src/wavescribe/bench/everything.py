"""`wavescribe bench all`: every measurement, one after the other, and the page of results that is made of them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from wavescribe.bench import paced_options as option
from wavescribe.bench.cost import cost
from wavescribe.bench.hour import hour
from wavescribe.bench.latency import latency
from wavescribe.bench.load import load
from wavescribe.bench.publishing import noted
from wavescribe.bench.quality import quality
from wavescribe.bench.repetition import repetition
from wavescribe.bench.results_page import write_results
from wavescribe.errors import ConfigurationError, WavescribeError

NAMES = ("quality", "latency", "cost", "load", "hour", "repetition")


class MeasurementError(WavescribeError):
    """Measurements of several failed."""


QUICK = "This was a quick run, of few recordings and short streams: it shows that all works, and is none to quote."


def everything(
    output: Annotated[Path, typer.Option(help="Write JSON, pictures and report.html into this directory.")],
    page: Annotated[Path | None, typer.Option(help="Write the results as Markdown, too: docs/results.md.")] = None,
    quick: Annotated[bool, typer.Option(help="Few recordings, short streams: to see that all works.")] = False,
    only: Annotated[
        str, typer.Option(help="Make these measurements alone; the page has the others that are there, too.")
    ] = ",".join(NAMES),
    corpus: option.Corpus = None,
) -> None:
    """Run all measurements but compare and gate; a whole run takes hours on a machine that does nothing else."""
    measurements = (_quick if quick else _whole)(output, corpus)
    wanted = _checked_names(only, measurements)
    failures: list[str] = []
    with noted(QUICK if quick else ""):
        for name, measure in measurements.items():
            if name in wanted:
                failures += _made(name, measure)
    if page is not None and len(failures) < len(wanted):
        write_results(output, page)
        Console().print(f"written to {page}", soft_wrap=True, highlight=False)
    if failures:
        raise MeasurementError("; ".join(failures))


def _made(name: str, measure: Callable[[], None]) -> list[str]:
    """What failed, if it did: the other measurements take hours, and stand without this one."""
    try:
        measure()
    except WavescribeError as error:
        return [f"{name} was not measured: {error}"]
    return []


def _checked_names(text: str, measurements: Collection[str]) -> set[str]:
    names = {name.strip() for name in text.split(",")}
    if unknown := sorted(names - set(NAMES)):
        raise ConfigurationError(f"--only: {unknown[0]!r} is unknown; expected names of {', '.join(NAMES)}")
    if text != ",".join(NAMES) and (left_out := sorted(names - set(measurements))):
        raise ConfigurationError(f"--only: a quick run has no {left_out[0]!r}; it has {', '.join(measurements)}")
    return names & set(measurements)


def _quick(output: Path, corpus: Path | None) -> dict[str, Callable[[], None]]:
    every = 16 if corpus else 1
    return {
        "quality": partial(
            quality, corpus, kinds="short", languages="en", delays="medium,low", every=every, output=output
        ),
        "latency": partial(latency, corpus=corpus, seconds=15, output=output),
        "cost": partial(cost, lengths="15,30,60", budget=20, loops=False, corpus=corpus, output=output),
        "load": partial(load, streams="1,2", corpus=corpus, seconds=12, output=output),
        # Those of a corpus are long.
        "repetition": partial(repetition, output=output),
    }


def _whole(output: Path, corpus: Path | None) -> dict[str, Callable[[], None]]:
    return {
        "quality": partial(
            quality,
            corpus,
            kinds="short,long,noisy,multispeaker,silence",
            languages="all",
            delays="medium,minimal,low,high,xhigh",
            output=output,
        ),
        "latency": partial(latency, corpus=corpus, seconds=300, output=output),
        "cost": partial(cost, corpus=corpus, output=output),
        "load": partial(load, corpus=corpus, seconds=120, output=output),
        "hour": partial(hour, corpus=corpus, output=output),
        "repetition": partial(repetition, corpus=corpus, output=output),
    }
