"""`wavescribe bench quality`: streamed against offline decoding, word for word, on the same recordings and weights."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from wavescribe.bench import paced_options as option
from wavescribe.bench.corpus import Recording
from wavescribe.bench.material import all_recordings, spoken_recordings
from wavescribe.bench.measurement import Chart, Measurement, Series, TableData
from wavescribe.bench.metrics.bootstrap import LEAST_RECORDINGS, Interval
from wavescribe.bench.offline import OfflineRun, run_offline, warm_up
from wavescribe.bench.publishing import publish
from wavescribe.bench.recording_quality import GroupQuality, OfflineGroup, RecordingQuality, group, judge
from wavescribe.bench.shown import shown, shown_p95
from wavescribe.bench.streamed import run_streamed
from wavescribe.engines.base import EngineInfo
from wavescribe.engines.whisper import WhisperEngine, load_whisper
from wavescribe.engines.whisper.engine import BEAM_SIZE
from wavescribe.errors import ConfigurationError
from wavescribe.streaming.delay import SETTLING_RULES, Delay
from wavescribe.streaming.parameters import StreamParameters

ERRORS = (
    "recordings",
    "gold text",
    "greedy offline WER",
    "beam offline WER",
    "streamed WER",
    "above greedy (95 %)",
    "above beam (95 %)",
)
CHARACTERS = ("recordings", "greedy offline CER", "beam offline CER", "streamed CER", "written")
COSTS = ("recordings", "UPWR", "false settles", "lag p50", "lag p95", "CPU s/s", "times greedy offline")

OFFLINE = {"greedy": "greedy offline decoding", "beam": f"offline beam search with {BEAM_SIZE} hypotheses"}
"""What streaming is compared with: the cheapest decoding, and one with as many hypotheses as streaming follows."""

CLEAN = ("short", "long")
"""Kinds of speech without noise and of one speaker, which the headline is of."""

Groups = dict[tuple[str, str], GroupQuality]
"""Figures by language and kind."""


def quality(
    corpus: option.Corpus = None,
    kinds: Annotated[str, typer.Option(help="Kinds of recordings.")] = "short,long",
    languages: Annotated[str, typer.Option(help="ISO 639-1 codes, or 'all'.")] = "en",
    delays: Annotated[str, typer.Option(help="Delay levels.")] = "medium",
    step_seconds: Annotated[float, typer.Option(help="Audio between two decodes.")] = 1.0,
    every: Annotated[int, typer.Option(min=1, help="Use every Nth recording only.")] = 1,
    skip_steps: Annotated[bool, typer.Option(help="Skip half of the steps by chance, as under load.")] = False,
    model: Annotated[str, typer.Option(help="The Whisper model.")] = "whisper-base",
    output: option.Output = None,
) -> None:
    """Compare streamed with offline text: errors, penalty, over-emission, stability, false settles."""
    levels = [_delay(name) for name in delays.split(",")]
    wanted = sorted(_languages(corpus) if languages == "all" else languages.split(","))
    chosen = spoken_recordings(corpus, kinds.split(","), wanted)[::every]
    engine = load_whisper(model, threads_per_worker=1)
    chosen, left_out = in_languages(chosen, engine.info)
    console = Console(stderr=True)
    warm_up(engine, chosen[0].samples(), chosen[0].language)
    offline = {item.name: _offline(engine, item) for item in track(chosen, "offline", console=console, transient=True)}
    results = {
        level: [
            _result(engine, item, level, step_seconds, skip_steps, offline[item.name])
            for item in track(chosen, f"streamed, delay {level}", console=console, transient=True)
        ]
        for level in levels
    }
    publish(quality_measurement(results, engine.info.name, step_seconds, left_out), output)


def in_languages(chosen: Sequence[Recording], info: EngineInfo) -> tuple[list[Recording], str]:
    """The recordings in languages that the model has, and a sentence about the others, if there are any.

    Raises:
        ConfigurationError: it has none of them.
    """
    known = [item for item in chosen if item.language in info.languages]
    others = ", ".join(sorted({item.language for item in chosen} - set(info.languages)))
    if not known:
        raise ConfigurationError(f"{info.name} has none of the languages asked for: {others}")
    return known, f"left out, because {info.name} does not have the language: {others}" if others else ""


def _offline(engine: WhisperEngine, item: Recording) -> tuple[OfflineRun, OfflineRun]:
    """Greedy decoding, and beam search."""
    samples = item.samples()
    return run_offline(engine, samples, item.language), run_offline(engine, samples, item.language, BEAM_SIZE)


def _delay(name: str) -> Delay:
    for known in SETTLING_RULES:
        if name == known:
            return known
    raise ConfigurationError(f"--delays {name!r} is unknown; expected one of {', '.join(SETTLING_RULES)}")


def _languages(corpus: Path | None) -> set[str]:
    return {recording.language for recording in all_recordings(corpus)}


def parameters_for(recording: Recording, delay: Delay, step_seconds: float) -> StreamParameters:
    """The stream parameters of a delay level, with the recording's language given."""
    return StreamParameters(step_seconds=step_seconds, language=recording.language, **asdict(SETTLING_RULES[delay]))


def _result(
    engine: WhisperEngine,
    item: Recording,
    delay: Delay,
    step_seconds: float,
    skip: bool,
    offline: tuple[OfflineRun, OfflineRun],
) -> RecordingQuality:
    # A recording skips the same steps whatever was measured before it.
    chance = random.Random(item.name) if skip else None
    return judge(
        item, *offline, run_streamed(engine, item.samples(), parameters_for(item, delay, step_seconds), skip=chance)
    )


def quality_measurement(
    results: dict[Delay, list[RecordingQuality]], model: str, step_seconds: float, left_out: str = ""
) -> Measurement:
    """The recordings as a measurement; the first delay level is the one that is shown by language and kind."""
    first = next(iter(results))
    language, kinds = headline_of(results[first])
    headline = (language, " and ".join(kinds))
    whole = {
        delay: group([r for r in each if r.language == language and r.kind in kinds]) for delay, each in results.items()
    }
    groups = groups_of(results[first]) | {headline: whole[first]}
    return Measurement(
        name="quality",
        title=f"streaming costs {100 * whole[first].penalty:+.2f} points of {whole[first].unit} errors "
        f"above {OFFLINE[whole[first].reference]} ({' '.join(headline)}, delay {first})",
        summary=(
            *_summary(whole[first], f"{model}, steps of {step_seconds:g} s; {' '.join(headline)}"),
            *([left_out] if left_out else []),
        ),
        tables=(
            *_tables(f"by language and kind, delay {first}", ("language", "kind"), list(groups.items())),
            *_tables(
                f"by delay, {' '.join(headline)}", ("delay",), [((delay,), each) for delay, each in whole.items()]
            ),
        ),
        charts=(_error_chart(groups), *([_delay_chart(whole, " ".join(headline))] if len(whole) > 1 else [])),
        data={
            "model": model,
            "step_seconds": step_seconds,
            "offline_beam": BEAM_SIZE,
            "headline": {"language": language, "kinds": kinds},
            "delays": {delay: asdict(each) for delay, each in whole.items()},
            "groups": [{"language": name[0], "kind": name[1], **asdict(figures)} for name, figures in groups.items()],
            "recordings": {delay: [asdict(item) for item in each] for delay, each in results.items()},
        },
    )


def headline_of(results: Sequence[RecordingQuality]) -> tuple[str, tuple[str, ...]]:
    """The language and the kinds whose figures stand for all: clean speech of the language with most of it.

    More is not pooled: noise asks another question, and in some languages errors are counted in characters.
    """
    clean = [each for each in results if each.kind in CLEAN] or results
    languages = sorted({each.language for each in clean})
    language = max(languages, key=lambda name: sum(each.seconds for each in clean if each.language == name))
    return language, tuple(sorted({each.kind for each in clean if each.language == language}, reverse=True))


def groups_of(results: Sequence[RecordingQuality]) -> Groups:
    """The figures by language and kind."""
    keyed: dict[tuple[str, str], list[RecordingQuality]] = {}
    for result in results:
        keyed.setdefault((result.language, result.kind), []).append(result)
    return {key: group(keyed[key]) for key in sorted(keyed)}


def _summary(whole: GroupQuality, setting: str) -> list[str]:
    lag, unit = whole.lag, whole.unit
    return [
        f"{setting}: {whole.recordings} recordings, {whole.seconds:.0f} s, {whole.words} {unit}s",
        f"{unit} errors {_percent(whole.streamed)} streamed, {_percent(whole.greedy.rate)} by {OFFLINE['greedy']}, "
        f"{_percent(whole.beam.rate)} by {OFFLINE['beam']}, as many as streaming follows; the headline is against the "
        "better of both",
        f"{_penalty('greedy', whole.greedy)}; {_penalty('beam', whole.beam)}"
        + ("; the recordings are too few for a confidence interval" if whole.penalty_interval is None else ""),
        f"{100 * whole.over_emission:.1f} % of the gold text's characters are written, both without punctuation; "
        f"{_percent(whole.false_settles)} of the settled {unit}s are wrong",
        f"{whole.unstable_ratio:.2f} {unit}s were shown and changed for each {unit} of the final text (UPWR)",
        "nothing settled"
        if lag is None
        else f"words settle {lag.p50:.2f} s of audio after their end ({shown_p95(lag)}), decoding time not counted",
        f"streaming takes {whole.cpu:.3f} CPU seconds a second, {whole.cpu / (whole.greedy.cpu or 1):.1f} times "
        f"{OFFLINE['greedy']}",
    ]


def _penalty(name: str, offline: OfflineGroup) -> str:
    interval = offline.penalty_interval
    confidence = "" if interval is None else f" (95 % confidence: {_points(interval)})"
    return f"penalty against {OFFLINE[name]} {100 * offline.penalty:+.2f} points{confidence}"


def _tables(
    by: str, names: tuple[str, ...], groups: Sequence[tuple[tuple[str, ...], GroupQuality]]
) -> tuple[TableData, TableData, TableData]:
    """Errors, characters and costs apart, because the columns of all would not fit a page."""
    return (
        TableData(f"errors {by}", (*names, *ERRORS), tuple((*name, *_errors(each)) for name, each in groups)),
        TableData(
            f"characters {by}", (*names, *CHARACTERS), tuple((*name, *_characters(each)) for name, each in groups)
        ),
        TableData(
            f"stability, lag and cost {by}", (*names, *COSTS), tuple((*name, *_costs(each)) for name, each in groups)
        ),
    )


def _errors(figures: GroupQuality) -> tuple[str, ...]:
    return (
        str(figures.recordings),
        f"{figures.words} {figures.unit}s",
        _percent(figures.greedy.rate),
        _percent(figures.beam.rate),
        _percent(figures.streamed),
        *(
            f"{100 * each.penalty:+.2f}"
            + ("" if each.penalty_interval is None else f" ({_points(each.penalty_interval)})")
            for each in (figures.greedy, figures.beam)
        ),
    )


def _characters(figures: GroupQuality) -> tuple[str, ...]:
    return (
        str(figures.recordings),
        _percent(figures.greedy.cer),
        _percent(figures.beam.cer),
        _percent(figures.streamed_cer),
        f"{100 * figures.over_emission:.1f} %",
    )


def _costs(figures: GroupQuality) -> tuple[str, ...]:
    lag = figures.lag
    return (
        str(figures.recordings),
        f"{figures.unstable_ratio:.2f}",
        _percent(figures.false_settles),
        shown(lag, "p50"),
        shown(lag, "p95"),
        f"{figures.cpu:.3f}",
        f"{figures.cpu / (figures.greedy.cpu or 1):.2f}",
    )


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def _points(interval: Interval) -> str:
    return f"{100 * interval.low:+.2f} to {100 * interval.high:+.2f}"


def _error_chart(groups: Groups) -> Chart:
    names = tuple(
        " ".join(name) + (", characters" if each.unit == "character" else "") for name, each in groups.items()
    )
    held = list(groups.values())

    def bars(
        label: str, rate: Callable[[GroupQuality], float], bounds: Callable[[GroupQuality], Interval | None]
    ) -> Series:
        # Without an interval both its ends are the rate, so that no line is drawn.
        rates = tuple(100 * rate(each) for each in held)
        intervals = [bounds(each) or Interval(rate(each), rate(each)) for each in held]
        return Series(
            label,
            names,
            rates,
            low=tuple(100 * each.low for each in intervals),
            high=tuple(100 * each.high for each in intervals),
        )

    return Chart(
        name="quality_errors",
        title="Word errors, offline and streamed",
        x_label="language and kind",
        y_label="word error rate in per cent",
        series=(
            bars("offline, greedy", lambda each: each.greedy.rate, lambda each: each.greedy.interval),
            bars("offline, beam search", lambda each: each.beam.rate, lambda each: each.beam.interval),
            bars("streamed", lambda each: each.streamed, lambda each: each.streamed_interval),
        ),
        kind="bar",
        highest=100.0,
        caption="Thin lines are 95 % confidence intervals over recordings, where there are at least "
        f"{LEAST_RECORDINGS}; all bars are of the same recordings. Bars beyond 100 % are cut off.",
    )


def _delay_chart(whole: dict[Delay, GroupQuality], group_name: str) -> Chart:
    first = next(iter(whole.values()))
    points = sorted(
        (each.lag.p50, 100 * each.penalty, each.lag.p95, name) for name, each in whole.items() if each.lag is not None
    )
    return Chart(
        name="quality_delay",
        title="What holding text back buys",
        x_label="settle lag in seconds of audio: median, and gray up to the 95th percentile",
        y_label=f"{first.unit} errors above offline, in points",
        series=(
            Series(
                "delay",
                tuple(lag for lag, *_ in points),
                tuple(penalty for _, penalty, _, _ in points),
                reach=tuple(late for *_, late, _ in points),
                marks=tuple(name for *_, name in points),
            ),
        ),
        caption=f"{group_name}, against {OFFLINE[first.reference]}; further left is sooner, further down is better.",
    )
