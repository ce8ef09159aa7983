"""The language of a stream: given, or detected once enough speech was heard."""

from __future__ import annotations

from wavescribe.engines.base import Hypothesis
from wavescribe.streaming.guards import is_no_speech

SURE_PROBABILITY = 0.9
SURE_SECONDS = 1.0
"""On 64 recordings in ten languages Whisper base was never wrong where it was this sure, from 1.5 s of speech on."""

ENOUGH_SECONDS = 5.0
"""After this much speech detection is kept however unsure it is."""


class LanguageChoice:
    """The language in use.

    Args:
        given: ISO 639-1 code, or None to detect it.
    """

    def __init__(self, given: str | None) -> None:
        self._chosen = given
        self._last = given

    @property
    def chosen(self) -> str | None:
        """What the engine is told: None leaves it to detect."""
        return self._chosen

    @property
    def current(self) -> str:
        """The language of the last hypothesis, or "" before the first."""
        return self._last or ""

    def observe(self, hypothesis: Hypothesis, seconds: float) -> None:
        """Take a hypothesis over a window of that many seconds; what heard no speech heard no language either."""
        if self._chosen is not None or is_no_speech(hypothesis):
            return
        if hypothesis.language_probability <= 0:  # none was detected: the one that is named is no finding
            self._last = self._last or hypothesis.language
            return
        self._last = hypothesis.language
        sure = hypothesis.language_probability >= SURE_PROBABILITY and seconds >= SURE_SECONDS
        if hypothesis.pieces and (sure or seconds >= ENOUGH_SECONDS):
            self._chosen = hypothesis.language
