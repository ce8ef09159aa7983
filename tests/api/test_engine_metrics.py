from __future__ import annotations

from wavescribe.api.server import STATE_GAUGES, watch_engine
from wavescribe.engines.base import StateReport
from wavescribe.serving.metrics import Metrics


class Keeping:
    """An engine of which only its state is asked."""

    def __init__(self, state: StateReport | None) -> None:
        self.state = state

    def forget(self, stream_id: str) -> None:
        raise AssertionError


def gauge(metrics: Metrics, name: str) -> float | None:
    return metrics.registry.get_sample_value(f"wavescribe_engine_{name}")


def test_what_an_engine_keeps_of_streams_is_shown_as_it_is_now() -> None:
    metrics, engine = Metrics(), Keeping(StateReport(2, 300, 700, 200))
    watch_engine(metrics, engine)  # type: ignore[arg-type]  # no more of an engine is asked
    assert [gauge(metrics, name) for name in STATE_GAUGES] == [2, 300, 700, 200]
    engine.state = StateReport()
    assert gauge(metrics, "streams") == 0


def test_an_engine_that_keeps_nothing_has_no_such_gauges() -> None:
    metrics = Metrics()
    watch_engine(metrics, Keeping(None))  # type: ignore[arg-type]  # no more of an engine is asked
    assert gauge(metrics, "streams") is None
