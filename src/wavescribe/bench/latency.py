"""`wavescribe bench latency`: one paced stream, and how long after it was said its text came."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from wavescribe.bench import paced_options as option
from wavescribe.bench.load import contradicted, level_data, run_levels
from wavescribe.bench.measurement import Chart, Measurement, Series, TableData
from wavescribe.bench.metrics.percentiles import Distribution
from wavescribe.bench.paced_level import LevelResult
from wavescribe.bench.publishing import publish
from wavescribe.bench.realtime_client import Target
from wavescribe.bench.served import Served, served_by
from wavescribe.bench.shown import shown, shown_p95
from wavescribe.bench.stream_plan import StreamPlan

SETTLED, COMPLETED = "word settled after its end", "turn completed after its speech (TTFS)"

SHARES = ("p50", "p95", "p99", "maximum")


def latency(
    streams: Annotated[int, typer.Option(min=1, help="Streams at once; the figures are of all together.")] = 1,
    url: option.Url = "",
    server_flags: option.ServerFlags = None,
    corpus: option.Corpus = None,
    kinds: option.Kinds = "short",
    language: option.Language = "en",
    seconds: option.Seconds = 180.0,
    turns: option.TurnsOption = "manual",
    silence_ms: option.SilenceMs = 500,
    rate: option.Rate = None,
    model: option.Model = "",
    api_key: option.ApiKey = "",
    aligner: option.Aligner = "whisper-base",
    output: option.Output = None,
) -> None:
    """Measure time to first text, settle lag of every word and final latency, at the pace of speech."""
    who = option.checked_turns(turns)
    wire = option.wire_rate(rate, url)
    target = Target(url, language=language, model=model, rate=wire, turns=who, silence_ms=silence_ms, api_key=api_key)
    flags = server_flags or []
    served = served_by(target, flags)  # wrong flags are told before a model is loaded
    console = Console(stderr=True)
    console.print("finding the times of the gold words ...")
    plans = option.Speech(corpus, kinds, language, seconds, who, aligner, silence_ms).plans(streams)
    result = run_levels(target, flags, plans, [streams], limit=0, keep_going=True, console=console)[streams]
    publish(latency_measurement(result, plans, served), output)


def latency_measurement(result: LevelResult, plans: list[StreamPlan], served: Served) -> Measurement:
    """A level's latencies as a measurement."""
    figures = _figures(result)
    rows = tuple(
        (name, "" if values is None else f"{values.count}{of}", *(shown(values, share) for share in SHARES))
        for (name, values), of in zip(figures.items(), _wholes(result), strict=True)
    )
    table = TableData("latency in seconds", ("what", "count", "p50", "p95", "p99", "most"), rows)
    slip = "none sent" if result.slip is None else f"p95 {result.slip.p95:.3f} s, most {result.slip.maximum:.3f} s"
    lag, final = figures[SETTLED], figures[COMPLETED]
    finals = 0 if final is None else final.count
    return Measurement(
        name="latency",
        title=f"words settle {shown(lag, 'p50') or 'unknown'} s after their end ({shown_p95(lag)})",
        summary=(
            f"final latency (TTFS) {shown(final, 'p50') or 'unknown'} s, {shown_p95(final)}; "
            f"{finals} of {result.utterances} utterances have one",
            *_refused(result),
            _errors(result),
            f"packets left after their deadline: {slip}",
            f"{sum(plan.seconds for plan in plans):.0f} s of audio, {len(plans)} at once, "
            f"{100 * sum(p.speech_seconds for p in plans) / sum(p.seconds for p in plans):.0f} % speech",
            *contradicted(result),
            *result.failures,
            served.line,
        ),
        tables=(table,),
        charts=(_chart(result),),
        data=level_data(result)
        | {
            "server": asdict(served),
            "figures": {n: None if v is None else asdict(v) for n, v in figures.items()},
        },
        elsewhere=served.elsewhere,
    )


def _refused(result: LevelResult) -> list[str]:
    """How many streams were refused and how, where any were: no figure is of them."""
    reasons = ", ".join(sorted({stream.refused for stream in result.streams if stream.refused}))
    return [f"{result.refusals} of {len(result.streams)} streams were refused: {reasons}"] if reasons else []


def _errors(result: LevelResult) -> str:
    if not result.errors.words:
        return "word error rate unknown"
    rate = f"word error rate {100 * result.errors.rate:.2f} % of {result.errors.words} words"
    return f"{rate}; {result.missing} gold words never came"


def _figures(result: LevelResult) -> dict[str, Distribution | None]:
    return {
        "first text, settled or draft, after its speech began": result.pooled("first_texts"),
        SETTLED: result.pooled("settle_lags"),
        "the same by the word ends that the server states": result.pooled("stated_lags"),
        "last settled text after its speech": result.pooled("final_text"),
        COMPLETED: result.pooled("final_completed"),
    }


def _wholes(result: LevelResult) -> tuple[str, ...]:
    """What each count is of; how many turns have text is for the server to decide."""
    words, utterances = f" of {result.words}", f" of {result.utterances}"
    return "", words, words, utterances, utterances


def _chart(result: LevelResult) -> Chart:
    """The share of all words that have settled by a lag."""
    lags = sorted(lag for stream in result.served for lag in stream.settle_lags)
    finals = sorted(lag for stream in result.served for lag in stream.final_completed)
    curves = (("words settled", lags, result.words), ("utterances completed", finals, result.utterances))
    return Chart(
        name="latency",
        title="How late text is",
        x_label="seconds after it was said",
        y_label="share that has come",
        series=tuple(
            Series(label, tuple(values), tuple((rank + 1) / whole for rank in range(len(values))))
            for label, values, whole in curves
            if values
        ),
        kind="curve",
        caption="A curve rises to 1 only where every word that was said (or every utterance) has come; further left is "
        "sooner.",
    )
