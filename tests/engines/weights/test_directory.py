from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from wavescribe.engines.weights import resolve_weights
from wavescribe.errors import WeightsError

CONTENTS = {"config.json": b"{}", "model.bin": b"weights", "tokenizer.json": b"[]"}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    directory = tmp_path / "my-model"
    directory.mkdir()
    for name, content in CONTENTS.items():
        (directory / name).write_bytes(content)
    return directory


def sum_line(name: str, mark: str = " ") -> str:
    return f"{hashlib.sha256(CONTENTS[Path(name).name]).hexdigest()} {mark}{name}\n"


def test_a_directory_without_sums_is_taken_unpinned(model: Path) -> None:
    resolved = resolve_weights(str(model))
    assert (resolved.name, resolved.directory) == (str(model), model)
    assert (resolved.kind, resolved.pinned) == ("directory", False)


def test_a_relative_directory_resolves_to_an_absolute_one(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(model.parent.parent)
    name = f"{model.parent.name}/{model.name}"  # also has the form of a hub id: the directory comes first
    assert resolve_weights(name).directory == model


@pytest.mark.parametrize(
    ("removed", "named"),
    [
        (["model.bin"], "no model.bin;"),
        (["config.json"], "no config.json;"),
        (["model.bin", "config.json"], "no model.bin and no config.json;"),
    ],
)
def test_a_directory_with_missing_files_is_refused_and_they_are_named(
    model: Path, removed: list[str], named: str
) -> None:
    for name in removed:
        (model / name).unlink()
    with pytest.raises(WeightsError) as caught:
        resolve_weights(str(model))
    assert named in str(caught.value)
    assert str(model) in str(caught.value)


def test_a_directory_whose_sums_are_right_is_pinned(model: Path) -> None:
    lines = [sum_line("./model.bin"), sum_line("config.json", mark="*"), "\n", sum_line("tokenizer.json").upper()]
    lines[-1] = lines[-1].replace("TOKENIZER.JSON", "tokenizer.json")
    (model / "SHA256SUMS").write_text("".join(lines))
    assert resolve_weights(str(model)).pinned


@pytest.mark.parametrize("name", CONTENTS)
def test_a_file_that_differs_from_its_sum_is_refused_and_named(model: Path, name: str) -> None:
    (model / "SHA256SUMS").write_text("".join(map(sum_line, CONTENTS)))
    (model / name).write_bytes(b"changed")
    found = hashlib.sha256(b"changed").hexdigest()
    with pytest.raises(WeightsError, match=rf"{name} has SHA-256 {found}, .*SHA256SUMS"):
        resolve_weights(str(model))


def test_a_listed_file_that_is_missing_is_refused(model: Path) -> None:
    (model / "SHA256SUMS").write_text("".join(map(sum_line, CONTENTS)))
    (model / "tokenizer.json").unlink()
    with pytest.raises(WeightsError, match=r"tokenizer\.json is missing"):
        resolve_weights(str(model))


def test_a_sums_file_that_leaves_the_weights_out_is_refused(model: Path) -> None:
    (model / "SHA256SUMS").write_text(sum_line("config.json"))
    with pytest.raises(WeightsError, match=r"SHA256SUMS does not list model\.bin"):
        resolve_weights(str(model))


def test_a_malformed_sums_file_is_refused_with_its_line(model: Path) -> None:
    (model / "SHA256SUMS").write_text(sum_line("config.json") + "deadbeef  model.bin\n")
    with pytest.raises(WeightsError, match=r"SHA256SUMS line 2 is not .*deadbeef"):
        resolve_weights(str(model))


def test_a_sums_file_that_is_not_text_is_refused(model: Path) -> None:
    (model / "SHA256SUMS").write_bytes(b"\xff\xfe")
    with pytest.raises(WeightsError, match="cannot be read as text"):
        resolve_weights(str(model))
