"""The parts under test, put together as tests need them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch

from wavescribe.engines.base import Samples
from wavescribe.engines.qwen3.configuration import ModelShape
from wavescribe.engines.qwen3.model import build_model
from wavescribe.engines.qwen3.options import FloorPolicy
from wavescribe.engines.qwen3.page_pool import PagePool
from wavescribe.engines.qwen3.script import Script
from wavescribe.engines.qwen3.stepper import StepAnswer, Stepper, StepRequest
from wavescribe.engines.qwen3.stream_cache import StreamCache, new_cache
from wavescribe.errors import EngineError

BUDGET = 6
"""Tokens of an answer."""


class Lab:
    """A model with a pool, and steppers on it."""

    def __init__(self, shape: ModelShape, weights: Mapping[str, torch.Tensor], pages: int = 128) -> None:
        self.model = build_model(shape, weights)
        self.pool = PagePool(shape.text, pages, 32, torch.device("cpu"), torch.float32)
        self.stepper = self.with_policy("exact")

    def with_policy(self, policy: FloorPolicy) -> Stepper:
        return Stepper(self.model, self.pool, policy, record_logits=True)

    def cache(self) -> StreamCache:
        return new_cache(self.pool, self.model.shape.audio)


def cut(samples: Samples, seconds: float) -> Iterator[Samples]:
    """The audio so far at each step, the whole at last."""
    step = round(seconds * 16_000)
    for end in range(step, len(samples), step):
        yield samples[:end]
    yield samples


def request(samples: Samples, budget: int = BUDGET) -> StepRequest:
    return StepRequest(samples, Script(budget=budget))


def tokens(answer: StepAnswer | EngineError) -> tuple[int, ...]:
    assert isinstance(answer, StepAnswer), answer
    return answer.tokens


def alone(lab: Lab, samples: Samples, script: Script) -> StepAnswer:
    cache = lab.cache()
    answer = lab.stepper.step([(cache, StepRequest(samples, script))])[0]
    cache.clear()
    return answer
