"""Where the commands of the documentation are run: a folder with the files they name, and a server on another port."""

from __future__ import annotations

import importlib.util
import os
import shlex
import signal
import socket
import ssl
import subprocess
import sysconfig
import time
import urllib.request
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from wavescribe.audio.decoding import decode_audio
from wavescribe.audio.pcm import encode_pcm16
from wavescribe.audio.resampling import StreamingResampler

RATE = 16_000
START_SECONDS = 120
RUN_SECONDS = 90

MICROPHONE = Path(__file__).parent / "microphone"
"""Where the package that hears a microphone is looked for first."""

SUBSTITUTED = {
    "ffmpeg -i talk.mp4 -f wav -": "cat speech_16k_mono.wav",  # ffmpeg is not part of wavescribe
    ".venv/bin/": "",
    "venv/bin/": "",
    "curl ": "curl --silent --show-error --fail-with-body ",
}


@dataclass(frozen=True, slots=True)
class Workspace:
    """A folder to run programs in.

    Attributes:
        folder: where it is.
        port: of the server that stands for localhost:8000.
    """

    folder: Path
    port: int

    def here(self, text: str) -> str:
        """The text with the server's own port."""
        return text.replace("localhost:8000", f"localhost:{self.port}")

    def run(self, command: str) -> str:
        """Run a command as a shell does; its output and the files that it wrote.

        Raises:
            AssertionError: it failed.
        """
        known = {path: path.stat().st_mtime_ns for path in self._files()}
        text = self.here(command)
        for old, new in SUBSTITUTED.items():
            text = text.replace(old, new)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=self.folder,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
        )
        assert done.returncode == 0, f"$ {text}\nended with {done.returncode}:\n{done.stdout}{done.stderr}"
        changed = [path for path in self._files() if known.get(path) != path.stat().st_mtime_ns]
        return done.stdout + "".join(path.read_text(errors="replace") for path in changed)

    def run_microphone(self, command: str, until: str) -> str:
        """Run a command that listens to the microphone, into which the sentence is spoken; what it has written.

        It is interrupted, as one does with Ctrl-C, once each file that it writes says what it is waited for.

        Raises:
            AssertionError: it failed, or wrote something else.
        """
        outputs = [self.folder / name for option, name in pairwise(shlex.split(command)) if option == "--output"]
        for path in outputs:
            path.unlink(missing_ok=True)  # an earlier command's
        paths = os.pathsep.join(filter(None, (str(MICROPHONE), os.environ.get("PYTHONPATH"))))
        spoken = {"PYTHONPATH": paths, "SPOKEN_FILE": str(self.folder / "speech_24k_mono.wav")}
        log = self.folder / "listen.log"
        with (
            log.open("wb") as output,
            subprocess.Popen(
                ["bash", "-c", self.here(command).replace("wavescribe listen", "exec wavescribe listen", 1)],
                cwd=self.folder,
                env=environment() | spoken,
                stdout=output,
                stderr=output,
            ) as process,
        ):
            deadline = time.monotonic() + RUN_SECONDS
            while not all(until in _text(path) for path in outputs) and time.monotonic() < deadline:
                assert process.poll() is None, f"$ {command}\n{log.read_text()}"
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            code = process.wait(RUN_SECONDS)
            assert code in (0, 130), f"$ {command}\nended with {code}:\n{log.read_text()}"
        return "".join(map(_text, outputs))

    def run_python(self, program: str, until: str) -> str:
        """Run a program until it ends, or until it has written what it is run for; what it wrote.

        Raises:
            AssertionError: it failed, or ended without.
        """
        path = self.folder / "program.py"
        path.write_text(self.here(program))
        log = self.folder / "program.log"
        with (
            log.open("wb") as output,
            subprocess.Popen(
                ["python", path], cwd=self.folder, env=environment(), stdout=output, stderr=output
            ) as process,
        ):
            deadline = time.monotonic() + RUN_SECONDS
            while process.poll() is None and until not in log.read_text().lower() and time.monotonic() < deadline:
                time.sleep(0.05)
            try:
                process.wait(2)
            except subprocess.TimeoutExpired:
                process.kill()  # a live program goes on until it is stopped
            else:
                assert process.returncode == 0, log.read_text()
        return log.read_text()

    def _files(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]


def _text(path: Path) -> str:
    return path.read_text().lower() if path.exists() else ""


def environment() -> dict[str, str]:
    """The environment of programs: this environment's programs first, no settings, a key, nothing held back."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("WAVESCRIBE_")}
    path = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
    return inherited | {"PATH": path, "PYTHONUNBUFFERED": "1", "COLUMNS": "200", "NO_COLOR": "1", "KEY": "sk-any"}


def make_workspace(folder: Path, port: int) -> Workspace:
    """Fill a folder with recordings of one sentence: the quick brown fox jumps over the lazy dog."""
    found = importlib.util.find_spec("pytest_audioeval")
    assert found is not None
    assert found.submodule_search_locations
    fox = Path(found.submodule_search_locations[0]) / "samples" / "audio" / "en" / "quick_brown_fox.wav"
    speech = np.concatenate([decode_audio(fox, max_seconds=60), np.zeros(RATE * 3 // 2, dtype=np.float32)])
    resampler = StreamingResampler(RATE, 24_000)
    finer = np.concatenate([resampler.push(speech), resampler.flush()])
    _write_wav(folder / "speech_16k_mono.wav", encode_pcm16(speech), RATE)
    _write_wav(folder / "speech_24k_mono.wav", encode_pcm16(finer), 24_000)
    _write_mp3(folder / "talk.mp3", finer)
    (folder / "recordings").mkdir()
    _write_wav(folder / "recordings" / "morning.wav", encode_pcm16(speech), RATE)
    return Workspace(folder, port)


def _write_wav(path: Path, data: bytes, rate: int) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(data)


def _write_mp3(path: Path, samples: np.ndarray[tuple[int], np.dtype[np.float32]]) -> None:
    with av.open(str(path), "w") as file:
        sound = file.add_stream("libmp3lame", rate=24_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), "flt", "mono")
        frame.sample_rate = 24_000
        resampler = av.AudioResampler(sound.format, "mono", 24_000, sound.frame_size)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            file.mux(sound.encode(part))
        file.mux(sound.encode(None))


@contextmanager
def running(command: str, folder: Path) -> Iterator[int]:
    """Start a server's command on a free port, wait until it is ready, and end it; the port.

    Raises:
        AssertionError: it does not start, or does not end as it should.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    log = folder / "server.log"
    text = f"exec {command} --port {port}"
    with (
        log.open("wb") as output,
        subprocess.Popen(["bash", "-c", text], cwd=folder, env=environment(), stdout=output, stderr=output) as process,
    ):
        try:
            _wait_until_ready(port, "s" if "--ssl-certfile" in command else "", process, log)
            yield port
            process.send_signal(signal.SIGTERM)
            code = process.wait(30)
            assert code in (0, -signal.SIGTERM), f"$ {command}\nended with {code}:\n{log.read_text()}"
        finally:
            process.kill()


def _wait_until_ready(port: int, secure: str, process: subprocess.Popen[bytes], log: Path) -> None:
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the server ended while it started:\n{log.read_text()}"
        try:
            with urllib.request.urlopen(f"http{secure}://127.0.0.1:{port}/ready", context=trusting, timeout=5):
                return
        except OSError:
            time.sleep(0.1)  # it does not listen yet, or warms up
    pytest.fail(f"the server was not ready after {START_SECONDS} s:\n{log.read_text()}")
