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

from wavescribe.errors import WavescribeError

START_SECONDS = 180.0
STOP_SECONDS = 40.0


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
        try:
            return sum(_cpu_seconds(each) for each in _family(self.process_id))
        except OSError:
            return None


def _cpu_seconds(process_id: int) -> float:
    """CPU seconds of a process and of its children that have ended."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _family(process_id: int) -> list[int]:
    """A process and all that come from it."""
    found = [process_id]
    for task in Path(f"/proc/{process_id}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += _family(int(child))
    return found


@contextmanager
def server_process(flags: Sequence[str] = ()) -> Iterator[ServerProcess]:
    """Run `wavescribe serve` with these flags on a free port while the context is open.

    Raises:
        ServerFailedError: it ended, or was not ready in time.
    """
    port = _free_port()
    command = [sys.executable, "-m", "wavescribe", "serve", "--port", str(port), *flags]
    with (
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
