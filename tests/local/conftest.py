from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def fox() -> Path:
    """Three seconds of English: the quick brown fox jumps over the lazy dog."""
    found = importlib.util.find_spec("pytest_audioeval")
    assert found is not None, "the package pytest_audioeval is not installed"
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0]) / "samples" / "audio" / "en" / "quick_brown_fox.wav"
