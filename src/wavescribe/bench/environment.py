"""Where a measurement was made: hardware, versions, commit."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from functools import cache
from importlib import metadata
from pathlib import Path

PACKAGES = ("wavescribe", "ctranslate2", "faster-whisper", "onnxruntime", "numpy", "jiwer", "whisper-normalizer")

HARDWARE = ("processor", "cores", "memory", "GPU", "system")
"""The facts of the machine, as they are joined where it only asked a server that is elsewhere."""

CGROUPS, OWN_CGROUP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def describe_environment(*, elsewhere: bool = False) -> dict[str, str]:
    """Facts by name, in the order in which they are shown.

    Args:
        elsewhere: whether the server that was measured runs somewhere else; this machine, these versions and this
            commit are then told as those of the program that measured.
    """
    groups = own_cgroups()
    facts = {
        "processor": _processor(),
        "cores": f"{usable_cores(groups):g}",
        "memory": _memory(groups),
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "commit": source_commit(),
    }
    versions = {f"version of {name}": _version(name) or "not installed" for name in PACKAGES}
    found = facts | _gpu() | versions | _torch_version()
    return _as_measured_from(found) if elsewhere else found


def _as_measured_from(facts: dict[str, str]) -> dict[str, str]:
    units = {"cores": " cores", "memory": " of memory"}
    machine = ", ".join(facts[name] + units.get(name, "") for name in HARDWARE if name in facts)
    others = {f"{name} here": fact for name, fact in facts.items() if name not in HARDWARE}
    return {"measured from": machine} | others


def _gpu() -> dict[str, str]:
    """The names of NVIDIA's GPUs, by their driver's program: engines may be in other processes, and without torch."""
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout
    except (OSError, subprocess.SubprocessError):
        return _gpu_of_torch()
    names = [line.strip() for line in told.splitlines() if line.strip()]
    return {"GPU": ", ".join(names)} if names else {}


def _gpu_of_torch() -> dict[str, str]:
    """The GPU of torch, where it is loaded: it is slow to load, and is not loaded to ask."""
    torch = sys.modules.get("torch")
    return {"GPU": str(torch.cuda.get_device_name())} if torch and torch.cuda.is_available() else {}


def _torch_version() -> dict[str, str]:
    """Of the extra `qwen`, which few have."""
    version = _version("torch")
    return {"version of torch": version} if version else {}


def own_cgroups(root: Path = CGROUPS, membership: Path = OWN_CGROUP) -> list[Path]:
    """The control groups (version 2) that limit this process, from its own up to the root; none elsewhere."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return []
    own = next((line.removeprefix("0::").strip("/") for line in lines if line.startswith("0::")), None)
    if own is None:
        return []
    return [root / own, *(root / own).parents[: len(Path(own).parts)]]


def usable_cores(groups: list[Path]) -> float:
    """The cores that this process may use: those it may run on, and no more than a container is given.

    Args:
        groups: its control groups; `cpu.max` has microseconds of CPU time and of the period in which they may be used.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quotas = [limit.split() for limit in _limits(groups, "cpu.max")]
    return min([float(cores), *(int(quota) / int(period) for quota, period in quotas)])


def usable_bytes(groups: list[Path], physical: int) -> int:
    """The memory that this process may use: that of the machine, and no more than a container is given."""
    return min([physical, *map(int, _limits(groups, "memory.max"))])


def _limits(groups: list[Path], name: str) -> list[str]:
    """The limits of that name that are set; a group without one says "max", and the root has no file."""
    paths = [path for group in groups if (path := group / name).is_file()]
    return [text for path in paths if not (text := path.read_text().strip()).startswith("max")]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _memory(groups: list[Path]) -> str:
    try:
        pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    except (ValueError, AttributeError, OSError):
        return "unknown"
    return f"{round(usable_bytes(groups, pages * size) / 2**30, 1):g} GiB"


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


@cache
def source_commit() -> str:
    """The commit of the source as it was when this was first asked: it may change while a measurement runs."""
    return commit_of(Path(__file__).parents[1])


def commit_of(package: Path) -> str:
    """The commit of a package's checkout, with "-dirty" where a file was changed, or one is new in the package.

    Args:
        package: the directory of its source.

    Returns:
        "unknown" outside a checkout.
    """
    try:
        commit = _git(package, "describe", "--always", "--dirty", "--abbrev=12")
        new = _git(package, "ls-files", "--others", "--exclude-standard")
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return f"{commit}-dirty" if new and not commit.endswith("-dirty") else commit


def _git(folder: Path, *arguments: str) -> str:
    """What a command of git says of a folder."""
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
