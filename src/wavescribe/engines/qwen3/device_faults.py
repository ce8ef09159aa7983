"""Errors of torch: which of them end the whole process, and what is freed after the others."""

from __future__ import annotations

import torch

from wavescribe.errors import EngineError, EngineLostError


def told(error: Exception) -> EngineError:
    """What a failed pass is told as; it holds nothing of the pass.

    Args:
        error: whatever the pass raised.

    Raises:
        EngineLostError: the device itself failed; after that every pass of this process fails.
    """
    if isinstance(error, torch.AcceleratorError):
        raise EngineLostError(f"the device failed, and with it this process: {error!r}") from error
    if isinstance(error, EngineError):
        return error.with_traceback(None)  # its frames hold the tensors of the pass
    return EngineError(f"the model failed: {error!r}")


def free_unused_memory() -> None:
    """Give memory that no tensor has back to the device, so that a smaller pass finds room in one piece."""
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
