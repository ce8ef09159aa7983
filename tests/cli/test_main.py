from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

COMMANDS = ("serve", "transcribe", "models")


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_lists_every_command(run: Run, flag: str) -> None:
    result = run(flag)
    assert result.returncode == 0
    assert all(command in result.stdout for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(run: Run, command: str) -> None:
    result = run(command, "--help")
    assert result.returncode == 0
    assert f"Usage: wavescribe {command}" in result.stdout
    assert result.stderr == ""


def test_the_package_runs_as_a_module(environment: Callable[..., dict[str, str]]) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "wavescribe", "--help"], env=environment(), capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0
    assert all(command in result.stdout for command in COMMANDS)


def test_no_command_shows_the_help_as_wrong_usage(run: Run) -> None:
    result = run()
    assert result.returncode == 2
    assert "transcribe" in result.stdout + result.stderr


def test_an_unknown_command_is_wrong_usage(run: Run) -> None:
    result = run("frobnicate")
    assert result.returncode == 2
    assert "frobnicate" in result.stderr
