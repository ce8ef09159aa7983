from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> Iterator[None]:
    """Programs started here obey SIGINT, also where a shell started the tests in the background and ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def program() -> str:
    """The installed program."""
    return str(Path(sysconfig.get_path("scripts")) / "wavescribe")


@pytest.fixture(scope="session")
def environment() -> Callable[..., dict[str, str]]:
    """The environment of a program, with wide lines and without settings of wavescribe but those given."""
    return make_environment


@pytest.fixture(scope="session")
def run(program: str) -> Run:
    """Run the installed program to its end: (*arguments, **settings from the environment)."""

    def run_program(*arguments: str | Path, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, *arguments], env=make_environment(**settings), capture_output=True, text=True, timeout=120
        )

    return run_program


@pytest.fixture(scope="session")
def fox() -> Path:
    """Three seconds of English: the quick brown fox jumps over the lazy dog."""
    return package_directory("pytest_audioeval") / "samples" / "audio" / "en" / "quick_brown_fox.wav"


@pytest.fixture(scope="session")
def counting() -> Path:
    """Three seconds of English: one to ten."""
    return package_directory("pytest_audioeval") / "samples" / "audio" / "en" / "counting.wav"


@pytest.fixture(scope="session")
def two_cities() -> Path:
    """44 seconds of English: the opening of A Tale of Two Cities."""
    return package_directory("moonshine_voice") / "assets" / "two_cities.wav"


def make_environment(**settings: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("WAVESCRIBE_")}
    return inherited | {"COLUMNS": "200", "NO_COLOR": "1"} | settings


def package_directory(name: str) -> Path:
    """Where an installed package lies, without importing it."""
    found = importlib.util.find_spec(name)
    assert found is not None, f"the package {name} is not installed"
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0])
