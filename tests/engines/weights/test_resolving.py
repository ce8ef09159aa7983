from __future__ import annotations

from pathlib import Path

import pytest

from wavescribe.engines.weights import resolve_weights
from wavescribe.engines.weights.catalogue import EmbeddedModel
from wavescribe.errors import ModelNotFoundError, WeightsError


def make_directory(path: Path) -> Path:
    path.mkdir()
    (path / "model.bin").write_bytes(b"weights")
    (path / "config.json").write_bytes(b"{}")
    return path


@pytest.mark.parametrize("name", ["whisper-huge", "", "missing/models/base", "./missing"])
def test_an_unknown_name_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(ModelNotFoundError) as caught:
        resolve_weights(name)
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    for known in (repr(name), "whisper-base", "whisper-tiny.en", "large-v3"):
        assert known in str(caught.value)


def test_an_installed_model_comes_before_a_directory_of_its_name(
    tiny: EmbeddedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_directory(tmp_path / "tiny")
    monkeypatch.chdir(tmp_path)
    resolved = resolve_weights("tiny", cache_directory=tmp_path / "cache")
    assert resolved.kind == "embedded"
    assert resolved.directory == tmp_path / "cache/weights/tiny-1.0.0"


def test_a_directory_comes_before_a_known_model_that_is_not_installed(
    tiny: EmbeddedModel, packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (packages / "tiny_parts_1").rename(packages / "uninstalled")
    directory = make_directory(tmp_path / "tiny")
    monkeypatch.chdir(tmp_path)
    assert resolve_weights("tiny").directory == directory


def test_the_files_are_checked_at_every_resolve(tiny: EmbeddedModel, tmp_path: Path) -> None:
    resolved = resolve_weights("tiny", cache_directory=tmp_path)
    resolve_weights("tiny", cache_directory=tmp_path)
    (resolved.directory / "model.bin").write_bytes(b"First part, second part")
    with pytest.raises(WeightsError, match=r"model\.bin has SHA-256"):
        resolve_weights("tiny", cache_directory=tmp_path)


def test_the_users_cache_directory_is_the_default(
    tiny: EmbeddedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WAVESCRIBE_CACHE_DIR", raising=False)
    monkeypatch.setattr("wavescribe.engines.weights.resolving.user_cache_dir", lambda name: str(tmp_path / name))
    assert resolve_weights("tiny").directory == tmp_path / "wavescribe/weights/tiny-1.0.0"


def test_the_environment_names_another_cache_directory(
    tiny: EmbeddedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAVESCRIBE_CACHE_DIR", str(tmp_path / "elsewhere"))
    assert resolve_weights("tiny").directory == tmp_path / "elsewhere/weights/tiny-1.0.0"


def test_a_directory_under_the_home_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    make_directory(tmp_path / "model")
    assert resolve_weights("~/model").directory == tmp_path / "model"
