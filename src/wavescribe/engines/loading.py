"""From a model's name to the engine that runs it."""

from __future__ import annotations

from wavescribe.engines.base import Engine
from wavescribe.engines.qwen3.locating import is_qwen3_name
from wavescribe.errors import EngineError

WHISPER_COMPUTE_TYPE = "int8"
"""Whisper's arithmetic where none was asked for."""


def load_engine(
    name: str,
    *,
    device: str = "cpu",
    compute_type: str | None = None,
    workers: int = 1,
    threads_per_worker: int = 2,
) -> Engine:
    """Load a model with the engine that fits it: Qwen3-ASR by its config.json or its name, else Whisper.

    Args:
        name: a known model, a directory, or a Hugging Face id.
        device: "cpu", "cuda" or "auto".
        compute_type: arithmetic of the model; None for the engine's own choice.
        workers: calls that may run at the same time.
        threads_per_worker: CPU threads of each call.

    Raises:
        ConfigurationError: a setting has a value that the engine does not have.
        WeightsError: the weights are missing, damaged or not the pinned ones.
        ModelNotFoundError: no such model.
        EngineError: the model cannot be loaded on this device, or the packages it needs are not installed.
    """
    if is_qwen3_name(name):
        return _load_qwen3(name, device, compute_type, workers * threads_per_worker)
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


def _load_qwen3(name: str, device: str, compute_type: str | None, threads: int) -> Engine:
    try:
        from wavescribe.engines.qwen3.loading import load_qwen3
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in ("torch", "safetensors"):
            raise
        raise EngineError(
            f"model {name} needs the package {error.name}, which is not installed: pip install 'wavescribe[qwen]'"
        ) from error
    return load_qwen3(name, device=device, compute_type=compute_type, threads=threads)
