"""`wavescribe bench load`: paced streams, more and more at once, until text comes too late or something fails."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from wavescribe.bench import paced_options as option
from wavescribe.bench.baseline import settings_of, turns_alone
from wavescribe.bench.gold_times import RATE
from wavescribe.bench.level_verdict import is_good, lowest, most_good, most_streams, shortcomings
from wavescribe.bench.measurement import Chart, Measurement, Series, TableData
from wavescribe.bench.metrics.word_errors import ErrorRate, error_rate, normalise
from wavescribe.bench.paced_level import LevelResult, run_level
from wavescribe.bench.publishing import publish
from wavescribe.bench.realtime_client import Target
from wavescribe.bench.served import Served, served_by
from wavescribe.bench.server_process import ServerProcess
from wavescribe.bench.shown import drawn, shown
from wavescribe.bench.stream_plan import StreamPlan
from wavescribe.errors import ConfigurationError
from wavescribe.serving.configured_engine import engine_loader

HEADINGS = (
    "streams",
    "refused",
    "failures",
    "lag p50",
    "lag p95",
    "lag p99",
    "final p50",
    "final p95",
    "finals",
    "WER",
    "missing",
    "skipped",
    "same text",
    "audio s/s",
    "server CPU",
    "slip p95",
    "slip max",
)


def load(
    streams: Annotated[str, typer.Option(help="Levels: streams at once.")] = "1,2,4,6,8,12,16,24,32",
    limit: Annotated[float, typer.Option(help="The 95th percentile of the settle lag that is still good.")] = 4.0,
    keep_going: Annotated[bool, typer.Option(help="Run the levels above the first bad one, too.")] = False,
    baseline: Annotated[
        bool, typer.Option(help="Compare each text with what the same audio gives alone, in this process.")
    ] = True,
    url: option.Url = "",
    server_flags: option.ServerFlags = None,
    corpus: option.Corpus = None,
    kinds: option.Kinds = "short",
    language: option.Language = "en",
    seconds: option.Seconds = 60.0,
    turns: option.TurnsOption = "manual",
    silence_ms: option.SilenceMs = 500,
    rate: option.Rate = None,
    model: option.Model = "",
    api_key: option.ApiKey = "",
    aligner: option.Aligner = "whisper-base",
    output: option.Output = None,
) -> None:
    """Find how many streams a server takes: lag, refusals, errors and throughput at each level."""
    who = option.checked_turns(turns)
    levels = checked_levels(streams)
    flags = server_flags or []
    wire = option.wire_rate(rate, url)
    target = Target(url, language=language, model=model, rate=wire, turns=who, silence_ms=silence_ms, api_key=api_key)
    served = served_by(target, flags)  # wrong flags are told before a model is loaded
    speech = option.Speech(corpus, kinds, language, seconds, who, aligner, silence_ms)
    console = Console(stderr=True)
    console.print(f"finding the times of the words of {max(levels)} streams of {seconds:g} s ...")
    plans = speech.plans(max(levels))
    results = run_levels(target, flags, plans, levels, limit=limit, keep_going=keep_going, console=console)
    wanted = max(results) if baseline and not url else 0
    alone: list[tuple[str, ...]] = []
    failure = ""
    if wanted and wire != RATE:
        failure = f"texts are not compared with what the audio gives alone, which is not sent at {wire} Hz"
    elif wanted:
        alone, failure = _alone(flags, plans[:wanted], silence_ms, console)
    publish(load_measurement(results, plans, alone, limit, served, failure), output)


def checked_levels(text: str) -> list[int]:
    """The levels, rising.

    Raises:
        ConfigurationError: they are not whole numbers above 0.
    """
    try:
        levels = sorted({int(part) for part in text.split(",")})
    except ValueError:
        levels = []
    if not levels or levels[0] < 1:
        raise ConfigurationError(f"--streams {text!r}: expected whole numbers above 0, separated by commas")
    return levels


def run_levels(
    target: Target,
    flags: list[str],
    plans: Sequence[StreamPlan],
    levels: Sequence[int],
    *,
    limit: float,
    keep_going: bool,
    console: Console,
    longer: Sequence[StreamPlan] = (),
) -> dict[int, LevelResult]:
    """Each level's result, rising, up to the first that is not good.

    A level says the first plans, so that streams of the same number say the same at every level; the lowest says the
    longer ones where there are any.
    """
    results: dict[int, LevelResult] = {}
    with option.measured_server(target, flags) as (measured, server):
        asyncio.run(_warm_up(measured, plans[0], server))
        for level in levels:
            said = longer if longer and level == levels[0] else plans
            results[level] = asyncio.run(_with_progress(measured, said[:level], server, console))
            if not keep_going and not is_good(results[level], limit, lowest(results)):
                break
    return results


async def _with_progress(
    target: Target, plans: Sequence[StreamPlan], server: ServerProcess | None, console: Console
) -> LevelResult:
    """A level's result, with a bar of the time that its audio takes; it is drawn once a second and costs nothing."""
    seconds = max(plan.seconds for plan in plans)
    label = f"{len(plans)} {'stream' if len(plans) == 1 else 'streams'} of {seconds:.0f} s"
    with Progress(console=console, refresh_per_second=1, transient=True) as progress:
        bar = progress.add_task(label, total=seconds)
        working = asyncio.create_task(run_level(target, plans, server))
        while not (await asyncio.wait({working}, timeout=1.0))[0]:
            progress.advance(bar, 1.0)
    return working.result()


async def _warm_up(target: Target, plan: StreamPlan, server: ServerProcess | None) -> None:
    """The first seconds of a stream, so that no level pays for what a server does only once."""
    await run_level(target, [plan.beginning(5.0)], server)


def _alone(
    flags: list[str], plans: Sequence[StreamPlan], silence_ms: int, console: Console
) -> tuple[list[tuple[str, ...]], str]:
    """What each stream's audio gives without others; none, and why, where that fails."""
    console.print(f"{len(plans)} streams alone, in this process ...")
    settings = settings_of(flags)
    try:
        engine = engine_loader(settings)()
        try:
            return [turns_alone(engine, settings, plan, silence_ms) for plan in plans], ""
        finally:
            engine.close()
    except Exception as error:  # whatever it is, the levels took long and stand without it
        return [], f"texts are not compared with what the audio gives alone, which failed: {error or repr(error)}"


def load_measurement(
    results: dict[int, LevelResult],
    plans: Sequence[StreamPlan],
    alone: Sequence[tuple[str, ...]],
    limit: float,
    served: Served,
    failure: str = "",
) -> Measurement:
    """The levels as a measurement.

    Args:
        results: by level, rising.
        plans: of the streams.
        alone: what the audio of each gives without others; empty where that was not asked for or failed.
        limit: of the settle lag's 95th percentile, in seconds.
        served: the server.
        failure: why it is not known what the audio gives alone; "" where nothing failed.
    """
    rows = tuple(_row(level, result, alone) for level, result in results.items())
    return Measurement(
        name="load",
        title=f"{most_streams(results, limit)} at once with a settle lag of at most {limit:g} s at p95",
        summary=(*_summary(results, plans, alone, limit), *([failure] if failure else []), served.line),
        tables=(TableData("load (times in seconds)", HEADINGS, rows),),
        charts=(_lag_chart(results, limit),),
        data={
            "server": asdict(served),
            "limit_seconds": limit,
            "alone": list(alone),
            "levels": {level: level_data(result) for level, result in results.items()},
        },
        elsewhere=served.elsewhere,
    )


def _summary(
    results: dict[int, LevelResult], plans: Sequence[StreamPlan], alone: Sequence[tuple[str, ...]], limit: float
) -> list[str]:
    most = most_good(results, limit)
    lines = [f"{most_streams(results, limit)} at once{': served' if most else ' can be served'} in time"]
    bad = next((level for level in results if level > most), None)
    if bad is None:
        lines.append("no level broke the limit: more streams would be needed to find it")
    else:
        lines.append(f"{_streams(bad)}: not in time; {', '.join(shortcomings(results[bad], limit, lowest(results)))}")
    speech = sum(plan.speech_seconds for plan in plans) / sum(plan.seconds for plan in plans)
    lines.append(f"{100 * speech:.0f} % of the audio is speech; each stream says other recordings in another order")
    last = max(results)
    if alone and results[last].served:
        same = same_texts(results[last], alone)
        taken = f"{same} of {len(results[last].served)} streams that were taken at the highest level"
        lines.append(f"{taken} wrote what their audio gives alone, to the byte")
        here, apart = results[last].errors.rate, errors_alone(results[last], plans, alone).rate
        lines.append(f"their word error rate is {100 * here:.2f} %, alone it is {100 * apart:.2f} %")
    lines += [f"{_streams(level)}: {failure}" for level, result in results.items() for failure in result.failures[:3]]
    lines += [f"{_streams(level)}: {told}" for level, result in results.items() for told in contradicted(result)]
    return lines


def _streams(count: int) -> str:
    return "1 stream" if count == 1 else f"{count} streams"


def same_texts(result: LevelResult, alone: Sequence[tuple[str, ...]]) -> int:
    """Streams whose turns are those of the same audio alone, to the byte."""
    return sum(stream.turns == turns for stream, turns in zip(result.streams, alone, strict=False))


def errors_alone(result: LevelResult, plans: Sequence[StreamPlan], alone: Sequence[tuple[str, ...]]) -> ErrorRate:
    """Word errors that the audio of a level's streams gives alone; of those that the server took."""
    return error_rate(
        (normalise(plan.text, plan.language), normalise(" ".join(turns), plan.language))
        for stream, plan, turns in zip(result.streams, plans, alone, strict=False)
        if not stream.refused
    )


def _row(level: int, result: LevelResult, alone: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    lag, final, slip = result.pooled("settle_lags"), result.pooled("final_completed"), result.slip
    cpu = result.server_cpu_seconds
    return (
        str(level),
        str(result.refusals),
        str(len(result.failures)),
        *(shown(lag, name) for name in ("p50", "p95", "p99")),
        *(shown(final, name) for name in ("p50", "p95")),
        shown_finals(result),
        shown_errors(result),
        shown_missing(result),
        "" if result.steps_skipped is None else f"{result.steps_skipped:.0f}",
        f"{same_texts(result, alone)}/{len(result.served)}" if alone else "",
        throughput(result),
        "" if cpu is None or not result.audio_seconds else f"{cpu / result.audio_seconds:.3f}",
        shown(slip, "p95", 3),
        shown(slip, "maximum", 3),
    )


def shown_finals(result: LevelResult) -> str:
    """How many utterances have a final latency, of all, as a cell of a table; empty where none was to have one."""
    final = result.pooled("final_completed")
    return "" if final is None else f"{final.count}/{result.utterances}"


def contradicted(result: LevelResult) -> list[str]:
    """A sentence on the turns whose deltas were no settled text, where there are any."""
    turns = "1 turn has" if result.contradictions == 1 else f"{result.contradictions} turns have"
    told = f"{turns} another text in the end than in the deltas; the words count from the completion"
    return [told] if result.contradictions else []


def shown_errors(result: LevelResult) -> str:
    """The word error rate as a cell of a table, empty where nobody was served."""
    return f"{100 * result.errors.rate:.1f} %" if result.served else ""


def shown_missing(result: LevelResult) -> str:
    """How many gold words never came as a cell of a table, empty where nobody was served."""
    return str(result.missing) if result.served else ""


def throughput(result: LevelResult) -> str:
    """Seconds of audio a second, of all streams together, as a cell of a table."""
    return f"{result.throughput:.2f}" if result.throughput else ""


def level_data(result: LevelResult) -> dict[str, Any]:
    """A level for JSON, with the distributions and every stream."""
    pooled = ("settle_lags", "stated_lags", "final_text", "final_completed", "first_texts")
    distributions = {name: result.pooled(name) for name in pooled}
    return asdict(result) | {
        "word_error_rate": result.errors.rate,
        "refusals": result.refusals,
        **{name: None if values is None else asdict(values) for name, values in distributions.items()},
    }


def _lag_chart(results: dict[int, LevelResult], limit: float) -> Chart:
    lags = {level: lag for level, result in results.items() if (lag := result.pooled("settle_lags")) is not None}
    shares = (("median", "p50"), ("95th percentile", "p95"), ("99th percentile", "p99"))
    taken = {level: len(results[level].served) for level in lags}
    let_in = tuple("" if count == level else f"{count} let in" for level, count in taken.items())
    return Chart(
        name="load_lag",
        title="Settle lag by number of streams",
        x_label="streams at once that a place was asked for",
        y_label="seconds from a word's end to its settled text",
        series=tuple(
            Series(
                label,
                tuple(map(float, lags)),
                tuple(drawn(lag, name) for lag in lags.values()),
                marks=let_in if name == "p50" else (),
            )
            for label, name in shares
        ),
        counts=True,
        limit=(limit, f"limit of the 95th percentile: {limit:g} s"),
        caption="A server is full where the 95th percentile crosses the dashed line, or where it lets fewer in.",
    )
