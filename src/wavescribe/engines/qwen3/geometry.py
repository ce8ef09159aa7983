"""How audio becomes frames, chunks, windows and tokens."""

from __future__ import annotations

from wavescribe.engines.qwen3.configuration import FRAMES_PER_SECOND

SAMPLE_RATE = 16_000
HOP = 160
"""Samples between two mel frames."""

TRANSFORM = 400
"""Samples under one mel frame."""

LEAST_SAMPLES = 8_000
"""Shorter clips are filled up with zeros, as the official processor does."""

CHUNK_TOKENS = 13
"""Tokens of one whole second."""


def frame_count(samples: int) -> int:
    """Mel frames of a clip; the short clip's filling counts, as in the official processor."""
    return max(samples, LEAST_SAMPLES) // HOP


def final_seconds(samples: int) -> int:
    """Whole seconds from the start whose frames later samples cannot change.

    Frame t is made of the samples from 160 t - 200 to 160 t + 200; the last frames of a clip see its mirrored end.
    """
    return max(0, (samples - (TRANSFORM // 2 - HOP)) // SAMPLE_RATE)


def chunk_tokens(frames: int) -> int:
    """Tokens of a chunk of 0 to 100 frames after three convolutions of stride 2."""
    for _ in range(3):
        frames = (frames + 1) // 2
    return frames


def token_count(frames: int) -> int:
    """Audio tokens of a clip of that many mel frames."""
    return CHUNK_TOKENS * (frames // FRAMES_PER_SECOND) + chunk_tokens(frames % FRAMES_PER_SECOND)
