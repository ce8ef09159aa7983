from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from wavescribe.bench.gate import lap_costs
from wavescribe.bench.gate_checks import Figures, checks_of
from wavescribe.bench.streamed import StepCost, StreamedRun

GOOD = Figures(
    lap_costs=(10.0, 10.4, 9.8, 10.2),
    offline_cost=3.0,
    streamed_cost=9.0,
    offline_errors=0.05,
    streamed_errors=0.06,
    over_emission=1.0,
    quiet_characters=0,
)


def failures(figures: Figures) -> list[str]:
    return [check.line for check in checks_of(figures) if not check.passed]


def test_good_figures_pass() -> None:
    assert failures(GOOD) == []


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        (replace(GOOD, lap_costs=(10.0, 15.0, 20.0, 25.0)), "costs more the longer it is"),
        (replace(GOOD, lap_costs=(10.0, 10.8, 11.7, 12.6)), "costs more the longer it is"),
        (replace(GOOD, streamed_cost=20.0), "more expensive"),
        (replace(GOOD, streamed_errors=0.068), "only because it is streamed"),
        (replace(GOOD, over_emission=35.0), "repeated words"),
        (replace(GOOD, over_emission=0.96), "repeated words"),
        (replace(GOOD, quiet_characters=12), "where nothing was said"),
        (replace(GOOD, streamed_errors=float("nan")), "only because it is streamed"),
        (replace(GOOD, lap_costs=(0.0, 0.0, 0.0, 0.0)), "costs more the longer it is"),
    ],
)
def test_each_regression_fails_with_one_line_that_says_what_it_means(figures: Figures, words: str) -> None:
    lines = failures(figures)
    assert len(lines) == 1
    assert words in lines[0]


def test_the_line_has_the_figure_and_what_is_allowed() -> None:
    assert failures(replace(GOOD, lap_costs=(9.0, 10.0, 11.0)))[0] == (
        "growth of a lap's cost per lap is 0.1, allowed is at most 0.05: a stream costs more the longer it is"
    )


def test_a_step_belongs_to_the_lap_in_which_it_ended() -> None:
    steps = [StepCost(position, 1.0, 0.5, 0.5, 0.0, 0.0) for position in (1.0, 2.0, 2.5, 4.0)]
    assert lap_costs(StreamedRun(steps=steps), 2.0, 2) == (1.0, 1.0)


def test_what_is_decoded_when_a_stream_ends_makes_its_last_lap_no_more_expensive() -> None:
    steps = [StepCost(position, 1.0, 0.5, 0.5, 0.0, 0.0) for position in (2.0, 4.0)]
    end = StepCost(4.0, 1.0, 0.5, 0.5, 0.0, 0.0, closing=True)
    assert lap_costs(StreamedRun(steps=[*steps, end]), 2.0, 2) == (0.5, 0.5)


@pytest.mark.parametrize(("window", "failed"), [(lambda heard: heard, 1), (lambda heard: min(heard, 8.0), 0)])
def test_a_stream_that_decodes_all_it_has_heard_again_at_every_step_is_beyond_the_limit(
    window: Callable[[float], float], failed: int
) -> None:
    """Every two seconds a decode that costs what its window is long, for four laps of a minute."""
    heard = [2.0 * step for step in range(1, 121)]
    run = StreamedRun(steps=[StepCost(each, window(each), window(each), 0.0, 0.0, 0.0) for each in heard])
    lines = failures(replace(GOOD, lap_costs=lap_costs(run, 60.0, 4)))
    assert len(lines) == failed
    assert all("growth of a lap's cost per lap is 0.496" in line for line in lines)
