"""Change the sample rate of a stream, packet by packet."""

from __future__ import annotations

import numpy as np
import soxr

from wavescribe.engines.base import Samples

_NOTHING: Samples = np.zeros(0, dtype=np.float32)


class StreamingResampler:
    """Resamples a mono stream; the output does not depend on how the input is cut into packets.

    After n input samples the same output has come out, to the bit, whether they were pushed one by one or at once.
    The output keeps the input's timeline: both begin at the same instant. What has come out lags behind what went
    in, because the filter looks ahead and works in blocks: to 16 kHz by at most 1860 output samples (116 ms) from
    8 kHz, 590 (37 ms) from 24 or 48 kHz, 650 (41 ms) from 44.1 kHz, and by nothing when the rates are equal.

    Args:
        source_rate: samples per second of the input, above 0.
        target_rate: samples per second of the output, above 0.
    """

    def __init__(self, source_rate: int, target_rate: int) -> None:
        self._source_rate = source_rate
        self._stream = None if source_rate == target_rate else soxr.ResampleStream(source_rate, target_rate, 1)

    @property
    def source_rate(self) -> int:
        """Samples per second of the input."""
        return self._source_rate

    def push(self, samples: Samples) -> Samples:
        """Take the next packet.

        Args:
            samples: shape (samples,), finite, at the source rate; any length.

        Returns:
            The output that is complete, at the target rate; may be empty. With equal rates, `samples` itself.
        """
        if self._stream is None:
            return samples
        output: Samples = self._stream.resample_chunk(samples)
        return output

    def flush(self) -> Samples:
        """End the stream; a later push begins a new one.

        Returns:
            The rest of the output, which makes its length the input's times target_rate / source_rate, rounded.
        """
        if self._stream is None:
            return _NOTHING
        output: Samples = self._stream.resample_chunk(_NOTHING, last=True)
        self._stream.clear()
        return output
