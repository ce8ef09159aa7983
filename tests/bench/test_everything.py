from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wavescribe.bench import everything
from wavescribe.bench.everything import NAMES, QUICK, MeasurementError
from wavescribe.bench.measurement import Measurement
from wavescribe.bench.publishing import publish
from wavescribe.bench.report_page import ORDER
from wavescribe.errors import ConfigurationError


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The measurements that are made, in order; each is of nothing."""
    names: list[str] = []

    def measured(name: str) -> Any:
        def measure(*_: Any, output: Path, **__: Any) -> None:
            names.append(name)
            publish(Measurement(name, f"this is {name}", (), ()), output)

        return measure

    for name in NAMES:
        monkeypatch.setattr(everything, name, measured(name))
    return names


def test_a_whole_run_makes_every_measurement_and_the_page_has_each(tmp_path: Path, made: list[str]) -> None:
    everything.everything(tmp_path / "out", tmp_path / "results.md")
    assert sorted(made) == sorted(NAMES)
    assert {"repetition", "quality", "latency", "load", "cost", "hour"} == set(NAMES) <= set(ORDER)
    text = (tmp_path / "results.md").read_text()
    assert all(f"## {name}\n\n**this is {name}**" in text for name in NAMES)
    assert QUICK not in text


def test_a_quick_run_listens_to_silence_too_and_says_with_each_measurement_that_it_was_quick(
    tmp_path: Path, made: list[str]
) -> None:
    everything.everything(tmp_path, tmp_path / "results.md", quick=True)
    assert "repetition" in made
    everything.everything(tmp_path, tmp_path / "results.md", only="cost")
    notes = {name: json.loads((tmp_path / f"{name}.json").read_text())["note"] for name in ("cost", "repetition")}
    assert notes == {"cost": "", "repetition": QUICK}
    assert (tmp_path / "results.md").read_text().count(QUICK) == len(set(made)) - 1


def test_a_measurement_that_fails_leaves_the_others_and_is_told_in_the_end(
    tmp_path: Path, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ConfigurationError("there is no long reading")

    monkeypatch.setattr(everything, "cost", fail)
    with pytest.raises(MeasurementError, match="^cost was not measured: there is no long reading$"):
        everything.everything(tmp_path / "out", tmp_path / "results.md")
    assert set(made) == set(NAMES) - {"cost"}
    assert "## hour" in (tmp_path / "results.md").read_text()
    with pytest.raises(MeasurementError, match="cost was not measured"):
        everything.everything(tmp_path / "none", tmp_path / "none.md", only="cost")
    assert not (tmp_path / "none.md").exists()


def test_a_quick_run_is_not_asked_for_what_it_has_not(tmp_path: Path, made: list[str]) -> None:
    with pytest.raises(ConfigurationError, match="--only: a quick run has no 'hour'; it has quality, latency, "):
        everything.everything(tmp_path, quick=True, only="latency,hour")
    assert made == []
