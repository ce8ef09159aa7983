"""The Dockerfile, as far as it can be judged where no Docker daemon runs: its steps are made here, without it."""

from __future__ import annotations

import fnmatch
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HASHED = ("--require-hashes", "--no-deps", "--only-binary :all:")

START_SECONDS = 120


def copied(stages: Any) -> list[str]:
    """What comes from the repository."""
    copies = [rest.split() for stage in stages for rest in stage.all("COPY") if not rest.startswith("--from")]
    return [source for words in copies for source in words[:-1]]


def test_everything_that_is_copied_is_there_and_is_sent_to_the_builder(stages: Any, root: Path) -> None:
    ignored = [line for line in (root / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert ignored[0] == "*"
    sent = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    for source in copied(stages):
        assert (root / source).exists(), source
        assert source in sent, f"{source} is not sent: .dockerignore"
    assert sent == set(copied(stages))


def test_the_image_is_built_apart_and_takes_only_the_environment(stages: Any) -> None:
    build, image = stages
    assert build.name == "build"
    assert [rest for rest in image.all("COPY") if rest.startswith("--from")] == [
        "--from=build /opt/wavescribe /opt/wavescribe"
    ]


def test_every_package_is_installed_by_its_hash_or_comes_from_the_checkout(stages: Any) -> None:
    steps = [
        step for stage in stages for rest in stage.all("RUN") for step in rest.split("&&") if "pip install" in step
    ]
    assert len(steps) == 3
    for step in steps:
        assert all(option in step for option in HASHED) or "--no-index wheels/*.whl" in step, step


def test_the_server_does_not_run_as_root(stages: Any) -> None:
    user, _, group = stages[-1].one("USER").partition(":")
    assert int(user) > 0
    assert int(group) > 0
    order = [instruction for instruction, _ in stages[-1].instructions]
    assert "RUN" not in order[order.index("USER") :]


def test_the_server_itself_gets_the_signal_to_stop(stages: Any) -> None:
    image = stages[-1]
    assert image.one("STOPSIGNAL") == "SIGTERM"
    assert [*image.command("ENTRYPOINT"), *image.command("CMD")] == ["wavescribe", "serve"]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory, stages: Any, root: Path) -> Iterator[Path]:
    """The build's own steps, with folders of this test for those of the image."""
    work = tmp_path_factory.mktemp("image")
    for source in copied(stages):
        target = work / source
        target.parent.mkdir(parents=True, exist_ok=True)
        if (root / source).is_dir():
            shutil.copytree(root / source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(root / source, target)
    builder = work / "builder"
    subprocess.run([sys.executable, "-m", "venv", builder], check=True)
    path = f"{builder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    for step in stages[0].all("RUN"):
        text = step.replace("/opt/wavescribe", str(work / "opt"))
        subprocess.run(["bash", "-euc", text], cwd=work, env={**os.environ, "PATH": path}, check=True, timeout=900)
    shutil.copy(root / "deploy" / "health_check.py", work / "opt" / "health_check.py")
    yield work / "opt"
    shutil.rmtree(work)


@pytest.mark.slow
@pytest.mark.model
@pytest.mark.timeout(1200)
def test_what_the_image_holds_starts_becomes_healthy_and_stops(environment: Path, stages: Any, tmp_path: Path) -> None:
    image = stages[-1]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    settings = {
        name: value.replace("/opt/wavescribe", str(environment)).replace("/var/cache/wavescribe", str(tmp_path))
        for name, value in image.environment().items()
    }
    settings = settings | {"WAVESCRIBE_PORT": port, "PATH": f"{environment / 'bin'}:/usr/bin:/bin"}
    health = [word.replace("/opt/wavescribe", str(environment)) for word in health_command(image)]
    assert subprocess.run(health, env=settings, check=False).returncode == 1
    words = [*image.command("ENTRYPOINT"), *image.command("CMD")]
    with subprocess.Popen([str(environment / "bin" / words[0]), *words[1:]], env=settings, cwd="/") as server:
        deadline = time.monotonic() + START_SECONDS
        while subprocess.run(health, env=settings, check=False).returncode and time.monotonic() < deadline:
            assert server.poll() is None
            time.sleep(0.5)
        assert subprocess.run(health, env=settings, check=False).returncode == 0
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) in (0, -signal.SIGTERM)
    assert not (environment / "bin" / "pytest").exists()


def health_command(image: Any) -> list[str]:
    """The words of the image's health check."""
    rest = image.one("HEALTHCHECK")
    words: list[str] = json.loads(rest.partition("CMD ")[2])
    return words


def test_no_secret_and_no_build_is_sent_to_the_builder(root: Path) -> None:
    sent = [
        line.removeprefix("!") for line in (root / ".dockerignore").read_text().splitlines() if line.startswith("!")
    ]
    for name in ("keys.txt", ".git", ".venv", "build", "tests"):
        assert not any(fnmatch.fnmatch(name, pattern) for pattern in sent)
