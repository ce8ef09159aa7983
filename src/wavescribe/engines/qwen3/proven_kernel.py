"""The fast attention kernel where it runs and agrees with the plain one on this machine's device and these weights."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from wavescribe.engines.base import Samples
from wavescribe.engines.qwen3.attention import Kernel, choose_kernel
from wavescribe.engines.qwen3.configuration import ModelShape
from wavescribe.engines.qwen3.model import build_model
from wavescribe.engines.qwen3.page_pool import PagePool
from wavescribe.engines.qwen3.script import Script
from wavescribe.engines.qwen3.stepper import Stepper, StepRequest
from wavescribe.engines.qwen3.streams import Streams
from wavescribe.errors import EngineError

TRIED_SECONDS = 10.0
"""Audio that both kernels hear: a finished window of the encoder and an open one."""

MOST_DIFFERENCE = 0.1
"""Largest difference of two scores, as a share of the largest score: half precision gives some hundredths, a kernel
that looks at wrong tokens much more."""


def proven_kernel(
    shape: ModelShape, weights: Mapping[str, torch.Tensor], best: Kernel | None = None
) -> tuple[Kernel, str]:
    """The kernel to use, and why it is not the fast one, or how far that is from the plain one.

    Args:
        shape: of the model.
        weights: of the model, on its device.
        best: the kernel that is tried; by default the best for the weights' device and type.
    """
    example = weights["language_model.embed_tokens.weight"]
    best = best or choose_kernel(example.device, example.dtype)
    if best == "plain":
        return best, ""
    try:
        fast, plain = (_scores(shape, weights, kernel) for kernel in (best, "plain"))
    except (RuntimeError, TypeError, EngineError) as error:
        return "plain", f"varlen failed: {str(error).splitlines()[0]}"
    difference = float((fast - plain).abs().max() / plain.abs().max())
    if not difference <= MOST_DIFFERENCE:
        return "plain", f"varlen gives other scores: they differ by {difference:.3g} of the largest"
    return best, f"largest difference from plain attention: {difference:.3g} of the largest score"


def _scores(shape: ModelShape, weights: Mapping[str, torch.Tensor], kernel: Kernel) -> torch.Tensor:
    """The scores before each of some given tokens, of two streams in one step."""
    model = build_model(shape, weights, kernel=kernel)
    pool = PagePool(shape.text, 16, 256, model.device, model.dtype)
    streams = Streams(Stepper(model, pool, record_logits=True), pool)
    requests = [(name, StepRequest(_noise(seconds), Script(budget=1))) for name, seconds in SOUNDS.items()]
    answers = [*streams.step(requests), *streams.step(requests)]
    for answer in answers:
        if isinstance(answer, EngineError):
            raise answer
    return torch.stack([answer.logits[0] for answer in answers if not isinstance(answer, EngineError)]).float()


SOUNDS = {"long": TRIED_SECONDS, "short": 3.0}


def _noise(seconds: float) -> Samples:
    return (np.random.default_rng(1).standard_normal(round(seconds * 16_000)) * 0.1).astype(np.float32)
