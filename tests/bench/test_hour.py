from __future__ import annotations

from types import SimpleNamespace

import pytest

from wavescribe.bench import hour as module
from wavescribe.bench.hour import hour_measurement, last_to_first
from wavescribe.bench.streamed import StepCost, StreamedRun
from wavescribe.errors import ConfigurationError


def run_of(*steps: tuple[float, float], end: float = 0.0) -> StreamedRun:
    """Decodes of (position, CPU seconds), and one at the end of the stream at 60 s."""
    made = [StepCost(position, 8.0, cpu, cpu, 0.0, 0.0) for position, cpu in steps]
    closing = [StepCost(60.0, 8.0, end, end, 0.0, 0.0, closing=True)] if end else []
    return StreamedRun(steps=[*made, *closing], cpu_seconds=6.0, held_seconds=9.5)


@pytest.mark.parametrize(
    ("run", "ratio"),
    [
        (run_of((5.0, 2.0), (55.0, 2.0)), 1.0),
        (run_of((2.0, 1.0), (4.0, 3.0), (30.0, 99.0), (51.0, 2.0), (58.0, 4.0)), 1.5),
        (run_of((10.0, 2.0), (10.5, 99.0), (50.0, 99.0), (60.0, 1.0)), 0.5),
        (run_of((5.0, 2.0), (55.0, 2.0), end=7.0), 1.0),
        (run_of((5.0, 2.0), (30.0, 2.0)), 0.0),
        (run_of((30.0, 2.0), (55.0, 2.0)), None),
        (run_of(), None),
    ],
    ids=["same", "more", "bounds", "the end is in neither", "nothing last", "nothing first", "silence"],
)
def test_the_last_sixth_is_compared_with_the_first(run: StreamedRun, ratio: float | None) -> None:
    assert last_to_first(run, 60.0) == ratio


def test_the_measurement_tells_the_ratio_of_each_stream() -> None:
    found = hour_measurement({"speech": run_of((5.0, 2.0), (55.0, 3.0)), "silence": run_of()}, 60.0, "model")
    assert found.title == "60 s of one stream: speech: the last sixth costs 1.50 times the first"
    assert found.tables[0].rows == (
        ("speech", "0.1000", "2", "2.00", "3.00", "1.500", "9.5"),
        ("silence", "0.1000", "0", "0.00", "0.00", "", "9.5"),
    )
    assert {kind: each["last_to_first"] for kind, each in found.data.items()} == {"speech": 1.5, "silence": None}


def test_what_cannot_be_had_is_told_before_an_engine_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "installed_recordings", list)
    monkeypatch.setattr(module, "load_whisper", lambda *_, **__: pytest.fail("an engine was loaded"))
    with pytest.raises(ConfigurationError, match="--kinds phrase: neither the corpus nor an installed package has"):
        module.hour(kinds="silence,phrase", seconds=60.0)


def test_the_first_sixth_is_heard_by_a_warm_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def stream(*_: object) -> StreamedRun:
        made.append("stream")
        return run_of()

    monkeypatch.setattr(module, "load_whisper", lambda *_, **__: SimpleNamespace(info=SimpleNamespace(name="none")))
    monkeypatch.setattr(module, "warm_up", lambda *_: made.append("warm up"))
    monkeypatch.setattr(module, "run_streamed", stream)
    module.hour(kinds="silence", seconds=60.0)
    assert made == ["warm up", "stream"]
