"""The settings object from flags, the environment and a TOML file, and its print."""

from __future__ import annotations

import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wavescribe.cli.printed_settings import as_toml
from wavescribe.errors import ConfigurationError
from wavescribe.settings import Settings, load_settings

Run = Callable[..., subprocess.CompletedProcess[str]]

OTHERS: dict[str, Any] = {
    "port": 9000,
    "model": 'a "quoted" model \\ é',
    "step_seconds": 1.5,
    "max_sessions": 7,
    "log_transcripts": True,
    "allowed_origin": ("https://a.example", "https://b.example"),
    "ssl_certfile": Path(__file__),
    "ssl_keyfile": Path(__file__),
    "max_audio_seconds": 1e6,
}
"""Values of every type that a setting may have."""


@pytest.fixture(autouse=True)
def no_settings_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"WAVESCRIBE_{name.upper()}", raising=False)


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    """Write a configuration."""

    def write(text: str) -> Path:
        path = tmp_path / "wavescribe.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_file_sets_what_it_names_and_the_rest_is_as_it_comes(file: Callable[[str], Path]) -> None:
    settings = load_settings(file('port = 9000\nmodel = "whisper-tiny.en"\nallowed_origin = ["https://a.example"]\n'))
    changed = {name for name in Settings.model_fields if getattr(settings, name) != getattr(load_settings(), name)}
    assert changed == {"port", "model", "allowed_origin"}
    assert (settings.port, settings.allowed_origin) == (9000, ("https://a.example",))


def test_flags_win_over_the_environment_and_that_over_the_file(
    file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = file("port = 1\nmax_sessions = 1\nworkers = 1\n")
    monkeypatch.setenv("WAVESCRIBE_PORT", "2")
    monkeypatch.setenv("WAVESCRIBE_MAX_SESSIONS", "2")
    settings = load_settings(config, port=3)
    assert (settings.port, settings.max_sessions, settings.workers) == (3, 2, 1)


def test_keys_of_a_file_are_taken(file: Callable[[str], Path]) -> None:
    settings = load_settings(file('api_key = ["one", "two"]\n'))
    assert [key.get_secret_value() for key in settings.api_key] == ["one", "two"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prot = 9000\n", r"setting prot: .*not permitted.*, got 9000"),
        ('port = "eight"\n', r"setting port: .*integer.*, got 'eight'"),
        ("max_sessions = 0\n", r"setting max_sessions: .*greater than or equal to 1, got 0"),
        ("log_format = 3\n", r"setting log_format: Input should be 'text' or 'json', got 3"),
        ("port = \n", r"wavescribe\.toml is not TOML: "),
        ("[server]\nport = 1\n", r"setting server: "),
        (f'ssl_keyfile = "{__file__}"\n', r"ssl_keyfile is given without ssl_certfile"),
        ('ssl_certfile = "/no/such.pem"\n', r"setting ssl_certfile: Value error, there is no such file"),
        ("stall_seconds = inf\n", r"setting stall_seconds: Input should be a finite number, got inf"),
        ("max_session_seconds = nan\n", r"setting max_session_seconds: Input should be a finite number, got nan"),
    ],
    ids=["unknown", "type", "range", "choice", "no TOML", "table", "together", "no file", "infinite", "no number"],
)
def test_a_wrong_file_is_one_error_that_names_the_setting(file: Callable[[str], Path], text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        load_settings(file(text))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"cannot read the configuration /no/such\.toml: No such file"):
        load_settings(Path("/no/such.toml"))


def test_a_file_that_is_not_text_is_no_toml(tmp_path: Path) -> None:
    config = tmp_path / "wavescribe.toml"
    config.write_bytes(b"port = 1 # \xff\n")
    with pytest.raises(ConfigurationError, match="is not TOML"):
        load_settings(config)


def test_a_wrong_key_is_never_quoted(file: Callable[[str], Path]) -> None:
    with pytest.raises(ConfigurationError, match="setting api_key") as caught:
        load_settings(file('api_key = { secret = "hidden" }\n'))
    assert "hidden" not in str(caught.value)


def test_what_is_printed_reads_back_as_the_same_settings(file: Callable[[str], Path]) -> None:
    settings = load_settings(**OTHERS)
    assert {getattr(settings, name) == getattr(load_settings(), name) for name in OTHERS} == {False}
    assert load_settings(file(as_toml(settings))).model_dump() == settings.model_dump()


def test_every_setting_is_printed_once_under_its_description() -> None:
    printed = as_toml(load_settings()).splitlines()
    for name in Settings.model_fields:
        lines = [number for number, line in enumerate(printed) if line.removeprefix("# ").startswith(f"{name} = ")]
        assert len(lines) == 1, name
        assert printed[lines[0] - 1].startswith("# "), name


def test_keys_are_not_printed() -> None:
    printed = as_toml(load_settings(api_key=("hidden", "hidden too")))
    assert "hidden" not in printed
    assert "# api_key = []  # 2 given, not printed" in printed


def test_keys_that_are_left_out_are_told_beside_the_file(run: Run) -> None:
    result = run("serve", "--print-config", WAVESCRIBE_API_KEY="hidden,hidden too")
    assert "hidden" not in result.stdout + result.stderr
    assert result.stderr == "wavescribe: 2 keys are left out; keep keys in a file: api_key_file\n"


def test_the_program_prints_what_it_was_given_from_everywhere(run: Run, file: Callable[[str], Path]) -> None:
    config = file("max_sessions = 5\nworkers = 3\n")
    given = ("serve", "--config", config, "--port", "9001", "--print-config")
    result = run(*given, WAVESCRIBE_WORKERS="4")
    assert (result.returncode, result.stderr) == (0, "")
    printed = tomllib.loads(result.stdout)
    assert (printed["port"], printed["max_sessions"], printed["workers"]) == (9001, 5, 4)
    again = run("serve", "--config", file(result.stdout), "--print-config")
    assert again.stdout == result.stdout


@pytest.mark.parametrize(
    ("text", "message"), [("prot = 1\n", "setting prot: "), ("port = \n", "is not TOML"), (None, "cannot read the")]
)
def test_the_program_ends_at_once_with_a_wrong_file(
    run: Run, file: Callable[[str], Path], tmp_path: Path, text: str | None, message: str
) -> None:
    config = tmp_path / "none.toml" if text is None else file(text)
    result = run("serve", "--config", config)
    assert result.returncode == 2
    [line] = result.stderr.splitlines()
    assert line.startswith("wavescribe: ")
    assert message in line
