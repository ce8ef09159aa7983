"""Audio from an address (http, https, rtsp, rtmp, srt, udp, ...) or a file, as FFmpeg opens them."""

from __future__ import annotations

from collections.abc import Iterator

import av
from av.error import FFmpegError

from wavescribe.audio.decoding import iterate_container
from wavescribe.capture import SAMPLE_RATE
from wavescribe.engines.base import Samples
from wavescribe.errors import AudioSourceError

OPEN_SECONDS, READ_SECONDS = 15.0, 30.0
"""How long an address may take to open, and how long nothing may come from it."""


def address_blocks(address: str) -> Iterator[Samples]:
    """The audio of an address, as it comes.

    Args:
        address: a URL, or the path of a file.

    Raises:
        AudioSourceError: it cannot be opened, or broke off.
        AudioFormatError: it has no audio.
    """
    # Cameras send RTSP over UDP by default, which loses packets and does not pass most networks.
    options = {"rtsp_transport": "tcp"} if address.startswith("rtsp") else {}
    try:
        container = av.open(
            address, "r", options=options, metadata_errors="replace", timeout=(OPEN_SECONDS, READ_SECONDS)
        )
    except (FFmpegError, OSError) as error:
        raise AudioSourceError(f"cannot open {address}: {error.strerror}") from error
    with container:
        try:
            yield from iterate_container(container, sample_rate=SAMPLE_RATE)
        except FFmpegError as error:
            raise AudioSourceError(f"{address} broke off: {error.strerror}") from error
