"""compose.yaml, the systemd unit, the settings and the proxies' configurations say what the server needs."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from wavescribe.api.server import CUT_SECONDS as TELLING_SECONDS
from wavescribe.cli.main import app
from wavescribe.cli.serve import CUT_SECONDS
from wavescribe.engines.isolation.process import END_SECONDS
from wavescribe.settings import load_settings

STOPPING_SECONDS = load_settings().drain_seconds + TELLING_SECONDS + CUT_SECONDS + load_settings().workers * END_SECONDS
"""The longest that the server takes to stop, with workers that hang."""


@pytest.fixture(scope="module")
def service(root: Path) -> dict[str, Any]:
    """The one service of compose.yaml."""
    compose = yaml.safe_load((root / "compose.yaml").read_text())
    [service] = compose["services"].values()
    assert set(service["secrets"]) == set(compose["secrets"])
    assert {volume.partition(":")[0] for volume in service["volumes"]} == set(compose["volumes"])
    return dict(service)


def unit(root: Path, name: str) -> str:
    """The value of a name that the unit has once."""
    [value] = re.findall(rf"^{name}=(.*)$", (root / "deploy" / "wavescribe.service").read_text(), re.MULTILINE)
    return str(value)


def understood(arguments: list[str]) -> dict[str, Any]:
    """The options of `wavescribe` with these arguments, as the program reads them.

    Raises:
        click.UsageError: it does not know them.
    """
    group: Any = typer.main.get_command(app)
    with group.make_context("wavescribe", list(arguments)) as context:
        name, command, rest = group.resolve_command(context, arguments)
        with command.make_context(name, rest, parent=context) as inner:
            return dict(inner.params)


def test_the_composed_service_can_write_to_its_cache_and_to_tmp_alone(service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    assert [mount.partition(":")[0] for mount in service["tmpfs"]] == ["/tmp"]
    assert [volume.partition(":")[2] for volume in service["volumes"]] == ["/var/cache/wavescribe"]
    assert service["cap_drop"] == ["ALL"]


def test_the_composed_service_has_limits_a_health_check_and_its_keys_from_a_secret(
    service: dict[str, Any], stages: Any
) -> None:
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}
    assert service["healthcheck"]["test"][1:] == yaml.safe_load(stages[-1].one("HEALTHCHECK").partition("CMD ")[2])
    [secret] = service["secrets"]
    assert str(understood(service["command"])["api_key_file"]) == f"/run/secrets/{secret}"


def test_the_composed_service_and_the_unit_leave_time_to_finish(service: dict[str, Any], root: Path) -> None:
    assert int(service["stop_grace_period"].removesuffix("s")) > STOPPING_SECONDS
    assert int(unit(root, "TimeoutStopSec")) > STOPPING_SECONDS
    assert unit(root, "KillMode") == "mixed", "the workers have to live until the server has finished"
    for name in ("Dockerfile", "docs/deployment.md"):
        [seconds] = re.findall(r"docker stop --time (\d+)", (root / name).read_text())
        assert int(seconds) > STOPPING_SECONDS, name


def test_the_variables_of_the_composed_service_are_settings(
    service: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {name.removeprefix("WAVESCRIBE_").lower() for name in service["environment"]}
    for name, value in service["environment"].items():
        monkeypatch.setenv(name, value)
    assert names <= load_settings().model_fields_set


def test_the_unit_starts_the_server_with_flags_that_it_knows(root: Path) -> None:
    _, *arguments = shlex.split(unit(root, "ExecStart"))
    known = understood(arguments)
    assert known["config"] == Path("/etc/wavescribe/wavescribe.toml")
    assert known["api_key_file"] is not None


def test_systemd_finds_nothing_wrong_with_the_unit(root: Path, tmp_path: Path) -> None:
    if (program := shutil.which("systemd-analyze")) is None:
        pytest.skip("no systemd-analyze on the path")
    text = (root / "deploy" / "wavescribe.service").read_text()
    copy = tmp_path / "wavescribe.service"
    copy.write_text(text.replace("/opt/wavescribe/bin/wavescribe", "/bin/true"))
    done = subprocess.run([program, "verify", copy], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_example_settings_are_settings(root: Path) -> None:
    settings = load_settings(root / "deploy" / "wavescribe.toml")
    assert settings.host == "127.0.0.1", "the proxy is the only one that reaches it"
    assert settings.max_sessions_per_key > 0


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile"])
def test_a_proxy_takes_what_the_server_takes_and_keeps_metrics_to_itself(root: Path, name: str) -> None:
    text = (root / "deploy" / name).read_text()
    [size] = re.findall(r"(?:client_max_body_size|max_size) +(\d+)m", text, re.IGNORECASE)
    assert int(size) * 1024 * 1024 == load_settings().max_upload_bytes
    assert f":{load_settings().port}" in text
    assert "/metrics" in text


def test_nginx_passes_websockets_on_with_the_host_that_was_asked_for(root: Path) -> None:
    text = (root / "deploy" / "nginx.conf").read_text()
    for line in (
        "proxy_http_version 1.1;",
        "proxy_set_header Upgrade $http_upgrade;",
        "proxy_set_header Connection $connection_upgrade;",
        "proxy_set_header Host $http_host;",
        "proxy_buffering off;",
    ):
        assert line in text
