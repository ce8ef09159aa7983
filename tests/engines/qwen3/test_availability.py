from __future__ import annotations

import builtins
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from wavescribe.engines.loading import load_engine
from wavescribe.engines.qwen3.locating import is_qwen3_name
from wavescribe.errors import EngineError


def test_the_packages_of_the_extra_are_there() -> None:
    for name in ("torch", "transformers", "safetensors"):
        pytest.importorskip(name, reason=f"{name} is not installed: the other tests of this folder are left out")


def test_without_torch_the_error_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_torch(
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> object:
        if name.split(".")[0] == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")
        return real(name, globals, locals, fromlist or (), level)

    for name in [each for each in sys.modules if each.startswith("wavescribe.engines.qwen3.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without_torch)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "qwen3_asr"}))
    with pytest.raises(EngineError, match=r"needs the package torch.*pip install 'wavescribe\[qwen\]'"):
        load_engine(str(tmp_path))


def test_a_model_of_this_kind_is_known_by_its_name_or_its_configuration(tmp_path: Path) -> None:
    assert is_qwen3_name("Qwen/Qwen3-ASR-0.6B")
    assert is_qwen3_name("Qwen/Qwen3-ASR-1.7B-hf")
    assert not is_qwen3_name("whisper-base")
    assert not is_qwen3_name("Systran/faster-whisper-small")
    assert not is_qwen3_name(str(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "whisper"}))
    assert not is_qwen3_name(str(tmp_path))
