from __future__ import annotations

import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from wavescribe.settings import Settings

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def help_text(run: Run) -> str:
    return run("serve", "--help").stdout


@pytest.mark.parametrize("setting", Settings.model_fields)
def test_every_setting_is_a_flag(help_text: str, setting: str) -> None:
    assert re.search(rf"--{setting.replace('_', '-')}[ ,]", help_text)


@pytest.mark.parametrize("flag", ["--asr-max-concurrent-sessions", "--asr-max-buffer-seconds"])
def test_the_older_names_of_limits_are_flags_too(run: Run, flag: str) -> None:
    result = run("serve", flag, "0")
    assert result.returncode == 2
    assert f"setting {flag.removeprefix('--asr-').replace('concurrent-', '').replace('-', '_')}: " in result.stderr


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("port", "99999"),
        ("workers", "0"),
        ("step_seconds", "0.01"),
        ("device", "abacus"),
        ("max_file_jobs", "none"),
        ("encoder_window_seconds", "9"),
        ("feature_floor", "soft"),
        ("cache_bytes", "0"),
    ],
)
def test_a_wrong_value_in_the_environment_names_the_setting(run: Run, setting: str, value: str) -> None:
    result = run("serve", **{f"WAVESCRIBE_{setting.upper()}": value})
    assert result.returncode == 2
    [line] = result.stderr.splitlines()
    assert line.startswith(f"wavescribe: setting {setting}: ")
    assert f"got '{value}'" in line


def test_a_wrong_value_of_a_flag_names_the_setting(run: Run) -> None:
    result = run("serve", "--port", "99999")
    assert result.returncode == 2
    [line] = result.stderr.splitlines()
    assert line.startswith("wavescribe: setting port: ")


@pytest.mark.parametrize("arguments", [("--port", "eight"), ("--no-such-option",), ("surplus",)])
def test_wrong_usage_exits_with_2(run: Run, arguments: tuple[str, ...]) -> None:
    result = run("serve", *arguments)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


def test_an_unknown_model_is_one_clear_line_and_the_flag_wins(run: Run) -> None:
    result = run("serve", "--model", "from-flag", WAVESCRIBE_MODEL="from-environment")
    assert result.returncode == 1
    [line] = result.stderr.splitlines()
    assert line.startswith("wavescribe: model 'from-flag' is neither a known model")


@pytest.mark.model
def test_a_taken_port_ends_the_program_with_the_reason(run: Run, taken_port: int) -> None:
    result = run("serve", "--model", "whisper-tiny.en", "--port", str(taken_port))
    assert result.returncode not in (0, 2)
    assert "address already in use" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.model
def test_a_server_set_by_the_environment_serves_until_it_is_interrupted(
    program: str, environment: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    port = free_port()
    settings = environment(WAVESCRIBE_PORT=str(port), WAVESCRIBE_MODEL="whisper-tiny.en")
    log = tmp_path / "log"
    with log.open("wb") as output, subprocess.Popen([program, "serve"], stderr=output, env=settings) as process:
        try:
            wait_until_healthy(f"http://127.0.0.1:{port}", process)
            [model] = httpx.get(f"http://127.0.0.1:{port}/v1/models").json()["data"]
            assert model["id"] == "whisper-tiny.en"
            process.send_signal(signal.SIGINT)
            process.wait(30)
        finally:
            process.kill()
    assert process.returncode != -signal.SIGKILL
    assert "Application shutdown complete" in log.read_text()
    assert "Traceback" not in log.read_text()


def wait_until_healthy(url: str, process: subprocess.Popen[bytes]) -> None:
    while True:
        assert process.poll() is None, "the server ended"
        try:
            assert httpx.get(f"{url}/health").json() == {"status": "ok"}
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
