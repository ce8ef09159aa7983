"""A model of the Hugging Face hub, from the hub's own cache, without a network."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from qwen3_files import write_checkpoint

from wavescribe.engines.qwen3.configuration import SHAPES, TextShape
from wavescribe.engines.qwen3.random_weights import random_weights

NAME = "Qwen/Qwen3-ASR-0.6B"
COMMIT = "0" * 40
LOAD = """
import sys
from wavescribe.engines.loading import load_engine
from wavescribe.errors import WavescribeError
try:
    engine = load_engine(sys.argv[1], device="cpu", threads_per_worker=1)
except WavescribeError as error:
    print(type(error).__name__, error)
else:
    print(engine.info.name)
"""


def loaded(home: Path) -> str:
    """What loading the model gives in a process without a network, whose hub keeps its cache there."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOAD, NAME],
        env={**environment, "HF_HUB_OFFLINE": "1", "HF_HOME": str(home)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=170,
        cwd=home,
    )
    return done.stdout.strip()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """The home of a hub whose cache has the model: links to files that are named by their SHA-256."""
    toy = SHAPES["toy"]
    shape = replace(toy, text=TextShape(96, 1, 4, 2, 32, 192, 151936, 1e6, 1e-6), audio=replace(toy.audio, layers=1))
    files = write_checkpoint(tmp_path / "files", shape, random_weights(shape, dtype=torch.bfloat16), shards=2)
    repository = tmp_path / "home" / "hub" / f"models--{NAME.replace('/', '--')}"
    for folder in ("refs", "blobs", f"snapshots/{COMMIT}"):
        (repository / folder).mkdir(parents=True)
    (repository / "refs" / "main").write_text(COMMIT)
    for path in files.iterdir():
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        path.rename(repository / "blobs" / digest)
        (repository / "snapshots" / COMMIT / path.name).symlink_to(f"../../blobs/{digest}")
    return tmp_path / "home"


def test_a_model_in_the_hubs_cache_loads_by_its_name(cache: Path) -> None:
    assert loaded(cache) == NAME


def test_a_damaged_shard_in_the_hubs_cache_is_refused_by_its_sum(cache: Path) -> None:
    [shard] = cache.rglob("model-00002-of-00002.safetensors")
    blob = shard.resolve()
    content = bytearray(blob.read_bytes())
    content[-1] ^= 1
    blob.write_bytes(content)
    found = loaded(cache)
    assert found.startswith(f"WeightsError weights file {blob} has SHA-256 ")
    assert f"delete {blob}" in found


def test_without_a_network_the_error_says_to_give_a_directory(tmp_path: Path) -> None:
    found = loaded(tmp_path)
    assert found.startswith(f"WeightsError weights of {NAME} could not be fetched from the Hugging Face hub")
    assert "give the path of a directory" in found
