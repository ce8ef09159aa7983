"""The first decode, before anybody waits for one: it loads what is loaded late, and tells what a step will take."""

from __future__ import annotations

import time

import numpy as np

from wavescribe.engines.base import DecodeRequest, Engine

WINDOW_SECONDS = 6.0
"""Audio of a usual step."""

SPEECH_FACTOR = 2.0
"""A step on speech takes about this many times one on noise, which has few words to write: on a full machine 0.34 s and
0.17 s were measured with Whisper base, 0.15 s and 0.07 s with tiny.en."""

TRIES = 3
"""The fastest of these counts: other programs on the machine make steps slower, none makes them faster."""


def typical_step_seconds(engine: Engine) -> float:
    """Decode a usual window of noise, often enough to warm workers up; it blocks.

    Returns:
        What a step on speech will probably take, in seconds.

    Raises:
        EngineError: the engine failed.
    """
    noise = np.random.default_rng(0).standard_normal(round(WINDOW_SECONDS * engine.info.sample_rate))
    request = DecodeRequest((0.01 * noise).astype(np.float32), language=engine.info.languages[0])
    for _ in range(2):
        engine.decode([request])
    return SPEECH_FACTOR * min(_seconds(engine, request) for _ in range(TRIES))


def _seconds(engine: Engine, request: DecodeRequest) -> float:
    started = time.monotonic()
    engine.decode([request])
    return time.monotonic() - started
