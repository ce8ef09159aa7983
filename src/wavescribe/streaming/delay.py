"""How long text is held back: the OpenAI API's `delay` levels as what must follow a unit before it settles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Delay = Literal["minimal", "low", "medium", "high", "xhigh"]


@dataclass(frozen=True, slots=True)
class SettlingRule:
    """When a unit settles.

    Attributes:
        agreements: hypotheses in a row that must have it.
        hold_seconds: sound that must follow it.
        sure_seconds: sound after it that makes one hypothesis enough.
        confident_probability: the engine's belief in a unit at which it counts as sure of it.
        confident_seconds: sound after such a unit that makes one hypothesis enough.
    """

    agreements: int
    hold_seconds: float
    sure_seconds: float
    confident_probability: float
    confident_seconds: float


SETTLING_RULES: dict[Delay, SettlingRule] = {
    "minimal": SettlingRule(2, hold_seconds=0.25, sure_seconds=0.6, confident_probability=0.7, confident_seconds=0.25),
    "low": SettlingRule(2, hold_seconds=0.3, sure_seconds=0.7, confident_probability=0.75, confident_seconds=0.25),
    "medium": SettlingRule(2, hold_seconds=0.4, sure_seconds=0.8, confident_probability=0.8, confident_seconds=0.3),
    "high": SettlingRule(2, hold_seconds=1.5, sure_seconds=2.5, confident_probability=0.9, confident_seconds=1.5),
    "xhigh": SettlingRule(3, hold_seconds=2.0, sure_seconds=4.0, confident_probability=0.9, confident_seconds=3.0),
}
"""What each level means; the penalty in word errors against the lag of each is in docs/performance.md."""
