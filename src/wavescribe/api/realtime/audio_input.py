"""A session's audio at the rate of the engine, whatever rate it arrives at."""

from __future__ import annotations

from wavescribe.audio.resampling import StreamingResampler
from wavescribe.engines.base import Samples


class AudioInput:
    """Resamples what is appended; packets leave no seams.

    Args:
        sample_rate: samples per second of the engine.
    """

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._resampler = StreamingResampler(sample_rate, sample_rate)

    def push(self, samples: Samples, rate: int) -> list[Samples]:
        """Take audio at its own rate; returns what is complete at the engine's, that of an older rate first."""
        complete: list[Samples] = []
        if rate != self._resampler.source_rate:
            complete.append(self._resampler.flush())
            self._resampler = StreamingResampler(rate, self._sample_rate)
        complete.append(self._resampler.push(samples))
        return [part for part in complete if len(part)]

    def end_turn(self) -> Samples:
        """What is left of the audio so far; the next audio begins anew."""
        return self._resampler.flush()
