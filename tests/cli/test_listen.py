"""`wavescribe listen` as people run it: in a terminal, at the end of a pipe, on a server."""

from __future__ import annotations

import os
import pty
import re
import signal
import socket
import subprocess
import sys
import sysconfig
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pysubs2
import pytest

from wavescribe.audio.decoding import decode_audio
from wavescribe.audio.pcm import encode_pcm16

pytestmark = pytest.mark.model

TINY = ("--model", "whisper-tiny.en", "--language", "en")
Run = Callable[..., subprocess.CompletedProcess[str]]

FOX = "quick brown fox jumps over the lazy dog"


class Terminal:
    """A program whose output is a terminal of 60 columns; what it shows is kept."""

    def __init__(self, arguments: list[str], environment: dict[str, str]) -> None:
        self._master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (24, 60))
        self.process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=slave, stderr=slave, env=environment | {"TERM": "xterm-256color"}
        )
        os.close(slave)
        self._shown = bytearray()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    @property
    def shown(self) -> str:
        return self._shown.decode(errors="replace")

    def speak(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def wait(self) -> int:
        code = self.process.wait(120)
        self._reader.join()
        os.close(self._master)
        assert self.process.stdin is not None
        self.process.stdin.close()
        return code

    def _read(self) -> None:
        try:
            while data := os.read(self._master, 65_536):
                self._shown += data
        except OSError:
            pass  # so Linux reports that the other side is closed


def on_screen(shown: str) -> str:
    """The text that stays: what a line was before it was erased is not there."""
    lines: list[str] = [""]
    for part in re.split(r"(\x1b\[[0-9;?]*[A-Za-z]|\r|\n)", shown):
        match part:
            case "\n":
                lines.append("")
            case "\x1b[2K":
                lines[-1] = ""
            case _ if part.startswith("\x1b[") and part.endswith("A"):
                for _ in range(int(part[2:-1] or 1)):
                    lines.pop()
            case _ if part.startswith(("\x1b", "\r")):
                pass
            case _:
                lines[-1] += part
    return "\n".join(line.rstrip() for line in lines).strip()


def valid_cues(path: Path, seconds: float) -> list[pysubs2.SSAEvent]:
    """The cues of a file that the parser takes whole: in order, apart, within the audio, two lines of 42 at most."""
    cues = list(pysubs2.load(str(path)))
    assert all(0 <= cue.start < cue.end <= seconds * 1000 for cue in cues)
    assert all(first.end <= second.start for first, second in pairwise(cues))
    assert all(len(line) <= 42 for cue in cues for line in cue.plaintext.split("\n"))
    assert all(cue.plaintext.count("\n") <= 1 for cue in cues)
    return cues


def wait_for_text(path: Path, text: str, process: subprocess.Popen[Any]) -> None:
    while text not in path.read_text() if path.exists() else True:
        assert process.poll() is None, "the program ended first"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server(environment: dict[str, str], *flags: str) -> Iterator[str]:
    """A server on the small model that is ready."""
    url = f"http://127.0.0.1:{free_port()}"
    program = Path(sysconfig.get_path("scripts")) / "wavescribe"
    arguments: list[str | Path] = [
        program,
        "serve",
        "--model",
        "whisper-tiny.en",
        "--port",
        url.rsplit(":", 1)[1],
        *flags,
    ]
    with subprocess.Popen(arguments, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            while not is_ready(url):
                assert process.poll() is None, "the server ended while it started"
                time.sleep(0.1)
            yield url
        finally:
            process.terminate()


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/ready").status_code == 200
    except httpx.TransportError:
        return False


def test_a_terminal_shows_drafts_dimmed_and_keeps_the_settled_text(
    program: str, environment: Callable[..., dict[str, str]], fox: Path, tmp_path: Path
) -> None:
    output = tmp_path / "said.txt"
    terminal = Terminal([program, "listen", "-", "--raw", "16000", "-o", str(output), *TINY], environment(COLUMNS="60"))
    terminal.speak(encode_pcm16(decode_audio(fox, max_seconds=10)))
    assert terminal.process.stdin is not None
    terminal.process.stdin.close()
    assert terminal.wait() == 0
    assert re.search(r"\x1b\[2m[^\x1b]*quick", terminal.shown), "no draft was shown dimmed"
    kept = on_screen(terminal.shown)
    assert FOX in kept
    assert kept == output.read_text().strip()


def test_ctrl_c_transcribes_what_was_heard_and_leaves_whole_files(
    program: str, environment: Callable[..., dict[str, str]], two_cities: Path, tmp_path: Path
) -> None:
    files = [tmp_path / name for name in ("said.srt", "said.vtt", "said.txt")]
    options = [option for file in files for option in ("-o", str(file))]
    terminal = Terminal([program, "listen", "-", "--raw", "16000", *options, *TINY], environment(COLUMNS="60"))
    samples = decode_audio(two_cities, max_seconds=60)[: 15 * 16_000]
    terminal.speak(encode_pcm16(samples))
    wait_for_text(files[2], "best of times", terminal.process)  # the pipe stays open: it is live
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.wait() == 0
    assert sorted(tmp_path.iterdir()) == sorted(files)
    text = files[2].read_text().split()
    assert "best of times" in " ".join(text)
    for file in files[:2]:
        assert " ".join(cue.plaintext for cue in valid_cues(file, 15)).split() == text
    assert on_screen(terminal.shown).split() == text


def test_a_pipe_of_a_container_becomes_lines_of_text_and_subtitles_within_the_audio(
    program: str, environment: Callable[..., dict[str, str]], two_cities: Path, tmp_path: Path
) -> None:
    output = tmp_path / "said.srt"
    result = subprocess.run(
        [program, "listen", "-", "-o", output, *TINY],
        input=two_cities.read_bytes()[: 44 + 2 * 20 * 48_000],
        capture_output=True,
        env=environment(),
    )
    assert (result.returncode, result.stderr) == (0, b"")
    assert " ".join(cue.plaintext for cue in valid_cues(output, 45)).split() == result.stdout.decode().split()
    assert b"best of times" in result.stdout


def test_on_a_server_the_text_is_the_same_and_refusals_are_one_line(
    run: Run, program: str, environment: Callable[..., dict[str, str]], fox: Path
) -> None:
    here = run("listen", fox, *TINY)
    assert FOX in here.stdout
    with server(environment(), "--api-key", "the-key", "--max-sessions", "1") as url:
        there = run("listen", fox, "--url", url, "--language", "en", WAVESCRIBE_CLIENT_KEY="the-key")
        assert (there.returncode, there.stdout, there.stderr) == (0, here.stdout, "")
        wrong = run("listen", fox, "--url", url, "--api-key", "wrong")
        assert (wrong.returncode, wrong.stderr) == (1, "wavescribe: Incorrect API key provided.\n")
        arguments = [program, "listen", "-", "--raw", "16000", "--url", url, "--api-key", "the-key"]
        with subprocess.Popen(arguments, stdin=subprocess.PIPE, env=environment()) as first:
            while "wavescribe_active_streams 1.0" not in httpx.get(f"{url}/metrics").text:
                assert first.poll() is None, "the program ended first"
                time.sleep(0.1)
            full = run("listen", fox, "--url", url, "--api-key", "the-key")
            first.send_signal(signal.SIGINT)
        assert (full.returncode, full.stderr) == (1, "wavescribe: Maximum concurrent sessions reached (1).\n")
    assert first.returncode == 0


FAILING = """
import asyncio, threading
import numpy as np
from wavescribe.cli import listen
from wavescribe.local.blocks import as_samples

async def stream(source, **wanted):
    blocks = as_samples(source)
    await anext(blocks)
    waiting = asyncio.create_task(anext(blocks))
    await asyncio.sleep(0.2)
    waiting.cancel()
    raise OSError("the server is gone")
    yield

def endless():
    yield np.zeros(160, dtype=np.float32)
    threading.Event().wait()

listen.stream = stream
asyncio.run(listen._listen(endless(), 4, {}, []))
"""


def test_where_the_stream_fails_the_program_ends_though_its_source_goes_on() -> None:
    ended = subprocess.run([sys.executable, "-c", FAILING], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert ended.stderr.endswith("OSError: the server is gone\n")


@pytest.mark.slow
def test_over_sessions_of_a_server_that_expire_the_files_go_on(
    program: str, environment: Callable[..., dict[str, str]], two_cities: Path, tmp_path: Path
) -> None:
    output = tmp_path / "said.srt"
    audio = encode_pcm16(decode_audio(two_cities, max_seconds=60)[: 24 * 16_000])
    with server(environment(), "--max-session-seconds", "4", "--max-lag-seconds", "0") as url:
        arguments = [program, "listen", "-", "--raw", "16000", "--url", url, "--language", "en", "-o", str(output)]
        with subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
        ) as listening:
            assert listening.stdin is not None
            for first in range(0, len(audio), 3_200):
                listening.stdin.write(audio[first : first + 3_200])
                listening.stdin.flush()
                time.sleep(0.05)  # twice as fast as speech: over several sessions
            said, complaints = listening.communicate()
        metrics = httpx.get(f"{url}/metrics").text
    assert (listening.returncode, complaints) == (0, b"")
    assert float(re.findall(r"^wavescribe_cut_streams_total{.*session_length.*} (.*)$", metrics, re.M)[0]) >= 2
    cues = valid_cues(output, 24)
    assert " ".join(cue.plaintext for cue in cues).split() == said.decode().split()
    assert said.count(b"best of times") == said.count(b"spring of hope") == said.count(b"nothing before us") == 1
    assert cues[-1].end > 23_000


def test_what_cannot_be_listened_to_is_one_readable_line(run: Run, tmp_path: Path, fox: Path) -> None:
    unused = f"http://127.0.0.1:{free_port()}"
    for arguments, said in [
        (("rtsp://127.0.0.1:9/camera",), "cannot open rtsp://127.0.0.1:9/camera: Connection refused"),
        ((tmp_path / "missing.wav",), f"cannot open {tmp_path / 'missing.wav'}: No such file or directory"),
        ((fox, "--url", unused), f"cannot connect to ws{unused[4:]}/v1/realtime: Connection refused"),
        ((fox, "--url", "nowhere"), "'nowhere' is no address of a server; it would be, say, http://localhost:8000"),
        (
            (fox, "-o", tmp_path / "no" / "x.srt"),
            f"cannot write {tmp_path / 'no' / 'x.srt'}: No such file or directory",
        ),
        ((fox, "--delay", "long"), "setting delay: "),
    ]:
        result = run("listen", *arguments)
        assert result.returncode in (1, 2)
        assert result.stderr.startswith(f"wavescribe: {said}")
        assert result.stderr.count("\n") == 1


def test_a_file_that_is_there_stays_as_it_is_when_nothing_is_heard(run: Run, tmp_path: Path, fox: Path) -> None:
    before = tmp_path / "meeting.txt"
    before.write_text("what was said yesterday")
    assert run("listen", fox, "-o", before, "--url", f"http://127.0.0.1:{free_port()}").returncode == 1
    assert run("listen", tmp_path / "missing.wav", "-o", before).returncode == 1
    assert run("listen", fox, "-o", before, "--raw", "16000").returncode == 2
    assert before.read_text() == "what was said yesterday"
    assert list(tmp_path.iterdir()) == [before]
    folder = tmp_path / "folder.txt"
    folder.mkdir()
    assert run("listen", fox, "-o", folder).stderr == f"wavescribe: cannot write {folder}: Is a directory\n"


def test_a_pipe_without_audio_is_one_readable_line(program: str, environment: Callable[..., dict[str, str]]) -> None:
    result = subprocess.run(
        [program, "listen", "-", *TINY], input=b"no audio at all\n" * 99, capture_output=True, env=environment()
    )
    assert result.returncode == 1
    assert result.stderr.startswith(b"wavescribe: standard input is no audio that is recognised; pipe a container")
    assert result.stderr.count(b"\n") == 1


@pytest.mark.parametrize("missing", ["import_error", "library"])
def test_a_microphone_without_its_package_or_library_is_one_readable_line(
    run: Run, tmp_path: Path, missing: str
) -> None:
    kind = {"import_error": "ModuleNotFoundError", "library": "OSError"}[missing]
    (tmp_path / "sounddevice.py").write_text(f"raise {kind}('PortAudio library not found')\n")
    result = run("listen", *TINY, PYTHONPATH=f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}")
    needed = {
        "import_error": "package sounddevice: pip install 'wavescribe[microphone]'",
        "library": "library PortAudio",
    }
    assert result.returncode == 1
    assert result.stderr.startswith(f"wavescribe: the microphone needs the {needed[missing]}")
    assert result.stderr.count("\n") == 1


def test_wrong_usage_names_the_option(run: Run, fox: Path, tmp_path: Path) -> None:
    for arguments, named in [((fox, "-o", tmp_path / "x.doc"), "--output"), ((fox, "--raw", "8000"), "--raw")]:
        result = run("listen", *arguments)
        assert result.returncode == 2
        assert named in result.stderr
