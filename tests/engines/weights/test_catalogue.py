from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from wavescribe.engines.weights import resolve_weights
from wavescribe.engines.weights.catalogue import EMBEDDED_MODELS

RESOLVE_ON_SIGNAL = """
from wavescribe.engines.weights import resolve_weights
print("ready", flush=True)
input()
print(resolve_weights("whisper-base").directory)
"""


@dataclass(frozen=True)
class Start:
    cache: Path
    directories: tuple[Path, ...]


@pytest.fixture(scope="module")
def two_starts(tmp_path_factory: pytest.TempPathFactory) -> Start:
    """Two processes that resolve whisper-base in one empty cache at the same time."""
    cache = tmp_path_factory.mktemp("cache")
    processes = [_start(cache) for _ in range(2)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    outputs = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    return Start(cache, tuple(Path(output.strip()) for output, _ in outputs))


def _start(cache: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RESOLVE_ON_SIGNAL],
        env={**os.environ, "WAVESCRIBE_CACHE_DIR": str(cache)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_two_processes_that_start_at_once_leave_one_set_of_whole_files(two_starts: Start) -> None:
    first, second = two_starts.directories
    assert first == second
    assert first.is_relative_to(two_starts.cache)
    files = sorted(path.name for path in two_starts.cache.rglob("*") if path.is_file())
    assert files == ["config.json", "model.bin", "tokenizer.json", "vocabulary.json"]


def test_whisper_base_joined_from_its_parts_is_the_pinned_model(two_starts: Start) -> None:
    directory = two_starts.directories[0]
    assert sha256_of(directory / "model.bin") == "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57"
    pins = {file.name: file.sha256 for file in EMBEDDED_MODELS["whisper-base"].files}
    assert {path.name: sha256_of(path) for path in directory.iterdir()} == pins


def test_a_later_start_uses_the_joined_files_as_they_are(two_starts: Start) -> None:
    before = {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in two_starts.directories[0].iterdir()}
    resolved = resolve_weights("whisper-base", cache_directory=two_starts.cache)
    assert resolved.directory == two_starts.directories[0]
    assert (resolved.kind, resolved.pinned) == ("embedded", True)
    assert {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in before} == before


def test_whisper_tiny_is_checked_and_used_where_its_package_put_it(tmp_path: Path) -> None:
    resolved = resolve_weights("whisper-tiny.en", cache_directory=tmp_path)
    assert (resolved.kind, resolved.pinned) == ("embedded", True)
    assert (
        sha256_of(resolved.directory / "model.bin")
        == "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
    )
    assert list(tmp_path.iterdir()) == []
