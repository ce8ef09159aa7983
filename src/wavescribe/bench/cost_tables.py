"""The cost of strategies as tables, charts and sentences: the tables of the reports on SGLang's realtime endpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from wavescribe.bench.measurement import Chart, Measurement, Series, TableData
from wavescribe.bench.metrics.percentiles import Distribution, distribution
from wavescribe.bench.shown import shown
from wavescribe.bench.strategy_cost import LoopedText, StrategyCost
from wavescribe.bench.streamed import StepCost

SHORTEST_TOLD = 30.0
"""Shorter streams have too few steps to tell their times or whether they grow."""


def cost_measurement(
    model: str,
    lengths: Sequence[float],
    offline: Mapping[float, float],
    costs: Sequence[StrategyCost],
    texts: Sequence[LoopedText],
    budget: float,
    material: str,
) -> Measurement:
    """The costs as a measurement.

    Args:
        model: its name.
        lengths: in seconds, rising.
        offline: CPU seconds of greedy offline decoding by length.
        costs: one a strategy, each over a stream of the longest length.
        texts: of looped clips.
        budget: CPU seconds after which a run was given up.
        material: what the stream is made of.
    """
    tables = [
        _length_table("CPU seconds by length", lengths, offline, costs, "total_cpu"),
        _length_table("wall seconds by length", lengths, {}, costs, "total_wall"),
        _step_table([length for length in lengths if length >= SHORTEST_TOLD], costs),
    ]
    return Measurement(
        name="cost",
        title="; ".join(_growth(cost, lengths) for cost in costs),
        summary=(
            f"{model}, one thread; a strategy's run is given up after {budget:g} CPU seconds; the stream is {material}",
            *(_against_offline(cost, lengths, offline) for cost in costs),
            *_closing(costs),
            *(f"{t.clip}, {t.strategy}: {100 * (t.ratio - 1):+.1f} % of the characters that were said" for t in texts),
        ),
        tables=(*tables, *([_loop_table(texts)] if texts else [])),
        charts=(
            _length_chart(lengths, offline, costs),
            _step_chart(costs),
            *([_loop_chart(texts)] if texts else []),
        ),
        data={
            "model": model,
            "budget_cpu_seconds": budget,
            "offline_cpu_seconds": dict(offline),
            "strategies": [
                asdict(cost) | {"by_length": {length: asdict_or_none(at(cost, length)) for length in lengths}}
                for cost in costs
            ],
            "looped": [asdict(text) for text in texts],
        },
    )


def at(cost: StrategyCost, length: float) -> StepCost | None:
    """The last decode of a stream's first seconds; its totals are what they cost. None where it did not come so far.

    Decodes at the stream's end are left out: shorter lengths are beginnings, which have none.
    """
    if cost.stopped_at is not None and cost.stopped_at < length:
        return None
    return next((step for step in reversed(cost.steps) if step.position <= length and not step.closing), None)


def asdict_or_none(step: StepCost | None) -> dict[str, float] | None:
    """The decode's figures."""
    return None if step is None else asdict(step)


def step_times(cost: StrategyCost, length: float) -> Distribution | None:
    """Wall time of the decodes in a stream's first seconds, in milliseconds."""
    if at(cost, length) is None:
        return None
    return distribution([1000 * step.wall for step in cost.steps if step.position <= length and not step.closing])


def _length_table(
    title: str, lengths: Sequence[float], offline: Mapping[float, float], costs: Sequence[StrategyCost], total: str
) -> TableData:
    headings = ["audio", *(["offline"] if offline else [])]
    for cost in costs:
        headings += [cost.strategy, "per s"]
    rows = []
    for length in lengths:
        row = [f"{length:g} s", *([f"{offline[length]:.2f}"] if offline else [])]
        for cost in costs:
            step = at(cost, length)
            spent = None if step is None else getattr(step, total)
            row += [_unknown(cost, length), ""] if spent is None else [f"{spent:.2f}", f"{spent / length:.3f}"]
        rows.append(tuple(row))
    return TableData(title, tuple(headings), tuple(rows))


def _unknown(cost: StrategyCost, length: float) -> str:
    return "over budget" if cost.stopped_at is not None and cost.stopped_at < length else "no decode yet"


def _step_table(lengths: Sequence[float], costs: Sequence[StrategyCost]) -> TableData:
    rows = [
        (f"{length:g} s", cost.strategy, str(times.count))
        + tuple(shown(times, name, 0) for name in ("mean", "p50", "p95", "stdev", "minimum", "maximum"))
        for length in lengths
        for cost in costs
        if (times := step_times(cost, length)) is not None
    ]
    headings = ("audio", "strategy", "steps", "mean", "median", "p95", "stdev", "min", "max")
    return TableData("wall time of a step in milliseconds", headings, tuple(rows))


def _loop_table(texts: Sequence[LoopedText]) -> TableData:
    rows = tuple(
        (each.clip, each.strategy, f"{each.seconds:.0f}", str(each.gold), str(each.written), _more(each.ratio))
        for each in texts
    )
    headings = ("clip", "strategy", "seconds", "gold characters", "written", "more or less")
    return TableData("over-emission on a clip said over and over", headings, rows)


def _more(ratio: float) -> str:
    return f"{100 * (ratio - 1):+.1f} %" if ratio < 2 else f"{ratio:.1f} times"


def _growth(cost: StrategyCost, lengths: Sequence[float]) -> str:
    """Cost per second at the longest length that was reached against that of the shortest that is told."""
    reached = [length for length in lengths if at(cost, length) is not None]
    base = next((length for length in reached if length >= SHORTEST_TOLD), None)
    if base is None:
        return f"{cost.strategy}: too short to tell"
    if base == reached[-1]:
        return f"{cost.strategy} costs {_per_second(cost, base):.3f} CPU seconds a second at {base:g} s"
    first, last = _per_second(cost, base), _per_second(cost, reached[-1])
    return (
        f"{cost.strategy} costs {last / (first or 1):.1f} times as much a second at {reached[-1]:g} s as at {base:g} s"
    )


def _per_second(cost: StrategyCost, length: float) -> float:
    step = at(cost, length)
    return step.total_cpu / length if step else 0.0


def _against_offline(cost: StrategyCost, lengths: Sequence[float], offline: Mapping[float, float]) -> str:
    reached = [length for length in lengths if at(cost, length) is not None]
    if not reached:
        end = "nothing was decoded" if cost.stopped_at is None else f"given up at {cost.stopped_at:g} s of audio"
        return f"{cost.strategy}: {end}"
    length = reached[-1]
    given_up = "" if cost.stopped_at is None else f"; given up at {cost.stopped_at:g} s"
    times = _per_second(cost, length) * length / offline[length]
    return f"{cost.strategy}: {times:.1f} times greedy offline decoding at {length:g} s{given_up}"


def _closing(costs: Sequence[StrategyCost]) -> list[str]:
    """What the ends of the streams cost, which no length has."""
    ends = {cost.strategy: sum(step.cpu for step in cost.steps if step.closing) for cost in costs}
    told = ", ".join(f"{name} {cpu:.2f}" for name, cpu in ends.items() if cpu)
    return [f"CPU seconds to write the rest when a stream ends, which are in no length's: {told}"] if told else []


def _length_chart(lengths: Sequence[float], offline: Mapping[float, float], costs: Sequence[StrategyCost]) -> Chart:
    series = [Series("offline", tuple(lengths), tuple(offline[length] / length for length in lengths))]
    for cost in costs:
        reached = [length for length in lengths if at(cost, length) is not None]
        series.append(Series(cost.strategy, tuple(reached), tuple(_per_second(cost, length) for length in reached)))
    return Chart(
        name="cost_length",
        title="Cost by length of the stream",
        x_label="length of the stream in seconds",
        y_label="CPU seconds per second of audio",
        series=tuple(series),
        logarithmic="xy",
        caption="A flat line costs the same per second however long the stream is.",
    )


def _step_chart(costs: Sequence[StrategyCost]) -> Chart:
    return Chart(
        name="cost_step",
        title="Time of each step along the stream",
        x_label="position in the stream in seconds",
        y_label="wall seconds of the step",
        series=tuple(
            Series(cost.strategy, tuple(s.position for s in cost.steps), tuple(s.wall for s in cost.steps))
            for cost in costs
        ),
        kind="curve",
        logarithmic="y",
        caption="Each point is one decode.",
    )


def _loop_chart(texts: Sequence[LoopedText]) -> Chart:
    clips = tuple(dict.fromkeys(text.clip for text in texts))
    strategies = tuple(dict.fromkeys(text.strategy for text in texts))
    ratio = {(text.clip, text.strategy): text.ratio for text in texts}
    return Chart(
        name="cost_loops",
        title="Text written of a clip said over and over",
        x_label="clip",
        y_label="characters written per character said",
        series=tuple(Series(name, clips, tuple(ratio[clip, name] for clip in clips)) for name in strategies),
        kind="bar",
        limit=(1.0, "as much as was said"),
        caption="At the dashed line as much is written as was said.",
    )
