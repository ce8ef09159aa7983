"""Streams as speech would make them, for timing a model whose weights are random: audio, and what is said in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from zlib import crc32

import numpy as np

from wavescribe.engines.base import Samples
from wavescribe.engines.qwen3.geometry import SAMPLE_RATE
from wavescribe.engines.qwen3.script import Script
from wavescribe.engines.qwen3.stepper import StepRequest

TOKENS_PER_SECOND = 3
"""Text tokens of fluent speech."""

REVISED_TOKENS = 6
"""Tokens at the end of an answer that the next one says otherwise."""

STEP_SECONDS = 2
SEGMENT_SECONDS = 32


def spoken_tokens(seconds: int) -> tuple[int, ...]:
    """What is said in so many seconds, as heard at that moment: the last tokens will be revised."""
    count = TOKENS_PER_SECOND * seconds
    stable = max(0, count - REVISED_TOKENS)
    return tuple(
        [1000 + index for index in range(stable)] + [5000 + 10 * seconds + index for index in range(count - stable)]
    )


def speech_like(seconds: int, seed: int) -> Samples:
    """Noise whose level moves as that of speech does, shape (samples,)."""
    random = np.random.default_rng(seed)
    level = np.exp(random.uniform(-3, 0, 10 * seconds + 1)).repeat(SAMPLE_RATE // 10)[: seconds * SAMPLE_RATE]
    return (random.standard_normal(seconds * SAMPLE_RATE) * level * 0.2).astype(np.float32)


@dataclass(slots=True)
class SimulatedStream:
    """A stream in segments of 32 s, advanced by 2 s a step.

    Attributes:
        key: its name.
        seconds: how much of its segment was heard.
        segment: number of the segment.
    """

    key: str
    seconds: int
    segment: int = 0
    _audio: Samples = field(default_factory=lambda: np.zeros(0, dtype=np.float32))

    def next(self) -> StepRequest:
        """The next step of the stream."""
        self.seconds += STEP_SECONDS
        if self.seconds > SEGMENT_SECONDS or not len(self._audio):
            self.seconds = min(self.seconds, SEGMENT_SECONDS) if not len(self._audio) else STEP_SECONDS
            self.segment += 1
            self._audio = speech_like(SEGMENT_SECONDS, crc32(f"{self.key} {self.segment}".encode()))
        return timed_request(self._audio[: self.seconds * SAMPLE_RATE], spoken_tokens(self.seconds))


def timed_request(samples: Samples, spoken: tuple[int, ...], given: int = 0) -> StepRequest:
    """A step whose answer is known: the model computes, and what it chooses is replaced.

    Args:
        samples: the audio.
        spoken: the answer.
        given: leading tokens of it that are forced as prefix.
    """
    script = Script(given=spoken[:given], budget=len(spoken) - given, exact_length=True)
    return StepRequest(samples, script, spoken=spoken)
