"""Guards against text that nobody said: budgets, loops and hallucinations on silence."""

from __future__ import annotations

from collections.abc import Sequence

from wavescribe.engines.base import Hypothesis
from wavescribe.streaming.units import Unit

TOKENS_PER_SECOND = 10
"""More than any language's speech needs in Whisper's and Qwen's vocabularies; loops run to their budget."""

TOKENS_FLOOR = 12
"""Room for a short window's opening words and punctuation."""

NO_SPEECH_PROBABILITY = 0.6
NO_SPEECH_LOGPROB = -1.0
"""Whisper's own rule for a window without speech: no-speech belief above, and log probability below."""

SHORTEST_UNIT_SECONDS = 0.04
"""Nobody says two words in a row this fast; loops pile their words up where the audio ends."""

LONGEST_PATTERN_UNITS = 12
"""Longest phrase looked for when a hypothesis repeats itself."""


def token_budget(seconds: float) -> int:
    """Most tokens that speech of that many seconds can need."""
    return TOKENS_FLOOR + round(TOKENS_PER_SECOND * seconds)


def is_no_speech(hypothesis: Hypothesis) -> bool:
    """Whether the engine says that it heard no speech and is unsure of what it wrote."""
    return hypothesis.no_speech_probability > NO_SPEECH_PROBABILITY and hypothesis.average_logprob < NO_SPEECH_LOGPROB


def without_loops(units: Sequence[Unit], sample_rate: int) -> list[Unit]:
    """The units up to where the hypothesis begins to loop.

    A loop is a phrase that repeats at the end of the hypothesis faster than anybody can say it. A phrase that was
    really said again has sound under each repetition, so it passes.

    Args:
        units: the units of a hypothesis, in order.
        sample_rate: samples per second of the units' positions.
    """
    kept = list(units)
    shortest = SHORTEST_UNIT_SECONDS * sample_rate
    while kept and _is_piled_up(kept, shortest):
        kept.pop()
    for size in range(1, LONGEST_PATTERN_UNITS + 1):
        kept = _without_fast_repeats(kept, size, shortest)
    return kept


def _is_piled_up(units: Sequence[Unit], shortest: float) -> bool:
    """Whether the last two units have no audio of their own."""
    return len(units) >= 2 and all(unit.end - unit.start < shortest for unit in units[-2:])


def _without_fast_repeats(units: list[Unit], size: int, shortest: float) -> list[Unit]:
    """Drop repetitions of the last `size` units that no audio carries."""
    while len(units) >= 2 * size:
        last, before = units[-size:], units[-2 * size : -size]
        if [unit.key for unit in last] != [unit.key for unit in before]:
            break
        if last[-1].end - last[0].start >= shortest * 2 * size:
            break
        units = units[:-size]
    return units
