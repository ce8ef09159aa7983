from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

from wavescribe.audio.decoding import decode_audio
from wavescribe.engines.base import Samples

RATE = 16000
LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}

Sweep = Callable[..., npt.NDArray[np.float64]]
Encode = Callable[..., bytes]
Decode = Callable[..., Samples]
Likeness = Callable[[Samples, npt.NDArray[np.float64]], float]


@pytest.fixture(scope="session")
def sweep() -> Sweep:
    """Make a sine of peak 0.5 that rises from 200 to 1800 Hz, so that every instant of it is different."""
    return make_sweep


@pytest.fixture(scope="session")
def encode() -> Encode:
    """Encode (container, codec, sample format, rate, channels=, with_video=, audio=) with the real encoder."""
    return encode_file


@pytest.fixture(scope="session")
def decode() -> Decode:
    """Decode the bytes of a file to 16 kHz (max_seconds=, min_seconds=)."""
    return decode_bytes


@pytest.fixture(scope="session")
def wav() -> Encode:
    """Make a 16-bit mono WAV, whose header may lie (claimed=, rate=, before_data=)."""
    return make_wav


@pytest.fixture(scope="session")
def likeness() -> Likeness:
    """Tell how alike two sounds at 16 kHz are: 1.0 for the same sound at any level, shifted by up to 60 ms."""
    return correlate


def make_sweep(rate: int, seconds: float = 2.0) -> npt.NDArray[np.float64]:
    time = np.arange(round(rate * seconds)) / rate
    return 0.5 * np.sin(2 * np.pi * (200 * time + 800 / seconds * time**2))


def encode_file(
    container: str,
    codec: str,
    sample_format: str,
    rate: int,
    *,
    channels: int = 1,
    with_video: bool = False,
    audio: npt.NDArray[np.float64] | None = None,
) -> bytes:
    """Encode audio of shape (channels, samples), by default the sweep in every channel."""
    if audio is None:
        audio = np.tile(make_sweep(rate), (channels, 1))
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        sound: Any = output.add_stream(codec, rate=rate)
        sound.codec_context.format = sample_format
        sound.codec_context.layout = LAYOUTS[channels]
        sound.codec_context.open()
        if with_video:
            _add_video(output)
        for frame in _frames(audio, sound.codec_context):
            output.mux(sound.encode(frame))
        output.mux(sound.encode(None))
    return file.getvalue()


def _frames(audio: npt.NDArray[np.float64], encoder: Any) -> list[av.AudioFrame]:
    interleaved = np.ascontiguousarray(audio.T.reshape(1, -1))
    frame = av.AudioFrame.from_ndarray(interleaved, "dbl", encoder.layout.name)
    frame.sample_rate = encoder.sample_rate
    frame.pts = 0
    converter = av.AudioResampler(encoder.format, frame_size=encoder.frame_size)
    return [*converter.resample(frame), *converter.resample(None)]


def _add_video(output: Any) -> None:
    video = output.add_stream("mpeg4", rate=10)
    video.width = video.height = 64
    video.pix_fmt = "yuv420p"
    for _ in range(20):
        output.mux(video.encode(av.VideoFrame(64, 64, "yuv420p")))
    output.mux(video.encode(None))


def decode_bytes(data: bytes, *, max_seconds: float = 60, min_seconds: float = 0.0) -> Samples:
    return decode_audio(io.BytesIO(data), sample_rate=RATE, max_seconds=max_seconds, min_seconds=min_seconds)


def make_wav(samples: bytes, *, claimed: int | None = None, rate: int = RATE, before_data: bytes = b"") -> bytes:
    """A 16-bit mono WAV, whose header may claim another number of bytes."""
    size = len(samples) if claimed is None else claimed
    header = struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16)
    data = b"data" + struct.pack("<I", size) + samples
    return b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt " + header + before_data + data


def correlate(heard: Samples, said: npt.NDArray[np.float64]) -> float:
    """The normalised correlation at the best shift within 60 ms; 1.0 for the same sound at any level."""
    size = 2 ** (len(heard) + len(said)).bit_length()
    correlation = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(said, size)))
    shifts = round(0.06 * RATE)
    best = max(correlation[:shifts].max(), correlation[-shifts:].max())
    return float(best / np.linalg.norm(heard) / np.linalg.norm(said))
