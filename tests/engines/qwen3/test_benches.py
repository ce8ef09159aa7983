from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from qwen3_files import write_checkpoint
from typer.testing import CliRunner

from wavescribe.bench.program import app
from wavescribe.bench.qwen_cost import compare
from wavescribe.engines.base import DecodeRequest, Samples
from wavescribe.engines.qwen3 import loading
from wavescribe.engines.qwen3 import random_engine as random_engine_module
from wavescribe.engines.qwen3.configuration import SHAPES, ModelShape
from wavescribe.engines.qwen3.random_engine import FIRST_WORD, random_engine
from wavescribe.errors import ConfigurationError

SCRIPT = Path(__file__).parents[3] / "bench" / "gpu_qwen.py"


def test_the_gpu_script_runs_at_a_toy_size_and_writes_its_results(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", str(SCRIPT), "--output", str(tmp_path), "--device", "cpu"]
    command += ["--sizes", "toy", "--batches", "1,2", "--steps", "1", "--ages", "10"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=170, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False
    )
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "gpu_qwen.json").read_text())
    assert [row["batch"] for row in report["rows"]] == [1, 1, 1, 2, 2, 2]
    for row in report["rows"]:
        assert row["problem"] == ""
        assert row["steps"] == 1
        assert row["tokens_per_second"] > 0
        assert row["passes"] == 12
    page = (tmp_path / "gpu_qwen.md").read_text()
    assert page.count("\n| toy |") == 6


def test_the_gpu_script_writes_down_what_it_had_no_time_for(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--output", str(tmp_path), "--device", "cpu", "--minutes", "0"]
    subprocess.run(command, capture_output=True, timeout=170, check=True)
    report = json.loads((tmp_path / "gpu_qwen.json").read_text())
    assert {row["problem"] for row in report["rows"]} == {"no time left"}


def test_random_weights_say_numbered_words_at_the_pace_of_speech(speech: Samples) -> None:
    engine = random_engine("toy", pool_bytes=2**24)
    window = speech[2 * 16_000 : 8 * 16_000]
    found = engine.decode([DecodeRequest(window, language="en", cache_key=("s", 2 * 16_000))])[0]
    assert [token for piece in found.pieces for token in piece.token_ids] == list(
        range(FIRST_WORD + 5, FIRST_WORD + 20)
    )
    prefix = (FIRST_WORD + 5, FIRST_WORD + 6)
    forced = engine.decode([DecodeRequest(window, language="en", prefix=prefix, cache_key=("s", 2 * 16_000))])[0]
    assert forced.text == found.text


def test_random_weights_are_of_the_type_and_run_the_kernel_of_a_loaded_model(monkeypatch: pytest.MonkeyPatch) -> None:
    # As on CUDA, for which the type is chosen and the kernel is proven.
    monkeypatch.setattr(random_engine_module, "torch_dtype", lambda *_: torch.bfloat16)
    monkeypatch.setattr(loading, "proven_kernel", lambda *_: ("varlen", ""))
    model = random_engine("toy", pool_bytes=2**24).streams.stepper._model
    assert (model.dtype, model.decoder.kernel) == (torch.bfloat16, "varlen")


def test_types_are_those_of_the_device() -> None:
    assert loading.torch_dtype(None, torch.device("cuda")) == torch.bfloat16
    assert loading.torch_dtype(None, torch.device("cpu")) == torch.float32


def test_every_strategy_runs_on_this_engine_and_kept_state_costs_less(speech: Samples) -> None:
    costs = {cost.name: cost for cost in compare(random_engine("toy"), speech, SHAPES["0.6B"])}
    assert len(costs) == 6
    assert min(cost.steps for cost in costs.values()) >= 8
    last = {name: cost.gigaflop[2] for name, cost in costs.items()}
    assert last["cumulative, state kept"] < 0.6 * last["cumulative, every window anew"]
    anew, kept = costs["windowed, every window anew"], costs["windowed, state kept"]
    assert kept.gigaflop[0] < costs["cumulative, every window anew"].gigaflop[0]
    assert kept.gigaflop[1] < 300 > anew.gigaflop[1]
    assert costs["segmented, state kept"].gigaflop[0] < kept.gigaflop[0]


def bench_cost(folder: Path, *options: str) -> dict[str, Any]:
    """The figures of `wavescribe bench cost`."""
    arguments = ["cost", "--step-seconds", "2", "--output", str(folder), *options]
    found = CliRunner().invoke(app, arguments)
    assert found.exception is None, found.exception
    data: dict[str, Any] = json.loads((folder / "cost.json").read_text())["data"]
    return data


@pytest.mark.parametrize(("flag", "name"), [("--keep-state", "random-toy"), ("--hear-anew", "every window heard anew")])
def test_bench_cost_compares_the_strategies_with_random_weights(flag: str, name: str, tmp_path: Path) -> None:
    figures = bench_cost(tmp_path, "--lengths", "6,12", "--random-weights", "toy", flag)
    assert name in figures["model"]
    assert [each["strategy"] for each in figures["strategies"]] == ["cumulative", "sliced", "segmented", "windowed"]
    assert figures["looped"] == []
    for each in figures["strategies"]:
        assert len(each["steps"]) >= 5
        assert each["by_length"]["12.0"]["total_cpu"] >= each["by_length"]["6.0"]["total_cpu"] > 0


def test_bench_cost_runs_on_a_checkpoint_directory(
    tmp_path: Path, toy: ModelShape, toy_weights: dict[str, torch.Tensor]
) -> None:
    directory = write_checkpoint(tmp_path / "model", toy, toy_weights)
    figures = bench_cost(tmp_path, "--lengths", "4", "--model", str(directory), "--no-loops")
    assert figures["model"] == str(directory)
    assert len(figures["strategies"]) == 4
    assert all(each["by_length"]["4.0"] for each in figures["strategies"])


def test_an_unknown_size_of_random_weights_is_told(tmp_path: Path) -> None:
    found = CliRunner().invoke(app, ["cost", "--lengths", "1", "--random-weights", "9B"])
    assert isinstance(found.exception, ConfigurationError)
    assert "random weights of size '9B' are unknown; expected one of toy, 0.6B, 1.7B" in str(found.exception)
