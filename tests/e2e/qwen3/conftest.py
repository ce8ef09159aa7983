"""Small checkpoints with random weights, for the program to serve."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "engines" / "qwen3" / "support"))

HAS_EXTRA = all(importlib.util.find_spec(name) for name in ("torch", "safetensors"))
if not HAS_EXTRA:
    collect_ignore_glob = ["test_*.py"]

if TYPE_CHECKING:
    from wavescribe.engines.qwen3.engine import Qwen3AsrEngine


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.qwen)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint directory."""
    from qwen3_files import write_checkpoint

    from wavescribe.engines.qwen3.configuration import SHAPES
    from wavescribe.engines.qwen3.random_weights import random_weights

    return write_checkpoint(tmp_path_factory.mktemp("model"), SHAPES["toy"], random_weights(SHAPES["toy"], seed=3))


@pytest.fixture(scope="session")
def aligner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint directory of a forced aligner."""
    from qwen3_files import write_checkpoint

    from wavescribe.engines.qwen3.configuration import SHAPES
    from wavescribe.engines.qwen3.random_weights import random_weights

    shape = replace(SHAPES["toy"], classes=300)
    return write_checkpoint(tmp_path_factory.mktemp("aligner"), shape, random_weights(shape, seed=9), "transformers")


@pytest.fixture(scope="session")
def offline(model: Path, aligner: Path) -> Iterator[Qwen3AsrEngine]:
    """The engine of these checkpoints in the tests' own process."""
    from wavescribe.engines.qwen3.loading import load_qwen3

    engine = load_qwen3(str(model), device="cpu", threads=1, pool_bytes=2**26, aligner=str(aligner))
    yield engine
    engine.close()
