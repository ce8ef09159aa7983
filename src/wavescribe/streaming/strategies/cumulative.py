"""The strategy of the published Qwen3-ASR recipe, as SGLang's realtime endpoint runs it: for comparison.

Every step hears the whole turn again; after a cold start the emitted text is forced as prefix and the model writes
its continuation. There is no voice gate and no guard, and cost and memory grow with the turn.
"""

from __future__ import annotations

from dataclasses import replace

from wavescribe.engines.base import Hypothesis
from wavescribe.streaming.joining import delta_after
from wavescribe.streaming.parameters import StreamParameters
from wavescribe.streaming.strategies.base import Outcome, Window
from wavescribe.streaming.strategies.rollback import Rollback, whitespace_words
from wavescribe.streaming.units import Unit, split_units

TOKEN_BUDGET = 256
"""Most tokens of one continuation (the recipe's max_new_tokens)."""


class Cumulative:
    """The whole turn at every step, all but the last words of each hypothesis confirmed.

    Args:
        parameters: the stream's parameters.
    """

    def __init__(self, parameters: StreamParameters) -> None:
        self._parameters = parameters
        self._recipe = parameters.recipe
        self._start: int | None = None
        self._begin_turn()

    @property
    def is_open(self) -> bool:
        """Whether a segment (here: a turn) is open."""
        return self._start is not None

    @property
    def needed_from(self) -> int | None:
        """Absolute position of the turn's first sample, or None between turns."""
        return self._start

    def open(self, start: int) -> None:
        """Begin a turn at an absolute sample position."""
        self._start = start
        self._begin_turn()

    def plan(self, end: int, speech_end: int) -> Window:
        """The turn so far; its emitted tokens as prefix once the cold start is over."""
        prefix = tuple(self._emitted_tokens) if self._steps >= self._recipe.unfixed_chunks else ()
        return Window(self._open_start(), end, speech_end, prefix, "", TOKEN_BUDGET)

    def reconcile(self, window: Window, hypothesis: Hypothesis, *, final: bool) -> Outcome:
        """Confirm all but the last words of the continuation; everything of it when the step is the turn's last."""
        emitted = self._emit(self._rollback.update(self._words(window, hypothesis)))
        self._steps += 1
        if final:
            return Outcome((*emitted, *self._emit(self._rollback.finish())), ())
        return Outcome(tuple(emitted), tuple(self._spaced(self._rollback.held_back)))

    def finish(self, speech_end: int) -> Outcome:
        """Settle the words held back."""
        return Outcome(tuple(self._emit(self._rollback.finish())), ())

    def is_doubtful(self, window: Window, hypothesis: Hypothesis) -> bool:
        """The recipe doubts nothing."""
        return False

    def rest(self, position: int) -> None:
        """Nothing is kept between turns."""

    def close(self, *, in_pause: bool = False) -> None:
        """End the turn."""
        self._start = None

    def _begin_turn(self) -> None:
        self._rollback = Rollback(self._recipe.rollback_words)
        self._steps = 0
        self._emitted: list[str] = []
        self._emitted_tokens: list[int] = []

    def _open_start(self) -> int:
        if self._start is None:
            raise RuntimeError("no turn is open: call open() before plan()")
        return self._start

    def _words(self, window: Window, hypothesis: Hypothesis) -> list[Unit]:
        """The words of the hypothesis after its forced prefix."""
        pieces = list(hypothesis.pieces)
        forced = len(window.prefix)
        while pieces and forced > 0:
            forced -= len(pieces.pop(0).token_ids)
        return whitespace_words(split_units(pieces, window.start, window.end, self._parameters.sample_rate))

    def _emit(self, words: list[Unit]) -> list[Unit]:
        spaced = self._spaced(words)
        self._emitted += [word.text for word in words]
        self._emitted_tokens += [token for word in words for token in word.token_ids]
        return spaced

    def _spaced(self, words: list[Unit]) -> list[Unit]:
        """The words with the recipe's space before each that needs one; a fragment of a word gets one too."""
        spaced: list[Unit] = []
        before = self._emitted[-1] if self._emitted else ""
        for word in words:
            spaced.append(replace(word, text=delta_after(before, word.text)))
            before = word.text
        return spaced
