"""A server in a process of its own, for measurements over a real socket."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wavescribe.cli.ending import ending_after_sigterm
from wavescribe.errors import WavescribeError

START_SECONDS = 180.0
STOP_SECONDS = 40.0

PARENT, CPU_TICKS = 1, slice(11, 15)
"""Fields of /proc/<id>/stat after the name: the parent; user and system time, its own and its ended children's."""


class ServerFailedError(WavescribeError):
    """The server that was to be measured did not start; the message has the end of its log."""


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A server that is ready.

    Attributes:
        url: its HTTP base URL.
        process_id: its process.
        flags: what it was started with, port left out.
    """

    url: str
    process_id: int
    flags: tuple[str, ...]

    def cpu_seconds(self) -> float | None:
        """CPU seconds that it and the processes it started have used, where /proc tells (Linux)."""
        return process_cpu_seconds(self.process_id)


def process_cpu_seconds(process_id: int) -> float | None:
    """CPU seconds of a process, of all that come from it, and of those of them that have ended; None without /proc."""
    processes = {path.name: fields for path in Path("/proc").glob("[0-9]*") if (fields := _stat(path))}
    family = {str(process_id)} & processes.keys()
    if not family:
        return None
    while grown := {name for name, fields in processes.items() if fields[PARENT] in family} - family:
        family |= grown
    ticks = sum(int(ticks) for name in family for ticks in processes[name][CPU_TICKS])
    return ticks / os.sysconf("SC_CLK_TCK")


def _stat(process: Path) -> list[str]:
    """The fields of /proc/<id>/stat after the name; empty where the process has ended meanwhile."""
    try:
        return (process / "stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return []


@contextmanager
def server_process(flags: Sequence[str] = ()) -> Iterator[ServerProcess]:
    """Run `wavescribe serve` with these flags on a free port while the context is open; for the main thread.

    Raises:
        ServerFailedError: it ended, or was not ready in time.
    """
    port = _free_port()
    command = [sys.executable, "-m", "wavescribe", "serve", "--port", str(port), *flags]
    with (
        ending_after_sigterm(),
        tempfile.TemporaryDirectory() as folder,
        (Path(folder) / "server.log").open("w+b") as log,
        subprocess.Popen(command, stdout=log, stderr=log) as process,
    ):
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_ready(url, process, Path(folder) / "server.log")
            yield ServerProcess(url, process.pid, tuple(flags))
        finally:
            _stop(process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ServerFailedError(f"the server ended with exit code {process.returncode}: {_end_of(log)}")
        try:
            with urllib.request.urlopen(f"{url}/ready", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise ServerFailedError(f"the server was not ready after {START_SECONDS:g} s: {_end_of(log)}")


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace").strip()[-2000:]


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
