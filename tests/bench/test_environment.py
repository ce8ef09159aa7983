from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from typer.testing import CliRunner

from wavescribe.bench import environment
from wavescribe.bench.environment import (
    PACKAGES,
    commit_of,
    describe_environment,
    own_cgroups,
    source_commit,
    usable_bytes,
    usable_cores,
)
from wavescribe.bench.program import app

ROOT = Path(__file__).parents[2]
GIBIBYTE = 2**30


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The source of a package in a checkout of one commit."""
    folder = tmp_path / "src" / "package"
    folder.mkdir(parents=True)
    (folder / "one.py").write_text("")
    (tmp_path / ".gitignore").write_text("*.pyc\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "one")
    return folder


def cgroups(root: Path, own: str, **limits: str) -> list[Path]:
    """The control groups of a process in `own`, with files such as `cpu.max` of its group written."""
    folder = root / own.strip("/")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in limits.items():
        (folder / name.replace("_", ".")).write_text(f"{text}\n")
    (root / "membership").write_text(f"4:memory:/old\n0::{own}\n")
    return own_cgroups(root, root / "membership")


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no checkout")
def test_the_facts_of_a_checkout_are_all_known() -> None:
    facts = describe_environment()
    assert facts["commit"].removesuffix("-dirty").endswith(git(ROOT, "rev-parse", "--short=12", "HEAD"))
    assert {name: facts[f"version of {name}"] for name in PACKAGES} == {
        name: metadata.version(name) for name in PACKAGES
    }
    assert float(facts["cores"]) > 0
    assert float(facts["memory"].removesuffix(" GiB")) > 0
    assert all(facts[name] not in ("", "unknown") for name in ("processor", "system"))


def test_a_server_elsewhere_is_not_said_to_run_on_this_machine() -> None:
    here, elsewhere = describe_environment(), describe_environment(elsewhere=True)
    assert not {"processor", "cores", "memory", "commit"} & elsewhere.keys()
    assert elsewhere["measured from"].startswith(f"{here['processor']}, {here['cores']} cores, {here['memory']}")
    assert elsewhere["commit here"] == here["commit"]


def test_a_changed_file_and_a_new_source_file_make_the_commit_dirty(package: Path) -> None:
    commit = git(package, "rev-parse", "--short=12", "HEAD")
    (package / "one.pyc").write_text("ignored")
    (package.parent / "notes.txt").write_text("not of the package")
    assert commit_of(package) == commit
    (package / "two.py").write_text("new")
    assert commit_of(package) == f"{commit}-dirty"
    (package / "two.py").unlink()
    (package / "one.py").write_text("changed")
    assert commit_of(package) == f"{commit}-dirty"


def test_outside_a_checkout_the_commit_is_unknown(tmp_path: Path) -> None:
    assert commit_of(tmp_path) == "unknown"


def test_the_commit_is_read_when_the_command_begins_and_not_again(monkeypatch: pytest.MonkeyPatch) -> None:
    commits = iter(("at the beginning", "after an hour"))
    monkeypatch.setattr(environment, "commit_of", lambda _: next(commits))
    source_commit.cache_clear()
    try:
        CliRunner().invoke(app, ["cost", "--lengths", "wrong"])
        assert next(commits) == "after an hour"
        assert describe_environment()["commit"] == "at the beginning"
    finally:
        source_commit.cache_clear()


@pytest.mark.parametrize(
    ("own", "limits", "cores", "memory"),
    [
        ("/", {}, None, 8.0),
        ("/", {"cpu_max": "max 100000", "memory_max": "max"}, None, 8.0),
        ("/", {"cpu_max": "50000 100000", "memory_max": str(2 * GIBIBYTE)}, 0.5, 2.0),
        ("/a/b", {"cpu_max": "25000 100000", "memory_max": str(64 * GIBIBYTE)}, 0.25, 8.0),
    ],
    ids=["no limits", "unlimited", "a container", "a group that may have more memory than there is"],
)
def test_a_container_has_no_more_cores_and_memory_than_it_is_given(
    tmp_path: Path, own: str, limits: dict[str, str], cores: float | None, memory: float
) -> None:
    groups = cgroups(tmp_path, own, **limits)
    assert usable_cores(groups) == (usable_cores([]) if cores is None else cores)
    assert usable_bytes(groups, 8 * GIBIBYTE) == memory * GIBIBYTE


def test_the_limits_of_the_groups_around_a_group_hold_too(tmp_path: Path) -> None:
    cgroups(tmp_path, "/a", memory_max=str(GIBIBYTE))
    groups = cgroups(tmp_path, "/a/b", memory_max=str(2 * GIBIBYTE))
    assert groups == [tmp_path / "a" / "b", tmp_path / "a", tmp_path]
    assert usable_bytes(groups, 8 * GIBIBYTE) == GIBIBYTE


def test_where_there_are_no_control_groups_nothing_limits(tmp_path: Path) -> None:
    assert own_cgroups(tmp_path, tmp_path / "nothing") == []
    (tmp_path / "old").write_text("4:memory:/old\n")
    assert own_cgroups(tmp_path, tmp_path / "old") == []


def test_the_gpus_of_the_machine_are_named_whichever_process_uses_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text('#!/bin/sh\nprintf "NVIDIA H200\\nNVIDIA H200\\n"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert describe_environment()["GPU"] == "NVIDIA H200, NVIDIA H200"
    program.write_text("#!/bin/sh\nexit 9\n")  # as where there is a driver and no GPU
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert "GPU" not in describe_environment()
