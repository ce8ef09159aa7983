"""What the core tells: frozen messages, positions as absolute sample indices of the stream."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The endpointer heard the turn's speech begin.

    Attributes:
        turn: the turn's number.
        position: absolute sample position where the turn's audio begins, prefix padding included.
    """

    turn: int
    position: int


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The endpointer heard enough silence: the turn's audio ends here.

    Attributes:
        turn: the turn's number.
        position: absolute sample position, the silence included.
    """

    turn: int
    position: int


@dataclass(frozen=True, slots=True)
class TurnCommitted:
    """The turn's audio is complete; its last text follows.

    Attributes:
        turn: the turn's number.
        start: absolute sample position of the turn's first sample.
        end: absolute sample position after its last sample.
    """

    turn: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class TurnCleared:
    """The turn's audio was dropped before it was committed; nothing more is said of it.

    Attributes:
        turn: the turn's number; the next turn has the next one.
        position: absolute sample position where the next turn starts.
    """

    turn: int
    position: int


@dataclass(frozen=True, slots=True)
class Reconfigured:
    """New parameters hold for audio from here on.

    Attributes:
        turn: the number of the turn that is open.
    """

    turn: int


@dataclass(frozen=True, slots=True)
class SettledWord:
    """A settled unit with its place: start and end are absolute sample positions, probability 0 to 1.

    In a stream neither starts nor ends go back from word to word.
    """

    text: str
    start: int
    end: int
    probability: float


@dataclass(frozen=True, slots=True)
class WindowCost:
    """What the decode took that text came from.

    Attributes:
        start: absolute sample position where its window began.
        end: absolute sample position where its window ended.
        prefix_tokens: tokens that were given, not decoded.
        tokens: tokens that were decoded.
        attempt: 1 for the first decode of this window, more after failures.
        thorough: whether it was a slower one, made because the first was doubtful.
    """

    start: int
    end: int
    prefix_tokens: int
    tokens: int
    attempt: int = 1
    thorough: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """Text that will never change.

    Attributes:
        turn: the turn's number in the stream, from 0.
        delta: appended to all earlier deltas of the turn it gives the turn's transcript so far, to the byte.
        words: the units of the delta.
        language: ISO 639-1 code in use.
        position: absolute sample position up to which audio had been heard.
        cost: what the decode took, or None when no decode was needed for it.
    """

    turn: int
    delta: str
    words: tuple[SettledWord, ...]
    language: str
    position: int
    cost: WindowCost | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Draft:
    """The current rest of the hypothesis; the next Draft or Settled of the turn replaces it.

    Attributes:
        turn: the turn's number.
        text: follows the settled text directly; "" withdraws the last draft.
        position: absolute sample position up to which audio had been heard.
        cost: what the decode took, or None when no decode was needed for it.
    """

    turn: int
    text: str
    position: int
    cost: WindowCost | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The turn is complete.

    Attributes:
        turn: the turn's number.
        transcript: the join of the turn's deltas.
        language: ISO 639-1 code in use, or "" when nothing was decoded.
        start: absolute sample position of the turn's first sample.
        end: absolute sample position after its last sample.
    """

    turn: int
    transcript: str
    language: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class TurnFailed:
    """The engine failed on the turn for good; the next turn starts clean.

    Attributes:
        turn: the turn's number.
        message: what went wrong, without internals.
        start: absolute sample position of the turn's first sample.
        end: absolute sample position after its last sample.
    """

    turn: int
    message: str
    start: int
    end: int


Event = (
    SpeechStarted
    | SpeechStopped
    | TurnCommitted
    | TurnCleared
    | Reconfigured
    | Settled
    | Draft
    | TurnEnded
    | TurnFailed
)
