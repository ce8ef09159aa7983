"""The container's health check against a server that answers, one that fails, and none."""

from __future__ import annotations

import http.server
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def answering(status: int) -> Iterator[int]:
    """A server that answers every request with a status; its port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health" else 404)
            self.end_headers()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def check(root: Path, port: int) -> int:
    environment = {**os.environ, "WAVESCRIBE_PORT": str(port)}
    return subprocess.run([sys.executable, root / "deploy" / "health_check.py"], env=environment).returncode


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_health_check_tells_a_healthy_server_from_a_failing_one(root: Path, status: int, code: int) -> None:
    with answering(status) as port:
        assert check(root, port) == code


def test_a_server_that_is_not_there_is_not_healthy(root: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        assert check(root, probe.getsockname()[1]) == 1
