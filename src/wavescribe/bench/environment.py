"""Where a measurement was made: hardware, versions, commit."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

PACKAGES = ("wavescribe", "ctranslate2", "faster-whisper", "onnxruntime", "numpy", "jiwer", "whisper-normalizer")


def describe_environment() -> dict[str, str]:
    """Facts by name, in the order in which they are shown."""
    facts = {
        "processor": _processor(),
        "cores": str(_cores()),
        "memory": _memory(),
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "commit": _commit(),
    }
    versions = {f"version of {name}": _version(name) or "not installed" for name in PACKAGES}
    return facts | _gpu() | versions | _torch_version()


def _gpu() -> dict[str, str]:
    """The GPU's name where a measurement can have used it: torch is slow to load, and is not loaded to ask."""
    torch = sys.modules.get("torch")
    return {"GPU": str(torch.cuda.get_device_name())} if torch and torch.cuda.is_available() else {}


def _torch_version() -> dict[str, str]:
    """Of the extra `qwen`, which few have."""
    version = _version("torch")
    return {"version of torch": version} if version else {}


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _memory() -> str:
    try:
        pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    except (ValueError, AttributeError, OSError):
        return "unknown"
    return f"{pages * size / 2**30:.0f} GiB"


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _commit() -> str:
    """The commit of the source, with a mark where files were changed; "unknown" outside a checkout."""
    folder = Path(__file__).parent
    try:
        commit = subprocess.run(
            ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=12"],
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return commit.stdout.strip()
