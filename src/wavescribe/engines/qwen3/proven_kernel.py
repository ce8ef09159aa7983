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
from wavescribe.errors import EngineError, EngineLostError

TRIED_SECONDS = 26.0
"""Audio that both kernels hear: three finished windows of the encoder and an open one, in two pages of the decoder."""

TRIED_TOKENS = (1000, 2000, 3000)
"""What both are taken to write: choices of their own would part at the first tie. In the first step each is a pass of
its own for both streams, in the second all are verified in one."""

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

    Raises:
        EngineLostError: the device failed under it; nothing can run in this process any more.
    """
    example = weights["language_model.embed_tokens.weight"]
    best = best or choose_kernel(example.device, example.dtype)
    if best == "plain":
        return best, ""
    try:
        fast, plain = (_scores(shape, weights, kernel) for kernel in (best, "plain"))
    except EngineLostError:
        raise
    except (RuntimeError, TypeError, EngineError) as error:
        return "plain", f"varlen failed: {str(error).splitlines()[0]}"
    difference = float((fast - plain).abs().max() / plain.abs().max())
    if not difference <= MOST_DIFFERENCE:
        return "plain", f"varlen gives other scores: they differ by {difference:.3g} of the largest"
    return best, f"largest difference from plain attention: {difference:.3g} of the largest score"


def _scores(shape: ModelShape, weights: Mapping[str, torch.Tensor], kernel: Kernel) -> torch.Tensor:
    """The scores before each of the tried tokens, of two streams in each of two steps."""
    model = build_model(shape, weights, kernel=kernel)
    pool = PagePool(shape.text, 16, 256, model.device, model.dtype)
    streams = Streams(Stepper(model, pool, record_logits=True), pool)
    script = Script(budget=len(TRIED_TOKENS), exact_length=True)
    requests = [(name, StepRequest(_noise(seconds), script, spoken=TRIED_TOKENS)) for name, seconds in SOUNDS.items()]
    answers = [*streams.step(requests), *streams.step(requests)]
    for answer in answers:
        if isinstance(answer, EngineError):
            raise answer
    found = [answer.logits for answer in answers if not isinstance(answer, EngineError)]
    return torch.stack([scores for each in found for scores in each]).float()


SOUNDS = {"long": TRIED_SECONDS, "short": 3.0}


def _noise(seconds: float) -> Samples:
    return (np.random.default_rng(1).standard_normal(round(seconds * 16_000)) * 0.1).astype(np.float32)
