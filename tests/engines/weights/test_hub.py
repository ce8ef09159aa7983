from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from wavescribe.engines.weights.hub import is_hub_name

COMMIT = "0" * 40
WEIGHTS = b"weights"
RESOLVE = """
import sys
from wavescribe.engines.weights import resolve_weights
from wavescribe.errors import WeightsError
try:
    resolved = resolve_weights(sys.argv[1])
except WeightsError as error:
    print("WeightsError", error)
else:
    print(resolved.kind, resolved.pinned, resolved.directory)
"""


def resolve_offline(name: str, hub_home: Path) -> str:
    """Resolve in a process without network, as the hub's settings are read when it is imported."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    finished = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RESOLVE, name],
        env={**environment, "HF_HUB_OFFLINE": "1", "HF_HOME": str(hub_home)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=hub_home,
    )
    return finished.stdout


def cache_model(hub_home: Path, repository: str, files: dict[str, bytes]) -> Path:
    """Lay files out as the hub's cache does; large files are links to a file named by the SHA-256."""
    repository_directory = hub_home / "hub" / f"models--{repository.replace('/', '--')}"
    snapshot = repository_directory / "snapshots" / COMMIT
    for directory in ("refs", "blobs", f"snapshots/{COMMIT}"):
        (repository_directory / directory).mkdir(parents=True)
    (repository_directory / "refs/main").write_text(COMMIT)
    for name, content in files.items():
        digest = hashlib.sha256(WEIGHTS).hexdigest() if name == "model.bin" else "1" * 40
        (repository_directory / "blobs" / digest).write_bytes(content)
        (snapshot / name).symlink_to(f"../../blobs/{digest}")
    return snapshot


@pytest.mark.parametrize("name", ["someone/some-model", "small"])
def test_without_network_the_error_says_to_give_a_directory(tmp_path: Path, name: str) -> None:
    output = resolve_offline(name, tmp_path)
    assert output.startswith(f"WeightsError weights of {name} could not be fetched from the Hugging Face hub")
    assert "give the path of a directory" in output


def test_a_model_in_the_hubs_cache_resolves_without_network(tmp_path: Path) -> None:
    snapshot = cache_model(tmp_path, "someone/some-model", {"model.bin": WEIGHTS, "config.json": b"{}"})
    assert resolve_offline("someone/some-model", tmp_path) == f"hub False {snapshot}\n"


def test_a_size_of_faster_whisper_is_found_under_its_repository(tmp_path: Path) -> None:
    snapshot = cache_model(tmp_path, "Systran/faster-whisper-small", {"model.bin": WEIGHTS, "config.json": b"{}"})
    assert resolve_offline("small", tmp_path) == f"hub False {snapshot}\n"


def test_damaged_weights_in_the_hubs_cache_are_refused(tmp_path: Path) -> None:
    cache_model(tmp_path, "someone/some-model", {"model.bin": b"Weights", "config.json": b"{}"})
    output = resolve_offline("someone/some-model", tmp_path)
    digest = hashlib.sha256(WEIGHTS).hexdigest()
    assert f"blobs/{digest} has SHA-256 {hashlib.sha256(b'Weights').hexdigest()}" in output
    assert f"delete {tmp_path}" in output


def test_a_repository_that_is_no_whisper_model_is_refused(tmp_path: Path) -> None:
    cache_model(tmp_path, "someone/some-model", {"config.json": b"{}"})
    output = resolve_offline("someone/some-model", tmp_path)
    assert "has no model.bin; someone/some-model must be a Whisper model in CTranslate2's format" in output


@pytest.mark.parametrize("name", ["small", "large-v3", "Systran/faster-whisper-small", "owner/name_1.0"])
def test_sizes_and_ids_with_one_slash_are_hub_names(name: str) -> None:
    assert is_hub_name(name)


@pytest.mark.parametrize("name", ["", "huge", "./model", "/model", "~/model", "a/b/c", "owner/", "../model"])
def test_paths_and_other_words_are_no_hub_names(name: str) -> None:
    assert not is_hub_name(name)
