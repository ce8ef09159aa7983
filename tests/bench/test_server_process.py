from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from wavescribe.bench.server_process import ServerFailedError, process_cpu_seconds, server_process

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc here")
BURN = "import time\nwhile time.process_time() < 0.5: pass\nprint(flush=True)\ntime.sleep(60)"
SERVING = """
import time
from wavescribe.bench.server_process import server_process
with server_process(["--model", "whisper-tiny.en"]) as server:
    print(server.process_id, flush=True)
    time.sleep(60)
"""
PARENT = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURN!r}])"


@needs_proc
def test_the_cpu_of_a_process_is_that_of_those_it_started_too() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, process_group=0) as process:
        assert process.stdout is not None
        process.stdout.readline()
        spent = process_cpu_seconds(process.pid)
        os.killpg(process.pid, signal.SIGKILL)
    assert spent is not None
    assert spent >= 0.5 - 0.04  # user and system time are told in whole ticks, of two processes


@needs_proc
def test_a_process_that_has_ended_has_no_cpu_to_tell() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert process_cpu_seconds(ended.pid) is None


@needs_proc
@pytest.mark.model
def test_sigterm_stops_the_server_too() -> None:
    with subprocess.Popen([sys.executable, "-c", SERVING], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        server = Path("/proc") / process.stdout.readline().decode().strip()
        assert server.exists()
        process.terminate()
        assert process.wait(60) == -signal.SIGTERM
    assert not server.exists()


def test_a_server_that_cannot_start_is_told_with_the_end_of_its_log() -> None:
    with pytest.raises(ServerFailedError, match="no-such-model"), server_process(["--model", "no-such-model"]):
        pytest.fail("it started")
