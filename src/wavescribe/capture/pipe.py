"""Audio from a pipe: a container that FFmpeg recognises, or samples without a header."""

from __future__ import annotations

import os
from collections.abc import Iterator

import av
from av.error import FFmpegError

from wavescribe.audio.decoding import AUDIO_DECODERS, CONTAINERS, iterate_container
from wavescribe.audio.pcm import decode_pcm16
from wavescribe.audio.resampling import StreamingResampler
from wavescribe.capture import SAMPLE_RATE
from wavescribe.engines.base import Samples
from wavescribe.errors import AudioFormatError, AudioSourceError

PROBE_BYTES = 65_536
"""What is read of a pipe before its format is decided, so that text comes soon."""

BLOCK_BYTES = 65_536


class _Pipe:
    """What FFmpeg sees of a pipe: a file that cannot be gone back in."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self, size: int) -> bytes:
        return os.read(self._descriptor, size)


def container_blocks(descriptor: int) -> Iterator[Samples]:
    """The audio of a container, such as `ffmpeg ... -f wav -` writes.

    Args:
        descriptor: of the pipe; not closed.

    Raises:
        AudioFormatError: FFmpeg does not recognise it, or it has no audio.
    """
    options = {
        "format_whitelist": CONTAINERS,
        "codec_whitelist": AUDIO_DECODERS,
        "protocol_whitelist": "none",
        "probesize": str(PROBE_BYTES),
    }
    try:
        container = av.open(
            _Pipe(descriptor), "r", container_options=options, metadata_errors="replace", buffer_size=4096
        )
    except FFmpegError as error:
        raise AudioFormatError(
            "standard input is no audio that is recognised; pipe a container into it (ffmpeg ... -f wav -), "
            "or tell the rate of headerless 16-bit PCM with --raw"
        ) from error
    with container:
        try:
            yield from iterate_container(container, sample_rate=SAMPLE_RATE)
        except FFmpegError as error:
            raise AudioSourceError(f"standard input broke off: {error.strerror}") from error


def raw_blocks(descriptor: int, sample_rate: int) -> Iterator[Samples]:
    """The audio of signed 16-bit little-endian mono PCM without a header.

    Args:
        descriptor: of the pipe; not closed.
        sample_rate: samples per second of the pipe's audio.
    """
    resampler = StreamingResampler(sample_rate, SAMPLE_RATE)
    rest = b""
    while data := os.read(descriptor, BLOCK_BYTES):
        data = rest + data
        whole = len(data) // 2 * 2
        rest = data[whole:]
        yield resampler.push(decode_pcm16(data[:whole]))
    yield resampler.flush()
