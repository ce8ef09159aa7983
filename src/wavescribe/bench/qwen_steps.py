"""The work of a step of Qwen3-ASR by recipe, counted: tokens, and operations of the published sizes.

python -m wavescribe.bench.qwen_steps

Three text tokens a second, six of them revised at each step of 2 s, twelve written by the recipes that force a prefix.
The encoder, the pages and the drafts of a toy model run, its decoder's layers do not: what counts is which tokens pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from statistics import mean

import numpy as np
import torch
import typer
from rich.console import Console
from rich.table import Table

from wavescribe.engines.base import Samples
from wavescribe.engines.qwen3.attention import PagedLayout
from wavescribe.engines.qwen3.configuration import SHAPES, ModelShape
from wavescribe.engines.qwen3.geometry import SAMPLE_RATE
from wavescribe.engines.qwen3.model import build_model
from wavescribe.engines.qwen3.page_pool import PagePool
from wavescribe.engines.qwen3.random_weights import random_weights
from wavescribe.engines.qwen3.simulated_speech import STEP_SECONDS, speech_like, spoken_tokens, timed_request
from wavescribe.engines.qwen3.stepper import StepAnswer, Stepper, StepRequest
from wavescribe.engines.qwen3.streams import Streams
from wavescribe.engines.qwen3.text_decoder import TextDecoder
from wavescribe.engines.qwen3.work import Work

COUNTED = ("0.6B", "1.7B")
"""Sizes whose operations are counted."""

WRITTEN = 12
"""Text tokens that a recipe without state writes after its forced prefix."""

AGES = (30, 60, 300, 900)
SLICE_SECONDS = 4
KEPT = ((8, 32), (8, 64), (4, 32), (2, 32))
"""Seconds of the encoder's window and of the segment."""

MARGIN = 40
"""Samples after a second's end that its last frame reaches into."""


class PassingDecoder(TextDecoder):
    """A decoder without layers."""

    def forward(self, embedded: torch.Tensor, layout: PagedLayout, pool: PagePool) -> torch.Tensor:
        """The tokens as they came."""
        return embedded


@dataclass(frozen=True, slots=True)
class StepCount:
    """The work of a recipe's steps.

    Attributes:
        recipe: its name.
        steps: each step's work.
    """

    recipe: str
    steps: tuple[Work, ...]

    def tokens(self) -> tuple[float, int]:
        """New decoder tokens of a step, mean and most."""
        counts = [work.text_tokens for work in self.steps]
        return mean(counts), max(counts)

    def gigaflop(self, shape: ModelShape) -> tuple[float, float]:
        """Operations of a step in a model of that shape, mean and most, in 1e9."""
        operations = [work.operations(shape) / 1e9 for work in self.steps]
        return mean(operations), max(operations)


def count_steps() -> Iterator[StepCount]:
    """Every recipe's steps."""
    weights = random_weights(SHAPES["toy"])
    for age in AGES:
        yield _without_state(f"cumulative at {age} s", weights, age)
    yield _without_state(f"sliced ({SLICE_SECONDS} s of audio; inexact)", weights, SLICE_SECONDS)
    for window, segment in KEPT:
        name = f"kept state, window {window} s, segment {segment} s"
        yield StepCount(name, _kept_state(weights, window, segment))


def _without_state(name: str, weights: dict[str, torch.Tensor], seconds: int) -> StepCount:
    spoken = spoken_tokens(seconds)
    step = timed_request(_audio(seconds), spoken, max(0, len(spoken) - WRITTEN))
    return StepCount(name, tuple(_spent(_streams(weights, SHAPES["toy"]), [step])))


def _kept_state(weights: dict[str, torch.Tensor], window: int, segment: int) -> tuple[Work, ...]:
    """The steps of a whole segment."""
    audio = _audio(segment)
    ends = range(STEP_SECONDS, segment + 1, STEP_SECONDS)
    steps = [timed_request(audio[: end * SAMPLE_RATE + MARGIN], spoken_tokens(end)) for end in ends]
    return tuple(_spent(_streams(weights, SHAPES["toy"].with_window(100 * window)), steps))


def _audio(seconds: int) -> Samples:
    """Audio whose loudest sound comes first, so that its floor stays."""
    audio = speech_like(seconds + 1, seconds)[: seconds * SAMPLE_RATE + MARGIN]
    audio[: SAMPLE_RATE // 10] = np.sign(audio[: SAMPLE_RATE // 10])
    return audio


def _streams(weights: dict[str, torch.Tensor], shape: ModelShape) -> Streams:
    model = build_model(shape, weights)
    model = replace(model, decoder=PassingDecoder(shape.text, weights, model.decoder.kernel))
    pool = PagePool(shape.text, 300, 64, model.device, model.dtype)
    return Streams(Stepper(model, pool), pool)


def _spent(streams: Streams, steps: list[StepRequest]) -> Iterator[Work]:
    for step in steps:
        before = streams.stepper.work.copy()
        (answer,) = streams.step([("stream", step)])
        if not isinstance(answer, StepAnswer):
            raise answer
        yield streams.stepper.work.minus(before)


def main() -> None:
    """Print the table."""
    table = Table("recipe", "steps", "tokens: mean", "most", *(f"{size} GF: {x}" for size in COUNTED for x in _KINDS))
    for count in count_steps():
        figures = [*count.tokens(), *(value for size in COUNTED for value in count.gigaflop(SHAPES[size]))]
        table.add_row(count.recipe, str(len(count.steps)), *(f"{value:,.0f}" for value in figures))
    Console().print(table)


_KINDS = ("mean", "most")

if __name__ == "__main__":
    typer.run(main)
