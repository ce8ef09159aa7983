"""One stream of any length as a row of segments: which step comes next, and what the transcript is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from wavescribe.engines.base import Samples
from wavescribe.engines.qwen3.geometry import SAMPLE_RATE
from wavescribe.engines.qwen3.segments import Cut, RollOver, find_cut
from wavescribe.engines.qwen3.stepper import StepAnswer


@dataclass(frozen=True, slots=True)
class DueStep:
    """A step that the stream needs.

    Attributes:
        samples: the segment's audio up to the step.
        is_last: whether the segment ends with it.
    """

    samples: Samples
    is_last: bool


class SegmentedStream:
    """The two-phase state of a stream: `push` audio, take `due` steps, `accept` their answers.

    Which steps there are is a function of the audio, not of how it arrives.

    Args:
        decode: from an answer to its text.
        rule: when segments end.
        step_seconds: audio between two steps.
    """

    def __init__(
        self, decode: Callable[[StepAnswer], str], rule: RollOver | None = None, step_seconds: float = 2.0
    ) -> None:
        self._decode = decode
        self._rule = rule or RollOver()
        self._step = round(step_seconds * SAMPLE_RATE)
        self._open: Samples = np.zeros(0, dtype=np.float32)
        self._heard = 0
        self._ended = False
        self._advance = 0
        self.texts: list[str] = []
        """The text of each finished segment."""
        self.draft = ""
        """The text of the open one."""

    @property
    def transcript(self) -> str:
        """All finished segments, joined by spaces."""
        return " ".join(text for text in self.texts if text)

    @property
    def held_samples(self) -> int:
        """Samples in memory."""
        return len(self._open)

    def push(self, samples: Samples) -> None:
        """Add audio."""
        self._open = np.concatenate([self._open, samples])

    def end(self) -> None:
        """There is no more audio."""
        self._ended = True

    def due(self) -> DueStep | None:
        """The next step, or None until there is more audio; answer it before asking again."""
        cut = find_cut(self._open, self._rule)
        following = self._heard + self._step
        if cut is not None and cut.known_at <= following:
            return self._last(cut)
        if len(self._open) >= following:
            self._advance = 0
            self._heard = following
            return DueStep(self._open[:following], is_last=False)
        if self._ended and len(self._open):
            return self._last(Cut(len(self._open), len(self._open)))
        return None

    def _last(self, cut: Cut) -> DueStep:
        self._advance = cut.position
        return DueStep(self._open[: cut.position], is_last=True)

    def accept(self, answer: StepAnswer) -> None:
        """Take the answer to the step that was due."""
        text = self._decode(answer).strip()
        if not self._advance:
            self.draft = text
            return
        self.texts.append(text)
        self.draft = ""
        self._open = self._open[self._advance :].copy()
        self._advance = self._heard = 0
