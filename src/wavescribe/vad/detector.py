"""The seam to a voice activity detector."""

from __future__ import annotations

from typing import Protocol

from wavescribe.engines.base import Samples

FRAME_SAMPLES = 512
"""Samples of one frame at 16 kHz (32 ms), the size that Silero hears."""


class SpeechDetector(Protocol):
    """Speech probability of one stream, frame by frame; it keeps the stream's state and nothing else."""

    def probabilities(self, samples: Samples) -> list[float]:
        """Take the next samples of the stream, in packets of any size.

        Returns:
            The speech probability, 0 to 1, of each frame of 512 samples that these samples complete.
        """


class AlwaysSpeech:
    """A detector that takes every frame for speech: for engines and tests that want all audio decoded."""

    def __init__(self) -> None:
        self._rest = 0

    def probabilities(self, samples: Samples) -> list[float]:
        """1.0 for each completed frame."""
        frames, self._rest = divmod(self._rest + len(samples), FRAME_SAMPLES)
        return [1.0] * frames
