"""From a model's name to the engine that runs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from wavescribe.engines.base import Engine
from wavescribe.engines.qwen3.configuration import FRAMES_PER_SECOND
from wavescribe.engines.qwen3.locating import is_qwen3_name
from wavescribe.engines.qwen3.options import Qwen3Options
from wavescribe.errors import ConfigurationError, EngineError

NO_CHOICES = Qwen3Options()

WHISPER_COMPUTE_TYPE = "int8"
"""Whisper's arithmetic where none was asked for."""


def load_engine(
    name: str,
    *,
    device: str = "cpu",
    compute_type: str | None = None,
    workers: int = 1,
    threads_per_worker: int = 2,
    qwen3: Qwen3Options = NO_CHOICES,
) -> Engine:
    """Load a model with the engine that fits it: Qwen3-ASR by its config.json or its name, else Whisper.

    Args:
        name: a known model, a directory, or a Hugging Face id.
        device: "cpu", "cuda" or "auto".
        compute_type: arithmetic of the model; None for the engine's own choice.
        workers: calls that may run at the same time.
        threads_per_worker: CPU threads of each call.
        qwen3: what only Qwen3-ASR has.

    Raises:
        ConfigurationError: a setting has a value that the engine does not have, or is one of another model's.
        WeightsError: the weights are missing, damaged or not the pinned ones.
        ModelNotFoundError: no such model.
        EngineError: the model cannot be loaded on this device, or the packages it needs are not installed.
    """
    if is_qwen3_name(name):
        return _load_qwen3(name, device, compute_type, workers * threads_per_worker, qwen3)
    if qwen3.chosen:
        raise ConfigurationError(f"setting {qwen3.chosen[0]}: only Qwen3-ASR has it, and model {name} is another")
    from wavescribe.engines.whisper import load_whisper  # loads a runtime that no other engine needs

    return load_whisper(
        name,
        device=device,
        compute_type=compute_type or WHISPER_COMPUTE_TYPE,
        workers=workers,
        threads_per_worker=threads_per_worker,
    )


def processes_of(name: str, workers: int) -> int:
    """How many processes a model gains from: one where a call serves many streams and keeps their state.

    Args:
        name: the model's name.
        workers: engine calls at the same time that the settings ask for.

    Raises:
        WeightsError: the name is a directory whose config.json cannot be read.
    """
    return 1 if is_qwen3_name(name) else workers


def load_random_qwen3(size: str, *, device: str = "cpu", threads: int = 1) -> Engine:
    """Qwen3-ASR with random weights and a text of forced length, for timing.

    Args:
        size: "0.6B", "1.7B" or "toy".
        device: "cpu" or "cuda".
        threads: CPU threads.

    Raises:
        ConfigurationError: there is no such size.
        EngineError: the packages it needs are not installed.
    """
    with _telling_what_is_missing(f"Qwen3-ASR in size {size}"):
        from wavescribe.engines.qwen3.random_engine import random_engine
    return random_engine(size, device=device, threads=threads)


@contextmanager
def _telling_what_is_missing(name: str) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in ("torch", "safetensors"):
            raise
        raise EngineError(
            f"model {name} needs the package {error.name}, which is not installed: pip install 'wavescribe[qwen]'"
        ) from error


def _load_qwen3(name: str, device: str, compute_type: str | None, threads: int, options: Qwen3Options) -> Engine:
    with _telling_what_is_missing(name):
        from wavescribe.engines.qwen3.loading import load_qwen3
    seconds = options.encoder_window_seconds
    return load_qwen3(
        name,
        device=device,
        compute_type=compute_type,
        threads=threads,
        floor=options.feature_floor,
        window_frames=None if seconds is None else seconds * FRAMES_PER_SECOND,
        pool_bytes=options.cache_bytes,
        aligner=options.aligner,
    )
