from __future__ import annotations

from wavescribe.bench.cost_tables import at, cost_measurement, step_times
from wavescribe.bench.strategy_cost import LoopedText, StrategyCost
from wavescribe.bench.streamed import StepCost
from wavescribe.streaming.parameters import StrategyName


def strategy(name: StrategyName, costs: list[float], stopped_at: float | None = None) -> StrategyCost:
    """A step every 10 seconds of audio, of these CPU seconds."""
    steps = tuple(
        StepCost(10.0 * (index + 1), 8.0, cpu, cpu, sum(costs[: index + 1]), sum(costs[: index + 1]))
        for index, cpu in enumerate(costs)
    )
    return StrategyCost(name, steps, sum(costs), sum(costs), stopped_at, 8.0)


FLAT = strategy("windowed", [1.0] * 6)
GROWING = strategy("cumulative", [1.0, 2.0, 3.0, 4.0], stopped_at=40.0)


def test_a_length_costs_what_the_stream_had_cost_when_it_had_heard_so_much() -> None:
    step = at(FLAT, 35.0)
    assert step is not None
    assert (step.position, step.total_cpu) == (30.0, 3.0)


def test_a_length_that_was_not_reached_costs_nothing_that_is_known() -> None:
    assert at(GROWING, 60.0) is None
    assert step_times(GROWING, 60.0) is None


def test_step_times_are_of_the_beginning_in_milliseconds() -> None:
    times = step_times(GROWING, 30.0)
    assert times is not None
    assert (times.count, times.mean, times.minimum, times.maximum) == (3, 2000.0, 1000.0, 3000.0)


def test_the_measurement_says_what_grows_and_what_was_given_up() -> None:
    texts = [LoopedText("windowed", "EN180", 180.0, 2000, 1990, 0.995)]
    found = cost_measurement("model", [30.0, 60.0], {30.0: 1.0, 60.0: 2.0}, [GROWING, FLAT], texts, 10.0)
    assert "windowed costs 1.0 times as much a second at 60 s as at 30 s" in found.title
    rows = {row[0]: row for row in found.tables[0].rows}
    assert rows["30 s"] == ("30 s", "1.00", "6.00", "0.200", "3.00", "0.100")
    assert rows["60 s"] == ("60 s", "2.00", "over budget", "", "6.00", "0.100")
    assert "cumulative: 6.0 times offline decoding at 30 s; given up at 40 s" in found.summary
    assert "EN180, windowed: -0.5 % of the characters that were said" in found.summary
