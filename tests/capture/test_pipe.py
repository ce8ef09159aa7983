"""Audio from a pipe, with a header and without."""

from __future__ import annotations

import io
import os
import threading
import wave
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from wavescribe.capture import SAMPLE_RATE
from wavescribe.capture.pipe import container_blocks, raw_blocks
from wavescribe.engines.base import Samples

SECONDS = 4.5


def recording(rate: int) -> bytes:
    """Sound that is louder at its beginning, as 16-bit PCM."""
    noise = np.random.default_rng(1).normal(0, 1_000, int(SECONDS * rate))
    noise[:rate] *= 5
    return noise.astype("<i2").tobytes()


def contained(data: bytes, rate: int) -> bytes:
    """PCM as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as output:
        output.setnchannels(1)
        output.setsampwidth(2)
        output.setframerate(rate)
        output.writeframes(data)
    return file.getvalue()


def heard(data: bytes, blocks: Callable[[int], Iterator[Samples]]) -> Samples:
    """What is read of a pipe into which a program writes."""
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(data)

    writer = threading.Thread(target=write)
    writer.start()
    samples = np.concatenate(list(blocks(reading)))
    writer.join()
    os.close(reading)
    return samples


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_a_container_in_a_pipe_is_heard_from_its_first_sample(rate: int) -> None:
    samples = heard(contained(recording(rate), rate), container_blocks)
    assert len(samples) == pytest.approx(SECONDS * SAMPLE_RATE, abs=2)
    first, second = samples[:SAMPLE_RATE], samples[SAMPLE_RATE : 2 * SAMPLE_RATE]
    assert np.std(first) > 4 * np.std(second)


def test_samples_without_a_header_are_the_same_as_with_one() -> None:
    data = recording(SAMPLE_RATE)
    with_header = heard(contained(data, SAMPLE_RATE), container_blocks)
    without = heard(data, lambda descriptor: raw_blocks(descriptor, SAMPLE_RATE))
    assert np.array_equal(with_header, without)
