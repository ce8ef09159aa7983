"""Random weights in a model's shape: for tests, and for timing where the real weights cannot be had."""

from __future__ import annotations

import math

import torch

from wavescribe.engines.qwen3.configuration import ModelShape
from wavescribe.engines.qwen3.tensors import expected_tensors

QUERY_NORM = 6.0
"""Sharper attention than at random; with a tied head the output would otherwise be one token, repeated."""


def random_weights(
    shape: ModelShape, *, seed: int = 0, device: torch.device | None = None, dtype: torch.dtype = torch.float32
) -> dict[str, torch.Tensor]:
    """Weights drawn from a seed, such that greedy output varies with the audio.

    Args:
        shape: the model's sizes.
        seed: of the generator; the same seed on the same kind of device gives the same weights.
        device: where they are made.
        dtype: of the result.
    """
    place = device or torch.device("cpu")
    generator = torch.Generator(place).manual_seed(seed)
    weights = {name: _tensor(name, size, generator, place).to(dtype) for name, size in expected_tensors(shape).items()}
    if shape.classes is None:
        weights["lm_head.weight"] = weights["language_model.embed_tokens.weight"]
    return weights


def _tensor(name: str, size: tuple[int, ...], generator: torch.Generator, device: torch.device) -> torch.Tensor:
    if name.endswith("q_norm.weight"):
        return torch.full(size, QUERY_NORM, device=device)
    if ("norm" in name or "ln_post" in name) and name.endswith("weight"):
        return 1.0 + 0.05 * torch.randn(size, generator=generator, device=device)
    scale = 1.5 / math.sqrt(math.prod(size[1:]))
    if "embed_tokens" in name or "lm_head" in name:
        scale = 0.02
    elif name.endswith("bias"):
        scale = 0.05
    return torch.randn(size, generator=generator, device=device) * scale
