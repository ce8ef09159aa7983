"""The parameters of a stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wavescribe.vad.endpointer import TurnDetection

StrategyName = Literal["windowed", "segmented", "cumulative", "sliced"]
"""How a stream chooses windows, prefixes and what settles."""


@dataclass(frozen=True, slots=True)
class RecipeParameters:
    """The seeds' parameters of `cumulative` and `sliced`.

    Attributes:
        chunk_seconds: new audio of each step.
        unfixed_chunks: steps of a turn before emitted text is forced as prefix.
        rollback_words: words at a hypothesis's end that are held back.
        gate_seconds: audio of a turn before it is sliced.
        overlap_seconds: audio before the newest that a slice hears again.
    """

    chunk_seconds: float = 2.0
    unfixed_chunks: int = 2
    rollback_words: int = 5
    gate_seconds: float = 16.0
    overlap_seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class StreamParameters:
    """How a stream is transcribed.

    Attributes:
        strategy: how windows, prefixes and what settles are chosen; all but `sample_rate`, `turn_detection`,
            `language`, `prompt`, `keywords` and `recipe` is for `windowed` only, or where it is said for `segmented`.
        recipe: the parameters of `cumulative` and `sliced`.
        sample_rate: samples per second of the engine.
        turn_detection: how silence ends turns, or None when only the client ends them.
        maximum_turn_seconds: a turn that the next step would make longer ends after a settled unit, so that no word is
            cut; None for no limit.
        step_seconds: seconds of audio between two decodes.
        window_seconds: longest audio of a decode before the window rolls.
        rolled_seconds: most audio that a full window keeps when it rolls, where its words leave the choice; None for
            all but a step. What is kept is heard anew.
        language: ISO 639-1 code, or None to detect it.
        prompt: text in the style wanted, or that came before.
        keywords: words that are likely to occur.
        context_characters: text that left the window which the engine is still told. Whisper base loops more with it
            (docs/performance.md), so it is 0 by default.
        agreements: hypotheses in a row that must have a unit before it settles.
        hold_seconds: sound that must follow a unit before it settles.
        sure_seconds: sound after a unit that makes one hypothesis enough.
        confident_probability: the engine's belief in a unit at which less sound is enough.
        confident_seconds: sound after such a unit that makes one hypothesis enough.
        lull_seconds: silence after which a step is made in case that nothing more is said.
        pause_seconds: silence that closes a segment.
        longest_segment_seconds: what `segmented` hears anew at most; a segment that long ends without a pause.
        first_step_seconds: least audio of a segment's first decode that is not its last; a step where that is more.
        kept_seconds: settled sound that a window keeps before what is not settled; less is heard worse, and more costs
            the decoder its forced tokens.
        opening_seconds: the part of a window whose words have little or nothing before them to be heard by.
        opening_hold_seconds: sound that must follow a unit there, whatever else would settle it.
        opening_probability: `confident_probability` there.
        carried_seconds: audio before a segment, up to the last pause and beyond it, that its window begins with.
        preroll_seconds: audio before the first speech frame that belongs to its segment.
        times_are_measured: whether the engine's word times are; estimates do not tell where its text stops short of the
            speech, nor which of its words have no sound.
        tokens_per_second: the budget of a decode, for each second that is not settled; see EngineInfo.
    """

    strategy: StrategyName = "windowed"
    recipe: RecipeParameters = RecipeParameters()
    sample_rate: int = 16_000
    turn_detection: TurnDetection | None = None
    maximum_turn_seconds: float | None = None
    step_seconds: float = 1.0
    window_seconds: float = 8.0
    rolled_seconds: float | None = None
    language: str | None = None
    prompt: str = ""
    keywords: tuple[str, ...] = ()
    context_characters: int = 0
    agreements: int = 2
    hold_seconds: float = 0.4
    sure_seconds: float = 0.8
    lull_seconds: float = 0.3
    pause_seconds: float = 0.5
    longest_segment_seconds: float = 24.0
    confident_probability: float = 0.8
    confident_seconds: float = 0.3
    first_step_seconds: float = 2.0
    carried_seconds: float = 3.0
    kept_seconds: float = 2.5
    opening_seconds: float = 1.0
    opening_hold_seconds: float = 1.0
    opening_probability: float = 0.9
    preroll_seconds: float = 0.4
    times_are_measured: bool = True
    tokens_per_second: int = 10

    @property
    def is_voice_gated(self) -> bool:
        """Whether only speech is decoded; the recipes decode everything."""
        return self.strategy in ("windowed", "segmented")

    @property
    def segment_limit(self) -> int | None:
        """Samples after which a segment ends without a pause, or None where the window rolls instead."""
        return self.samples(self.longest_segment_seconds) if self.strategy == "segmented" else None

    def samples(self, seconds: float) -> int:
        """That many seconds in samples, rounded."""
        return round(seconds * self.sample_rate)
