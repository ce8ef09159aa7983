"""The strategy whose final text is that of each segment decoded alone, offline.

Every step hears the segment from its start and forces nothing, so nothing settles before the segment's last step: its
text is a draft until a pause, the turn's end or the longest segment. On an engine that keeps what it has heard and
verifies its last hypothesis (Qwen3-ASR) a step costs little more than what is new; Whisper hears it all anew.
"""

from __future__ import annotations

from wavescribe.engines.base import Hypothesis
from wavescribe.streaming.guards import has_hurried_number, is_no_speech, token_budget, without_loops
from wavescribe.streaming.parameters import StreamParameters
from wavescribe.streaming.strategies.base import Outcome, Window
from wavescribe.streaming.units import Unit, split_units, with_leading_punctuation


class Segmented:
    """The open segment at every step, settled as a whole by its last.

    Args:
        parameters: the stream's parameters.
    """

    def __init__(self, parameters: StreamParameters) -> None:
        self._parameters = parameters
        self._start: int | None = None
        self._last: list[Unit] = []
        """The units of the last hypothesis."""

    @property
    def is_open(self) -> bool:
        """Whether a segment is open."""
        return self._start is not None

    @property
    def needed_from(self) -> int | None:
        """Absolute position of the segment's first sample, or None between segments."""
        return self._start

    def open(self, start: int) -> None:
        """Begin a segment at an absolute sample position."""
        self._start = start
        self._last = []

    def plan(self, end: int, speech_end: int) -> Window:
        """The segment so far, with nothing forced and nothing told of what came before."""
        if self._start is None:
            raise RuntimeError("no segment is open: call open() before plan()")
        seconds = (end - self._start) / self._parameters.sample_rate
        budget = token_budget(seconds, self._parameters.tokens_per_second)
        return Window(self._start, end, speech_end, prefix=(), context="", token_budget=budget)

    def reconcile(self, window: Window, hypothesis: Hypothesis, *, final: bool) -> Outcome:
        """The hypothesis as the draft; as what settles when the step is the segment's last."""
        self._last = self._sound_units(self._units(window, hypothesis))
        return self.finish(window.speech_end) if final else Outcome((), tuple(self._last))

    def finish(self, speech_end: int) -> Outcome:
        """Settle the last hypothesis."""
        settled, self._last = tuple(self._last), []
        return Outcome(settled, ())

    def is_doubtful(self, window: Window, hypothesis: Hypothesis) -> bool:
        """Whether the hypothesis loops or ran out of tokens, so that a thorough decode is worth its cost."""
        units = self._units(window, hypothesis)
        rule = self._parameters
        looped = len(self._sound_units(units)) < len(units)
        looped = looped or (rule.times_are_measured and has_hurried_number(units, rule.sample_rate))
        return looped or (hypothesis.truncated and not is_no_speech(hypothesis))

    def rest(self, position: int) -> None:
        """Nothing is kept between segments."""

    def close(self, *, in_pause: bool = False) -> None:
        """End the segment."""
        self._start = None

    def _units(self, window: Window, hypothesis: Hypothesis) -> list[Unit]:
        if is_no_speech(hypothesis):
            return []
        pieces = hypothesis.pieces
        return with_leading_punctuation(split_units(pieces, window.start, window.end, self._parameters.sample_rate))

    def _sound_units(self, units: list[Unit]) -> list[Unit]:
        return without_loops(units, self._parameters.sample_rate) if self._parameters.times_are_measured else units
