"""What is wrong with a checkpoint, a setting or the installation ends the program with one line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from qwen3_files import write_checkpoint
from safetensors.torch import load_file, save_file

from wavescribe.engines.qwen3.configuration import SHAPES, TextShape
from wavescribe.engines.qwen3.random_weights import random_weights

PROGRAM = Path(sysconfig.get_path("scripts")) / "wavescribe"
SHARD = "model-00002-of-00002.safetensors"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint in two shards with nothing wrong."""
    toy = SHAPES["toy"]
    text = TextShape(96, 1, 4, 2, 32, 192, 151936, 1e6, 1e-6)
    shape = replace(toy, text=text, audio=replace(toy.audio, layers=1))
    weights = random_weights(shape, dtype=torch.bfloat16)
    return write_checkpoint(tmp_path_factory.mktemp("model"), shape, weights, shards=2)


def refused(*flags: str | Path, code: int, **environment: str) -> str:
    """The one line with which the program ends."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("WAVESCRIBE_")}
    done = subprocess.run(
        [PROGRAM, "serve", "--device", "cpu", *flags],
        capture_output=True,
        text=True,
        timeout=170,
        env=inherited | environment,
    )
    assert done.returncode == code, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def drop_shard(directory: Path) -> None:
    (directory / SHARD).unlink()


def damage_shard(directory: Path) -> None:
    (directory / SHARD).write_bytes((directory / SHARD).read_bytes()[:-1000])


def change_type(directory: Path) -> None:
    tensors = load_file(directory / SHARD)
    first = next(iter(tensors))
    save_file(tensors | {first: tensors[first].to(torch.int8)}, directory / SHARD)


def change_layout(directory: Path) -> None:
    (directory / "config.json").write_text('{"model_type": "qwen3_asr", "listener": {}}')


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (drop_shard, f"has no {SHARD}, which model.safetensors.index.json names; copy the missing shard"),
        (damage_shard, f"{SHARD} cannot be read as safetensors"),
        (change_type, "is torch.int8; expected bfloat16, float16 or float32"),
        (change_layout, "unknown layout of config.json"),
    ],
)
def test_a_spoilt_checkpoint_is_one_clear_line(
    spoil: Callable[[Path], None], words: str, sound: Path, tmp_path: Path
) -> None:
    directory = tmp_path / "model"
    shutil.copytree(sound, directory)
    spoil(directory)
    line = refused("--model", directory, code=1)
    assert line.startswith("wavescribe: ")
    assert words in line


@pytest.mark.parametrize(
    ("flag", "value", "words"),
    [
        ("--compute-type", "int8", "setting compute_type: Qwen3-ASR runs as float32, float16, bfloat16, got 'int8'"),
        ("--cache-bytes", "10", "setting cache_bytes: 10 bytes for keys and values are less than one page"),
        ("--aligner", "nowhere", "setting aligner: model 'nowhere' is neither a directory nor"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(flag: str, value: str, words: str, sound: Path) -> None:
    assert refused("--model", sound, flag, value, code=2).startswith(f"wavescribe: {words}")


def test_without_torch_the_line_says_what_to_install(sound: Path, tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    line = refused("--model", sound, code=1, PYTHONPATH=path)
    assert line.endswith("needs the package torch, which is not installed: pip install 'wavescribe[qwen]'")
