"""The parameters of a stream."""

from __future__ import annotations

from dataclasses import dataclass

from wavescribe.vad.endpointer import TurnDetection


@dataclass(frozen=True, slots=True)
class StreamParameters:
    """How a stream is transcribed.

    Attributes:
        sample_rate: samples per second of the engine.
        turn_detection: how silence ends turns, or None when only the client ends them.
        maximum_turn_seconds: a turn of more audio ends after a settled unit, so that no word is cut; None for no limit.
        step_seconds: seconds of audio between two decodes.
        window_seconds: longest audio of a decode before the window rolls.
        language: ISO 639-1 code, or None to detect it.
        prompt: text in the style wanted, or that came before.
        keywords: words that are likely to occur.
        context_characters: text that left the window which the engine is still told. Whisper base loops more with it
            (docs/performance.md), so it is 0 by default.
        agreements: hypotheses in a row that must have a unit before it settles.
        hold_seconds: sound that must follow a unit before it settles.
        pause_seconds: silence that closes a segment.
        first_step_seconds: least audio of a segment's first decode that is not its last.
        preroll_seconds: audio before the first speech frame that belongs to its segment.
    """

    sample_rate: int = 16_000
    turn_detection: TurnDetection | None = None
    maximum_turn_seconds: float | None = None
    step_seconds: float = 1.0
    window_seconds: float = 8.0
    language: str | None = None
    prompt: str = ""
    keywords: tuple[str, ...] = ()
    context_characters: int = 0
    agreements: int = 2
    hold_seconds: float = 1.0
    pause_seconds: float = 0.5
    first_step_seconds: float = 1.0
    preroll_seconds: float = 0.4

    def samples(self, seconds: float) -> int:
        """That many seconds in samples, rounded."""
        return round(seconds * self.sample_rate)
