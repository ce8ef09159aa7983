"""The seeds' answer to growing cost: after a gate, only the newest audio with a left overlap; for comparison.

Below the gate it is `cumulative`. Above it each step hears the last chunk and the overlap before it, without a
prefix, and what the overlap said before is removed by comparing text.
"""

from __future__ import annotations

import math

from wavescribe.engines.base import Hypothesis
from wavescribe.streaming.parameters import StreamParameters
from wavescribe.streaming.strategies.base import Outcome, Window
from wavescribe.streaming.strategies.cumulative import TOKEN_BUDGET, Cumulative
from wavescribe.streaming.strategies.overlap import without_overlap
from wavescribe.streaming.units import Unit


class Sliced(Cumulative):
    """Cumulative up to the gate, then slices.

    Args:
        parameters: the stream's parameters.
    """

    def __init__(self, parameters: StreamParameters) -> None:
        super().__init__(parameters)
        recipe = parameters.recipe
        self._gate_steps = math.ceil(recipe.gate_seconds / recipe.chunk_seconds)
        self._overlap = parameters.samples(recipe.overlap_seconds)
        self._may_slice = recipe.overlap_seconds < recipe.unfixed_chunks * recipe.chunk_seconds
        self._heard_until: int | None = None
        """Where the last step above the gate ended."""

    @property
    def needed_from(self) -> int | None:
        """Absolute position of the first sample that the next slice needs, or None between turns."""
        return None if self._start is None else self._slice_start()

    def open(self, start: int) -> None:
        """Begin a turn at an absolute sample position."""
        super().open(start)
        self._heard_until = None

    def plan(self, end: int, speech_end: int) -> Window:
        """The turn so far below the gate and at the first step above it, then a slice."""
        if not self._is_above_gate:
            return super().plan(end, speech_end)
        return Window(self._slice_start(), end, speech_end, (), "", TOKEN_BUDGET)

    def reconcile(self, window: Window, hypothesis: Hypothesis, *, final: bool) -> Outcome:
        """As `cumulative`, after removing by text what was emitted before."""
        above = self._is_above_gate
        outcome = super().reconcile(window, hypothesis, final=final)
        if above:
            self._heard_until = window.end
        return outcome

    @property
    def _is_above_gate(self) -> bool:
        return self._may_slice and bool(self._emitted) and self._steps >= self._gate_steps

    def _slice_start(self) -> int:
        start = self._open_start()
        return start if self._heard_until is None else max(start, self._heard_until - self._overlap)

    def _words(self, window: Window, hypothesis: Hypothesis) -> list[Unit]:
        words = super()._words(window, hypothesis)
        return without_overlap(self._emitted[-len(words) :], words) if self._is_above_gate and words else words
