from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from wavescribe.bench.corpus import read_corpus
from wavescribe.bench.program import app
from wavescribe.cli import bench
from wavescribe.errors import ConfigurationError

ENGLISH = ["--model", "whisper-tiny.en"]


def run(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    found = subprocess.run(
        [sys.executable, "-m", "wavescribe", "bench", *arguments], capture_output=True, text=True, timeout=170
    )
    assert found.returncode == code, found.stderr
    return found


def written(folder: Path, name: str) -> Any:
    return json.loads((folder / f"{name}.json").read_text())


def test_help_lists_the_measurements() -> None:
    shown = run("--help").stdout
    assert all(name in shown for name in ("quality", "latency", "cost", "load", "compare", "gate"))


def test_without_the_extra_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "NEEDED", ("json", "a_module_that_is_not_there"))
    with pytest.raises(ConfigurationError, match=r"a_module_that_is_not_there.*pip install 'wavescribe\[bench\]'"):
        bench.bench_command(None)  # type: ignore[arg-type]  # it fails before it looks at its arguments


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["load", "--streams", "0"], "--streams '0'"),
        (["load", "--", "--frob", "2"], "frob"),
        (["latency", "--turns", "other"], "--turns 'other'"),
        (["cost", "--lengths", "long"], "--lengths 'long'"),
        (["cost", "--strategies", "other"], "strategy 'other'"),
        (["quality", "--delays", "other"], "--delays 'other'"),
        (["quality", "--corpus", "/nowhere"], "/nowhere"),
        (["compare", "--no-own"], "nothing to compare"),
        (["all", "--output", "/nowhere", "--only", "quality,colour"], "--only: 'colour'"),
    ],
)
def test_a_wrong_option_is_told_before_anything_is_measured(arguments: list[str], message: str) -> None:
    found = CliRunner().invoke(app, arguments)
    assert isinstance(found.exception, ConfigurationError)
    assert message in str(found.exception)


def test_a_recording_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "noise.raw").write_bytes(b"no sound that anybody knows")
    line = {"id": "a", "file": "noise.raw", "seconds": 1, "language": "en", "kind": "short", "text": "one"}
    (tmp_path / "manifest.jsonl").write_text(json.dumps(line | {"ref_quality": "human"}))
    for recording in read_corpus(tmp_path):
        with pytest.raises(ConfigurationError, match=r"recording .*noise\.raw cannot be read: Invalid file format"):
            recording.samples()


@pytest.mark.slow
@pytest.mark.model
def test_latency_and_load_are_measured_at_a_server_of_another_process(tmp_path: Path) -> None:
    options = ["--seconds", "4", "--output", str(tmp_path), "--aligner", "whisper-tiny.en", "--", *ENGLISH]
    run("latency", *options)
    figures = written(tmp_path, "latency")["data"]
    assert figures["settle_lags"]["count"] > 5
    assert figures["final_completed"]["count"] >= 1
    assert figures["slip"]["count"] >= 40
    assert figures["first_texts"]["count"] == figures["final_completed"]["count"]
    run("load", "--streams", "1,2", *options[:-3], "--", *ENGLISH, "--max-sessions", "1")
    levels = written(tmp_path, "load")["data"]["levels"]
    assert (levels["1"]["refusals"], levels["2"]["refusals"]) == (0, 1)
    assert all(levels[level]["word_error_rate"] < 0.5 for level in ("1", "2"))


@pytest.mark.slow
@pytest.mark.model
def test_a_regression_fails_the_gate_with_a_readable_line() -> None:
    failed = run("gate", "--strategy", "sliced", "--laps", "2", *ENGLISH, code=1)
    assert "bench gate: word error rate of streaming above greedy offline decoding is" in failed.stderr
    assert "text has become worse only because it is streamed" in failed.stderr


def decoded(steps: list[dict[str, Any]], start: float, end: float) -> float:
    """Seconds of audio that were decoded for each second of a part of a stream."""
    heard = [step["window"] for step in steps if start < step["position"] <= end and not step["closing"]]
    return float(sum(heard)) / (end - start)


@pytest.mark.slow
@pytest.mark.model
def test_cumulative_decodes_ever_more_for_a_second_of_audio_and_the_others_do_not(tmp_path: Path) -> None:
    run("cost", "--lengths", "15,45", "--no-loops", "--budget", "3600", "--output", str(tmp_path), *ENGLISH)
    data = written(tmp_path, "cost")["data"]
    steps = {each["strategy"]: each["steps"] for each in data["strategies"]}
    growth = {name: decoded(each, 0, 45) / decoded(each, 0, 15) for name, each in steps.items()}
    assert growth["cumulative"] > 2.5
    assert growth["sliced"] < 1.25
    assert growth["segmented"] < 1.25
    assert growth["windowed"] < 1.25
    for each in data["strategies"]:
        last = each["by_length"]["45.0"]
        assert last == [step for step in each["steps"] if not step["closing"]][-1]
        assert last["total_cpu"] < each["cpu_seconds"]


@pytest.mark.slow
@pytest.mark.model
def test_cost_and_quality_are_measured_without_a_corpus(tmp_path: Path) -> None:
    run("cost", "--lengths", "8,16", "--no-loops", "--budget", "60", "--output", str(tmp_path), *ENGLISH)
    strategies = written(tmp_path, "cost")["data"]["strategies"]
    assert [each["strategy"] for each in strategies] == ["cumulative", "sliced", "segmented", "windowed"]
    assert all(each["by_length"]["16.0"] for each in strategies)
    run("quality", "--output", str(tmp_path), *ENGLISH)
    whole = written(tmp_path, "quality")["data"]["delays"]["medium"]
    assert whole["words"] > 100
    assert whole["penalty_interval"] is None  # the installed recordings are too few


@pytest.mark.slow
@pytest.mark.model
def test_one_of_all_measurements_is_made_and_the_page_keeps_those_that_are_there(tmp_path: Path) -> None:
    run("quality", "--output", str(tmp_path), *ENGLISH)
    page = tmp_path / "docs" / "results.md"
    page.parent.mkdir()
    run("all", "--quick", "--only", "cost", "--output", str(tmp_path), "--page", str(page))
    text = page.read_text()
    assert "## quality" in text
    assert "## cost" in text
    assert "## load" not in text
    assert (page.parent / "results" / "cost_length.svg").exists()
