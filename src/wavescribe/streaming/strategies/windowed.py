"""The default strategy: a rolling window of bounded length with settled units as forced prefix.

Settled units inside the window are forced on the decoder by token id, so nothing has to be de-duplicated by text. A
unit settles when a newer one and enough sound follow it, and two successive hypotheses agree on it, or the engine is
sure of it, or still more sound follows. The window keeps a short stretch of what has settled; when it is full all the
same it rolls to the end of a settled unit, preferably in a pause.
"""

from __future__ import annotations

from collections.abc import Sequence

from wavescribe.engines.base import Hypothesis
from wavescribe.streaming.agreement import agreed_length
from wavescribe.streaming.guards import has_hurried_number, is_no_speech, token_budget, without_loops
from wavescribe.streaming.parameters import StreamParameters
from wavescribe.streaming.retiming import retimed, unstretched
from wavescribe.streaming.strategies.base import Outcome, Window
from wavescribe.streaming.units import Unit, continues_word, split_units, with_leading_punctuation

LEAST_UNHEARD_SECONDS = 0.6
"""Speech after a segment's last word that was left out: it is worth a more thorough decode, and then a window of its
own. Word times are uncertain by less."""

LEAST_HEARD_SECONDS = 0.1
"""What a window's text has to cover for the rest to be heard in a window of its own: no word is shorter."""


class Windowed:
    """The rolling window of one stream.

    Args:
        parameters: the stream's parameters.
    """

    def __init__(self, parameters: StreamParameters) -> None:
        self._parameters = parameters
        self._length = parameters.samples(parameters.window_seconds)
        rolled = parameters.window_seconds if parameters.rolled_seconds is None else parameters.rolled_seconds
        self._rolled = min(self._length, parameters.samples(rolled))
        self._step = parameters.samples(parameters.step_seconds)
        self._hold = parameters.samples(parameters.hold_seconds)
        self._sure = parameters.samples(parameters.sure_seconds)
        self._confident = parameters.samples(parameters.confident_seconds)
        self._start: int | None = None
        self._settled: list[Unit] = []
        """Settled units inside the window."""
        self._pending: list[Unit] = []
        """Units of the last hypothesis after the settled ones."""
        self._votes: list[int] = []
        """For each pending unit, how many hypotheses in a row had it."""
        self._last_heard: list[Unit] = []
        """Unsettled units of the last hypothesis that had any: the engine may answer empty when the window is full."""
        self._history = ""
        """The tail of the text that has left the window."""
        self._carried = parameters.samples(parameters.carried_seconds)
        self._kept: list[Unit] = []
        """The last units of the segment before, while they may still begin the next window."""
        self._segment_start = 0
        self._opening = parameters.samples(parameters.opening_seconds)
        self._opening_hold = parameters.samples(parameters.opening_hold_seconds)
        self._kept_length = parameters.samples(parameters.kept_seconds)

    @property
    def is_open(self) -> bool:
        """Whether a segment is open."""
        return self._start is not None

    @property
    def needed_from(self) -> int | None:
        """Absolute position of the first sample of the window, of what is kept for the next one, or None."""
        return self._kept[0].start if self._kept else self._start

    def open(self, start: int) -> None:
        """Begin a segment at an absolute sample position; its window begins with the units kept from the last one.

        Without a few words before it, the decoder hears a segment's first ones badly.
        """
        self.rest(start)
        kept, self._kept = self._kept, []
        self._forget()
        self._settled = kept
        self._start = kept[0].start if kept else start
        self._segment_start = start

    def rest(self, position: int) -> None:
        """Pass over silence up to an absolute sample position: what was kept gets too old for the next window."""
        self._kept = [unit for unit in self._kept if unit.start >= position - self._carried]

    def plan(self, end: int, speech_end: int) -> Window:
        """The window from its rolling start to `end`, the settled units in it as prefix."""
        start = self._open_start()
        heard = max(self._segment_start, self._settled[-1].end) if self._settled else start
        return Window(
            start=start,
            end=end,
            speech_end=speech_end,
            prefix=tuple(token for unit in self._settled for token in unit.token_ids),
            context=self._history,
            token_budget=token_budget((end - heard) / self._parameters.sample_rate, self._parameters.tokens_per_second),
        )

    def reconcile(self, window: Window, hypothesis: Hypothesis, *, final: bool) -> Outcome:
        """Settle what two hypotheses agree on, or everything when the step is the segment's last."""
        rate = self._parameters.sample_rate
        self._settled = retimed(self._settled, hypothesis.pieces, window.start, rate)
        units = self._sound_units(self._new_units(window, hypothesis))
        self._last_heard = units or ([] if is_no_speech(hypothesis) else self._last_heard)
        self._vote(units)
        if final:
            return self.finish(window.speech_end)
        settled = units[: self._settled_length(units, window.end)]
        self._settled.extend(settled)
        self._drop_pending(len(settled))
        if window.end + self._step - window.start > self._length:
            settled = [*settled, *self._roll(window)]
        else:
            self._shorten()
        return Outcome(tuple(settled), tuple(self._pending))

    def finish(self, speech_end: int) -> Outcome:
        """Settle what the last hypothesis left: it heard everything that was said, up to `speech_end`."""
        settled, self._pending = self._pending, []
        self._settled.extend(settled)
        return Outcome(tuple(settled), (), unheard=self._skip_to_unheard(speech_end))

    def is_doubtful(self, window: Window, hypothesis: Hypothesis) -> bool:
        """Whether the hypothesis loops or leaves out the last speech, so that a thorough decode is worth its cost."""
        if is_no_speech(hypothesis):
            return False
        units = self._new_units(window, hypothesis)
        sound = self._sound_units(units)
        looped = len(sound) < len(units) or self._has_hurried_number(units)
        return hypothesis.truncated or looped or self._misses_speech(window, sound)

    def _has_hurried_number(self, units: Sequence[Unit]) -> bool:
        rule = self._parameters
        return rule.times_are_measured and has_hurried_number(units, rule.sample_rate)

    def _misses_speech(self, window: Window, units: Sequence[Unit]) -> bool:
        if not self._parameters.times_are_measured:
            return False
        written = [*self._settled, *units]
        heard = unstretched(written[-1], self._parameters.sample_rate).end if written else window.start
        return window.speech_end - heard >= self._parameters.samples(LEAST_UNHEARD_SECONDS)

    def close(self, *, in_pause: bool = False) -> None:
        """End the segment; what it wrote before a pause stays as context."""
        self._remember(self._settled)
        self._kept = self._settled if in_pause else []
        self._start = None
        self._forget()

    def _forget(self) -> None:
        self._settled = []
        self._pending = []
        self._votes = []
        self._last_heard = []

    def _open_start(self) -> int:
        if self._start is None:
            raise RuntimeError("no segment is open: call open() before plan()")
        return self._start

    def _new_units(self, window: Window, hypothesis: Hypothesis) -> list[Unit]:
        """The hypothesis after the forced prefix, without loops and without text on silence."""
        if is_no_speech(hypothesis):
            return []
        pieces = list(hypothesis.pieces)
        skipped = 0
        while pieces and skipped < len(window.prefix):
            skipped += len(pieces.pop(0).token_ids)
        units = with_leading_punctuation(split_units(pieces, window.start, window.end, self._parameters.sample_rate))
        if self._settled and units and continues_word(self._settled[-1].text, units[0].text):
            units = units[1:]
        return units

    def _sound_units(self, units: list[Unit]) -> list[Unit]:
        """The new units up to where they loop; a loop may repeat what has settled."""
        if not self._parameters.times_are_measured:
            return units
        known = len(self._settled)
        return without_loops([*self._settled, *units], self._parameters.sample_rate)[known:]

    def _vote(self, units: list[Unit]) -> None:
        agreed = agreed_length(self._pending, units)
        self._pending = units
        self._votes = [votes + 1 for votes in self._votes[:agreed]] + [1] * (len(units) - agreed)

    def _settled_length(self, units: Sequence[Unit], window_end: int) -> int:
        """How many leading units settle: agreed on, followed by enough sound and by a newer unit."""
        count = 0
        while count < len(units) - 1 and self._settles(units[count], self._votes[count], window_end):
            count += 1
        return count

    def _settles(self, unit: Unit, votes: int, window_end: int) -> bool:
        rule = self._parameters
        sound_after = window_end - unit.end
        opens = unit.end - self._open_start() < self._opening
        if opens and sound_after < self._opening_hold:
            return False
        if votes >= rule.agreements and sound_after >= self._hold:
            return True
        confident = rule.opening_probability if opens else rule.confident_probability
        if unit.probability >= confident and sound_after >= self._confident:
            return True
        return not opens and sound_after >= self._sure

    def _roll(self, window: Window) -> list[Unit]:
        """Move the window's start forward; returns units that had to settle without agreement."""
        forced = [] if self._settled else self._force(window)
        index = self._roll_index(window)
        if index is None:
            self._start = max(window.start, window.end - self._length // 2)
            self._settled = []
        else:
            self._start = self._boundary(index)
            self._remember(self._settled[: index + 1])
            self._settled = self._settled[index + 1 :]
        return forced

    def _shorten(self) -> None:
        """Let go of settled units that are too far back to help: each costs the decoder as much as a new one."""
        if not self._settled:
            return
        limit = self._settled[-1].end - self._kept_length
        count = sum(unit.end <= limit for unit in self._settled)
        if count:
            self._start = self._boundary(count - 1)
            self._remember(self._settled[:count])
            self._settled = self._settled[count:]

    def _skip_to_unheard(self, speech_end: int) -> bool:
        """Whether the last hypothesis stopped before the speech did; the window then starts where it stopped.

        A decoder that takes a finished sentence for the end of the audio writes nothing more. A window that would start
        where this one does is none: it would be heard as this one was, without end.
        """
        if not self._settled or not self._parameters.times_are_measured:
            return False
        rest = unstretched(self._settled[-1], self._parameters.sample_rate).end
        heard, unheard = rest - self._open_start(), speech_end - rest
        if heard < self._parameters.samples(LEAST_HEARD_SECONDS):
            return False
        if unheard < self._parameters.samples(LEAST_UNHEARD_SECONDS):
            return False
        self._remember(self._settled)
        self._start, self._settled = rest, []
        return True

    def _force(self, window: Window) -> list[Unit]:
        """Settle units of the older half of a full window in which no two hypotheses agreed."""
        limit = window.end - self._length // 2
        forced = [unit for unit in self._pending or self._last_heard if unit.end <= limit]
        self._settled.extend(forced)
        self._drop_pending(len(forced))
        return forced

    def _drop_pending(self, count: int) -> None:
        """The first pending units have settled."""
        self._pending = self._pending[count:]
        self._votes = self._votes[count:]
        self._last_heard = self._last_heard[count:]

    def _roll_index(self, window: Window) -> int | None:
        """The settled unit after which the window should start: in the longest pause of its older part.

        The last settled unit stays in the window where it can: without a word before it, the decoder tends to leave
        out a window's first one.
        """
        latest = window.end - self._rolled // 3
        earliest = max(window.start + self._step, window.end - self._rolled)
        ends = [(index, unit.end) for index, unit in enumerate(self._settled[:-1] or self._settled)]
        older = [index for index, end in ends if end <= latest]
        candidates = [index for index in older if self._settled[index].end >= earliest] or older
        if candidates:
            return max(candidates, key=lambda index: (self._gap(index), index))
        return ends[-1][0] if ends else None

    def _gap(self, index: int) -> int:
        following = [*self._settled, *self._pending][index + 1 : index + 2]
        return following[0].start - self._settled[index].end if following else 0

    def _boundary(self, index: int) -> int:
        """The middle of the pause after a settled unit."""
        unit = unstretched(self._settled[index], self._parameters.sample_rate)
        if unit != self._settled[index]:
            return unit.end
        return unit.end + max(0, self._gap(index)) // 2

    def _remember(self, units: Sequence[Unit]) -> None:
        text = self._history + "".join(unit.text for unit in units)
        self._history = text[max(0, len(text) - self._parameters.context_characters) :]
