from __future__ import annotations

from wavescribe.bench.metrics.percentiles import percentile
from wavescribe.bench.streamed import StreamedRun
from wavescribe.streaming.events import Settled, SettledWord, TurnEnded


def test_the_lag_of_a_word_runs_from_its_end_to_the_step_that_settled_it() -> None:
    words = (SettledWord("one", 0, 8_000, 1.0), SettledWord("two", 8_000, 16_000, 1.0))
    run = StreamedRun(events=[Settled(0, "one two", words, "en", 32_000), TurnEnded(0, "one two", "en", 0, 32_000)])
    assert run.settle_lags() == [1.0, 1.5]
    assert run.text == "one two"


def test_percentiles_are_by_nearest_rank() -> None:
    values = [float(value) for value in range(1, 11)]
    assert percentile(values, 0.5) == 6.0
    assert percentile(values, 0.95) == 10.0
    assert percentile([], 0.5) == 0.0
