from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from wavescribe.audio.decoding import decode_audio
from wavescribe.engines.base import Samples

sys.path.insert(0, str(Path(__file__).parent / "support"))

HAS_EXTRA = all(importlib.util.find_spec(name) for name in ("torch", "transformers", "safetensors"))
if not HAS_EXTRA:
    # The extra `qwen` is not installed; test_availability.py says so.
    collect_ignore_glob = ["test_[!a]*.py", "test_a[!v]*.py"]

if TYPE_CHECKING:
    from qwen3_oracle import Oracle
    from qwen3_streams import Lab

    from wavescribe.engines.qwen3.configuration import ModelShape


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents and item.path.name != "test_availability.py":
            item.add_marker(pytest.mark.qwen)


@pytest.fixture(scope="session", autouse=HAS_EXTRA)
def one_thread() -> None:
    """The models are so small that threads cost more than they give."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def toy() -> ModelShape:
    from wavescribe.engines.qwen3.configuration import SHAPES

    return SHAPES["toy"]


@pytest.fixture(scope="session")
def toy_weights(toy: ModelShape) -> Mapping[str, Any]:
    from wavescribe.engines.qwen3.random_weights import random_weights

    return random_weights(toy, seed=3)


@pytest.fixture(scope="session")
def oracle(toy: ModelShape, toy_weights: Mapping[str, Any]) -> Oracle:
    from qwen3_oracle import Oracle

    return Oracle(toy, toy_weights)


@pytest.fixture
def lab(toy: ModelShape, toy_weights: Mapping[str, Any]) -> Lab:
    from qwen3_streams import Lab

    return Lab(toy, toy_weights)


@pytest.fixture(scope="session")
def speech() -> Samples:
    """Half a minute of read speech."""
    package = importlib.util.find_spec("moonshine_voice")
    assert package is not None
    assert package.submodule_search_locations is not None
    path = Path(package.submodule_search_locations[0]) / "assets" / "two_cities.wav"
    return decode_audio(path, sample_rate=16_000, max_seconds=60)[: 30 * 16_000]


@pytest.fixture(scope="session")
def sounds(speech: Samples) -> Mapping[str, Samples]:
    """Streams that move the floor of the features in every way."""
    random = np.random.default_rng(7)
    count = int(26.3 * 16_000)
    noise = random.standard_normal(count).astype(np.float32) * 0.1
    rising = noise * np.geomspace(0.001, 3, count, dtype=np.float32)
    gaps = noise.copy()
    for second in (0, 1, 3, 9, 10, 11, 12, 21):
        gaps[second * 16_000 : (second + 1) * 16_000] = 0.0
    return {"speech": speech[:count], "noise": noise, "rising": rising, "gaps": gaps}


@pytest.fixture(scope="session")
def noise_of() -> Callable[[float, int], Samples]:
    """Noise of a length in seconds, by seed; its level changes, so that the floor matters."""

    def make(seconds: float, seed: int = 0) -> Samples:
        random = np.random.default_rng(seed)
        count = round(seconds * 16_000)
        level = np.exp(random.uniform(-3, 0, count // 1600 + 1)).repeat(1600)[:count]
        return (random.standard_normal(count) * level * 0.1).astype(np.float32)

    return make
