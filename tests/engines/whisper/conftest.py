from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from wavescribe.audio.decoding import decode_audio
from wavescribe.engines.base import Samples
from wavescribe.engines.whisper import WhisperEngine, load_whisper


@pytest.fixture(scope="session")
def base() -> Iterator[WhisperEngine]:
    engine = load_whisper("whisper-base")
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def tiny_english() -> Iterator[WhisperEngine]:
    engine = load_whisper("whisper-tiny.en")
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def clip() -> Callable[[str], Samples]:
    """A recording of the pytest-audioeval package, by language and name."""
    package = importlib.util.find_spec("pytest_audioeval")
    assert package is not None
    assert package.submodule_search_locations is not None
    folder = Path(package.submodule_search_locations[0]) / "samples" / "audio"
    return lambda name: decode_audio(folder / f"{name}.wav", sample_rate=16_000, max_seconds=60)
