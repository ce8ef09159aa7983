"""`wavescribe bench compare`: quality, latency and load of several servers, on the same speech at the same pace."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Annotated

import typer
from rich.console import Console

from wavescribe.bench import paced_options as option
from wavescribe.bench.compared_server import compared_server, server_name
from wavescribe.bench.level_verdict import lowest, most_streams, shortcomings
from wavescribe.bench.load import (
    checked_levels,
    contradicted,
    level_data,
    run_levels,
    shown_errors,
    shown_finals,
    shown_missing,
    throughput,
)
from wavescribe.bench.measurement import Chart, Measurement, Series, TableData
from wavescribe.bench.paced_level import LevelResult
from wavescribe.bench.publishing import publish
from wavescribe.bench.realtime_client import Target
from wavescribe.bench.served import Served, served_by
from wavescribe.bench.shown import drawn, shown, shown_p95
from wavescribe.errors import ConfigurationError

OWN = "wavescribe"

LONGER = 3
"""How many times as long the streams of the lowest level are, which quality and latency are of: one stream of a minute
has some eight utterances."""

HEADINGS = (
    "server",
    "WER",
    "words",
    "missing",
    "lag p50",
    "lag p95",
    "lag p99",
    "finals",
    "final p50",
    "final p95",
    "first text p50",
    "first text p95",
    "slip p95",
)

LOAD_HEADINGS = (
    "server",
    "streams",
    "refused",
    "failures",
    "missing",
    "WER",
    "lag p95",
    "final p95",
    "audio s/s",
    "slip max",
)

Levels = dict[int, LevelResult]


def compare(
    urls: Annotated[
        list[str] | None,
        typer.Argument(
            help="Servers: ws(s) or http(s), realtime unless the path ends with /audio/transcriptions; each may have "
            "its own model and key: URL,model=NAME,key_env=VARIABLE"
        ),
    ] = None,
    own: Annotated[bool, typer.Option(help="Measure a server that is started here, too.")] = True,
    server_flags: Annotated[str, typer.Option(help="Flags of the server that is started here, in one string.")] = "",
    streams: Annotated[str, typer.Option(help="Levels: streams at once.")] = "1,2,4",
    limit: Annotated[float, typer.Option(help="The 95th percentile of the settle lag that is still good.")] = 4.0,
    corpus: option.Corpus = None,
    kinds: option.Kinds = "short",
    language: option.Language = "en",
    seconds: Annotated[
        float, typer.Option(help=f"Audio of each stream, in seconds; at the lowest level {LONGER} times as much.")
    ] = 60.0,
    turns: option.TurnsOption = "manual",
    silence_ms: option.SilenceMs = 500,
    rate: option.Rate = None,
    aligner: option.Aligner = "whisper-base",
    output: option.Output = None,
) -> None:
    """Say the same to each server and compare errors, lag, final latency and how many streams it takes."""
    levels, flags = checked_levels(streams), shlex.split(server_flags)
    who = option.checked_turns(turns)
    servers = [
        compared_server(text, language=language, rate=option.wire_rate(rate, text), turns=who, silence_ms=silence_ms)
        for text in urls or []
    ]
    targets = _named(servers)
    if own:
        here = Target("", language=language, rate=option.wire_rate(rate, ""), turns=who, silence_ms=silence_ms)
        targets = {OWN: here} | targets
    if not targets:
        raise ConfigurationError("there is nothing to compare: give URLs, or leave out --no-own")
    # Wrong flags are told before a model is loaded.
    served = {name: served_by(target, flags) for name, target in targets.items()}
    console = Console(stderr=True)
    console.print("finding the times of the gold words ...")
    speech = option.Speech(corpus, kinds, language, seconds, who, aligner, silence_ms)
    longer = replace(speech, seconds=LONGER * seconds).plans(levels[0])
    plans = speech.plans(levels[-1])
    results: dict[str, Levels] = {}
    for name, target in targets.items():
        console.print(f"{name}:")
        given = flags if name == OWN else []
        results[name] = run_levels(
            target, given, plans, levels, limit=limit, keep_going=False, console=console, longer=longer
        )
    publish(compare_measurement(results, limit, served), output)


def _named(servers: Sequence[Target]) -> dict[str, Target]:
    named = {server_name(server): server for server in servers}
    if len(named) < len(servers):
        names = [server_name(server) for server in servers]
        twice = next(name for name in names if names.count(name) > 1)
        raise ConfigurationError(f"two servers would both be called {twice!r}; compare them in two runs")
    return named


def compare_measurement(results: dict[str, Levels], limit: float, served: Mapping[str, Served]) -> Measurement:
    """The servers' levels as a measurement; quality and latency are those of the lowest level.

    Args:
        results: each server's levels.
        limit: of the settle lag's 95th percentile, in seconds.
        served: what each server served, by the same names.
    """
    return Measurement(
        name="compare",
        title=f"{len(results)} servers, the same speech at the same pace",
        summary=(
            *(_sentence(name, levels, limit) for name, levels in results.items()),
            *(f"{name}: {served[name].line}" for name in results),
        ),
        tables=(
            TableData(
                "servers (times in seconds; quality and latency at the lowest level)",
                HEADINGS,
                tuple(_row(name, lowest(levels)) for name, levels in results.items()),
            ),
            TableData(
                "load (times in seconds)",
                LOAD_HEADINGS,
                tuple(
                    _load_row(name, level, result)
                    for name, levels in results.items()
                    for level, result in levels.items()
                ),
            ),
        ),
        charts=(_chart(results, limit),),
        data={
            name: {
                "server": asdict(served[name]),
                "levels": {level: level_data(result) for level, result in levels.items()},
            }
            for name, levels in results.items()
        },
        elsewhere=all(each.elsewhere for each in served.values()),
    )


def _sentence(name: str, levels: Levels, limit: float) -> str:
    first = lowest(levels)
    lag, final = first.pooled("settle_lags"), first.pooled("final_completed")
    text = "no text" if lag is None else f"words {shown(lag, 'p50')} s after their end, {shown_p95(lag)}"
    wrong = "".join(
        f"; {reason}" for reason in [*shortcomings(first, limit), *first.failures[:1], *contradicted(first)]
    )
    finals = shown(final, "p50") or "unknown"
    return f"{name}: {text}, final latency {finals} s, {most_streams(levels, limit)} at once in time{wrong}"


def _row(name: str, first: LevelResult) -> tuple[str, ...]:
    lag, final = first.pooled("settle_lags"), first.pooled("final_completed")
    return (
        name,
        shown_errors(first),
        str(first.words) if first.served else "",
        shown_missing(first),
        *(shown(lag, share) for share in ("p50", "p95", "p99")),
        shown_finals(first),
        *(shown(final, share) for share in ("p50", "p95")),
        *(shown(first.pooled("first_texts"), share) for share in ("p50", "p95")),
        shown(first.slip, "p95", 3),
    )


def _load_row(name: str, level: int, result: LevelResult) -> tuple[str, ...]:
    return (
        name,
        str(level),
        str(result.refusals),
        str(len(result.failures)),
        shown_missing(result),
        shown_errors(result),
        shown(result.pooled("settle_lags"), "p95"),
        shown(result.pooled("final_completed"), "p95"),
        throughput(result),
        shown(result.slip, "maximum", 3),
    )


def _chart(results: dict[str, Levels], limit: float) -> Chart:
    series = []
    for name, levels in results.items():
        lags = {level: drawn(lag, "p95") for level, result in levels.items() if (lag := result.pooled("settle_lags"))}
        series.append(Series(name, tuple(map(float, lags)), tuple(lags.values())))
    return Chart(
        name="compare_lag",
        title="Settle lag by number of streams",
        x_label="streams at once",
        y_label="95th percentile of the settle lag in seconds",
        series=tuple(series),
        counts=True,
        limit=(limit, f"limit: {limit:g} s"),
        caption="The same recordings in the same order at every server; lower is sooner.",
    )
