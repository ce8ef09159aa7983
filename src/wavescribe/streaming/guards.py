"""Guards against text that nobody said: budgets, loops and hallucinations on silence."""

from __future__ import annotations

from collections.abc import Sequence

from wavescribe.engines.base import Hypothesis
from wavescribe.streaming.units import Unit

TOKENS_FLOOR = 12
"""Room for a short window's opening words and punctuation."""

NO_SPEECH_PROBABILITY = 0.6
NO_SPEECH_LOGPROB = -1.0
"""Whisper's own rule for a window without speech: no-speech belief above, and log probability below."""

SOUNDLESS_SECONDS = 0.02
"""A unit this short has no sound of its own: the alignment had nowhere to put it."""

LONGEST_PATTERN_UNITS = 24
"""Longest phrase looked for when a hypothesis repeats itself."""

LEAST_DIGITS, MOST_DIGITS_PER_SECOND = 4, 10
"""A year is said as two words; longer numbers are said digit by digit, or are rare."""

LEAST_CUT_SHORT_UNITS = 3
"""Units of a phrase that a hypothesis has to write again before its end for them to be seen as a loop."""


def token_budget(seconds: float, tokens_per_second: int) -> int:
    """Most tokens that speech of that many seconds can need.

    Args:
        seconds: length of the audio.
        tokens_per_second: of the engine's vocabulary; see EngineInfo.
    """
    return TOKENS_FLOOR + round(tokens_per_second * seconds)


def is_no_speech(hypothesis: Hypothesis) -> bool:
    """Whether the engine says that it heard no speech and is unsure of what it wrote."""
    return hypothesis.no_speech_probability > NO_SPEECH_PROBABILITY and hypothesis.average_logprob < NO_SPEECH_LOGPROB


def without_loops(units: Sequence[Unit], sample_rate: int) -> list[Unit]:
    """The units up to where the hypothesis begins to loop.

    A looping decoder writes a phrase again that nobody said again, and the alignment finds no sound for it: at least
    half of the repetition's units have no length. A phrase that was really said again has sound under each
    repetition, so it passes. A repetition that the hypothesis's end cuts short counts when none of it has sound.
    What follows a loop is dropped with it: it was written on the strength of the loop.

    Args:
        units: the units of a hypothesis, in order.
        sample_rate: samples per second of the units' positions.
    """
    keys = [unit.key for unit in units]
    soundless = [unit.end - unit.start <= SOUNDLESS_SECONDS * sample_rate for unit in units]
    for start in range(1, len(units)):
        for size in range(1, min(LONGEST_PATTERN_UNITS, start) + 1):
            repetition = slice(start, min(start + size, len(units)))
            if _repeats(keys, start, size) and _is_loop(soundless[repetition], size):
                # Found at a rotation of the phrase, the repetition may begin with units that were said.
                return list(units[: start + soundless[repetition].index(True)])
    return list(units)


def has_hurried_number(units: Sequence[Unit], sample_rate: int) -> bool:
    """Whether a unit has more digits than can be said in its time: a loop inside a number is in one unit.

    Where it is no loop ("2000000" is two words), the doubt costs a thorough decode and changes nothing.
    """
    for unit in units:
        digits = sum(character.isdigit() for character in unit.text)
        if digits > LEAST_DIGITS and digits * sample_rate > MOST_DIGITS_PER_SECOND * (unit.end - unit.start):
            return True
    return False


def _repeats(keys: Sequence[str], start: int, size: int) -> bool:
    """Whether the units from a start say again the phrase before them; the last unit of all may be cut short."""
    said, again = keys[start - size : start], keys[start : start + size]
    if start + len(again) == len(keys):
        last = said[len(again) - 1]
        return said[: len(again) - 1] == again[:-1] and last.startswith(again[-1])
    return said == again


def _is_loop(soundless: Sequence[bool], size: int) -> bool:
    """Whether a repetition of a phrase of that many units is one that nobody said."""
    if len(soundless) < size:
        return len(soundless) >= LEAST_CUT_SHORT_UNITS and all(soundless)
    return 2 * sum(soundless) >= size
