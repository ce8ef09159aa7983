"""Audio from a microphone, through PortAudio."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np

from wavescribe.audio.resampling import StreamingResampler
from wavescribe.capture import SAMPLE_RATE
from wavescribe.engines.base import Samples
from wavescribe.errors import AudioSourceError

BLOCKS_PER_SECOND = 20

logger = logging.getLogger(__name__)


def microphone_blocks(device: str | None = None) -> Iterator[Samples]:
    """What a microphone hears, without end.

    Args:
        device: its number, or a part of its name; None for the system's default.

    Raises:
        AudioSourceError: the package sounddevice or the library PortAudio is missing, or there is no such microphone.
    """
    sounddevice = _sounddevice()
    chosen = int(device) if device is not None and device.isdecimal() else device
    try:
        rate = round(sounddevice.query_devices(chosen, "input")["default_samplerate"])
        resampler = StreamingResampler(rate, SAMPLE_RATE)
        with sounddevice.InputStream(rate, device=chosen, channels=1, dtype="float32") as stream:
            while True:
                heard, overflowed = stream.read(rate // BLOCKS_PER_SECOND)
                if overflowed:
                    logger.warning("the machine was too busy to hear the microphone for a moment")
                yield resampler.push(np.ascontiguousarray(heard[:, 0]))
    except (sounddevice.PortAudioError, ValueError) as error:
        what = "no microphone" if device is None else f"no microphone {device!r}"
        raise AudioSourceError(f"{what} can be opened: {error}") from error


def _sounddevice() -> Any:
    try:
        import sounddevice
    except ImportError as error:
        raise AudioSourceError(
            "the microphone needs the package sounddevice: pip install 'wavescribe[microphone]'; "
            "or pipe audio in: ffmpeg ... -f wav - | wavescribe listen -"
        ) from error
    except OSError as error:
        raise AudioSourceError(
            "the microphone needs the library PortAudio (libportaudio2 in Debian); "
            "or pipe audio in: ffmpeg ... -f wav - | wavescribe listen -"
        ) from error
    return sounddevice
