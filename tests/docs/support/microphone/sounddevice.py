"""Stands for the package sounddevice on a machine with one microphone, into which a file is spoken in real time.

The file (WAV, 16-bit PCM, mono) is named by the environment variable SPOKEN_FILE; silence follows it.
"""

from __future__ import annotations

import os
import time
import wave
from types import TracebackType

import numpy as np
import numpy.typing as npt

NAME = "USB Microphone"


class PortAudioError(Exception):
    """As the package's."""


def _spoken() -> tuple[npt.NDArray[np.float32], int]:
    with wave.open(os.environ["SPOKEN_FILE"]) as file:
        pcm = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        return (pcm / 32768).astype(np.float32), file.getframerate()


def query_devices(device: int | str | None, kind: str) -> dict[str, object]:
    """The microphone, for its name or a part of it."""
    if isinstance(device, int) or kind != "input" or (device or "") not in NAME:
        raise ValueError(f"No input device matching {device!r}")
    return {"name": NAME, "default_samplerate": float(_spoken()[1])}


class InputStream:
    """What the microphone hears from now on."""

    def __init__(self, samplerate: float, *, device: str | None, channels: int, dtype: str) -> None:
        assert (channels, dtype) == (1, "float32")
        query_devices(device, "input")
        self._samples, rate = _spoken()
        if rate != samplerate:
            raise PortAudioError(f"Invalid sample rate: {samplerate}")
        self._rate = rate
        self._read = 0

    def __enter__(self) -> InputStream:
        self._began = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._read = 0

    def read(self, frames: int) -> tuple[npt.NDArray[np.float32], bool]:
        """The next frames, once they have been spoken; shape (frames, 1)."""
        part = self._samples[self._read : self._read + frames]
        self._read += frames
        time.sleep(max(0.0, self._began + self._read / self._rate - time.monotonic()))
        return np.pad(part, (0, frames - len(part)))[:, None], False
