from __future__ import annotations

from contextlib import ExitStack

import pytest

from wavescribe.errors import OverloadedError
from wavescribe.serving.admission import RETRY_SECONDS, Admission
from wavescribe.serving.load import Load
from wavescribe.serving.metrics import Metrics


def new_admission(
    metrics: Metrics,
    load: Load,
    *,
    most: int = 100,
    most_of_a_key: int = 0,
    most_lag: float = 0.0,
    most_in_memory: int | None = None,
) -> Admission:
    return Admission(
        most=most,
        most_of_a_key=most_of_a_key,
        most_lag=most_lag,
        least_interval=1.0,
        load=load,
        metrics=metrics,
        clock=lambda: 0.0,
        most_in_memory=most_in_memory,
    )


def refused(metrics: Metrics, reason: str) -> float | None:
    return metrics.registry.get_sample_value("wavescribe_refused_streams_total", {"reason": reason})


def test_places_are_limited_on_the_whole(metrics: Metrics) -> None:
    admission = new_admission(metrics, Load(1), most=2)
    with admission.place("a"), admission.place("b"):
        with pytest.raises(OverloadedError, match=r"sessions reached \(2\)") as told, admission.place("c"):
            pass
        assert told.value.retry_after == RETRY_SECONDS
        assert admission.taken == 2
    with admission.place("c"):
        assert metrics.registry.get_sample_value("wavescribe_active_streams") == 1
    assert refused(metrics, "sessions") == 1


def test_places_are_limited_by_the_memory_that_state_takes(metrics: Metrics) -> None:
    admission = new_admission(metrics, Load(1), most_in_memory=1)
    with (
        admission.place(),
        pytest.raises(OverloadedError, match="holds the state of 1 live streams"),
        admission.place(),
    ):
        pass
    with admission.place():
        assert refused(metrics, "memory") == 1


def test_places_are_limited_for_each_key_and_not_for_nobody(metrics: Metrics) -> None:
    admission = new_admission(metrics, Load(1), most_of_a_key=1)
    with admission.place("a"), admission.place("b"), admission.place(), admission.place():
        with pytest.raises(OverloadedError, match=r"of one key reached \(1\)"), admission.place("a"):
            pass
        assert admission.taken == 4
    with admission.place("a"):
        pass
    assert refused(metrics, "key") == 1


def test_a_try_that_is_not_the_last_one_is_no_refusal(metrics: Metrics) -> None:
    admission = new_admission(metrics, Load(1), most_of_a_key=1)
    with admission.place("a"):
        for is_last_try in (False, False, True):
            with pytest.raises(OverloadedError), admission.place("a", is_last_try=is_last_try):
                pass
    assert refused(metrics, "key") == 1


def admitted(metrics: Metrics, load: Load, most_lag: float) -> int:
    """How many of thirty streams that come at once are let in."""
    admission = new_admission(metrics, load, most_lag=most_lag)
    with ExitStack() as places:
        for number in range(30):
            try:
                places.enter_context(admission.place())
            except OverloadedError:
                continue
            load.seen(str(number), now=0.0)
        return admission.taken


def test_streams_are_let_in_while_their_text_will_be_in_time(metrics: Metrics) -> None:
    load = Load(workers=2)
    load.took(0.3)
    # 1.4 s of sound, and twice 0.3 s * streams / 2 workers, which is more than a step's 1 s: 4 s are reached at 8.67.
    assert admitted(metrics, load, most_lag=4.0) == 8
    assert refused(metrics, "lag") == 22


def test_a_faster_machine_takes_more_and_no_limit_takes_all(metrics: Metrics) -> None:
    fast, slow = Load(workers=2), Load(workers=2)
    fast.took(0.11)
    slow.took(3.0)
    assert admitted(metrics, fast, most_lag=4.0) == 23
    assert admitted(metrics, slow, most_lag=4.0) == 1  # somebody is always let in
    assert admitted(metrics, slow, most_lag=0.0) == 30


def test_streams_that_are_late_already_keep_others_out(metrics: Metrics) -> None:
    load = Load(workers=2)
    load.took(0.1)
    admission = new_admission(metrics, load, most_lag=4.0)
    with admission.place():
        load.settled(2.0, now=0.0)
        with pytest.raises(OverloadedError, match="text would get later than 4 s"), admission.place():
            pass
