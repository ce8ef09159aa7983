"""A tiny embedded model: two installed packages with parts, and its entry in the catalogue."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from wavescribe.engines.weights import listing, resolving
from wavescribe.engines.weights.catalogue import EmbeddedModel, PackageFile, PinnedFile, WeightsPackage

FIRST = WeightsPackage("tiny-parts-1", "1.0.0", "tiny_parts_1")
SECOND = WeightsPackage("tiny-parts-2", "1.0.0", "tiny_parts_2")
CONTENTS = {"model.bin": (b"first part, ", b"second part"), "config.json": (b"{}",)}


def pinned(name: str, *parts: PackageFile) -> PinnedFile:
    content = b"".join(CONTENTS[name])
    return PinnedFile(name, len(content), hashlib.sha256(content).hexdigest(), parts)


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory on the import path where the tiny model's packages are installed."""
    directory = tmp_path / "packages"
    for package in (FIRST, SECOND):
        (directory / package.import_name / "data").mkdir(parents=True)
        # Importing it is an error: packages are found without running their code.
        (directory / package.import_name / "__init__.py").write_text("raise AssertionError('imported')")
    (directory / "tiny_parts_1/data/model.bin.part1").write_bytes(CONTENTS["model.bin"][0])
    (directory / "tiny_parts_2/data/model.bin.part2").write_bytes(CONTENTS["model.bin"][1])
    (directory / "tiny_parts_2/data/config.json").write_bytes(CONTENTS["config.json"][0])
    monkeypatch.syspath_prepend(directory)
    return directory


@pytest.fixture
def tiny(packages: Path, monkeypatch: pytest.MonkeyPatch) -> EmbeddedModel:
    """The tiny model, installed and known under its name."""
    parts = (PackageFile(FIRST, "data/model.bin.part1"), PackageFile(SECOND, "data/model.bin.part2"))
    files = (pinned("model.bin", *parts), pinned("config.json", PackageFile(SECOND, "data/config.json")))
    model = EmbeddedModel("tiny", "1.0.0", files, False, "MIT", "English")
    for module in (resolving, listing):
        monkeypatch.setattr(module, "EMBEDDED_MODELS", {"tiny": model})
    return model
