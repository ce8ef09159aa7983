"""What a live transcription tells: frozen messages, times in seconds since the first sample that was sent.

They are the core's events for people who use wavescribe, whether the engine is in this process or behind a server.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from wavescribe.engines.base import Word


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Somebody began to speak.

    Attributes:
        turn: the turn's number in the stream, from 0.
        time: seconds where the turn's audio begins, a little before the speech.
    """

    turn: int
    time: float


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """There was enough silence to end the turn; its last text follows.

    Attributes:
        turn: the turn's number.
        time: seconds where the turn's audio ends, the silence included.
    """

    turn: int
    time: float


@dataclass(frozen=True, slots=True)
class Settled:
    """Text that will never change.

    Attributes:
        turn: the turn's number.
        delta: appended to all earlier deltas of the turn it gives the turn's transcript so far, to the byte.
        words: the words of the delta with their times in seconds and their probabilities, each with the space before
            it, so that their join is the delta; in scripts without spaces, characters.
    """

    turn: int
    delta: str
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """Text that may still change; the next Draft or Settled of the turn replaces it.

    Attributes:
        turn: the turn's number.
        text: follows the settled text directly; "" withdraws the last draft.
    """

    turn: int
    text: str


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The turn is complete.

    Attributes:
        turn: the turn's number.
        transcript: the join of the turn's deltas; "" when nothing was said.
        language: ISO 639-1 code of the speech, or "" when nothing was decoded.
        start: seconds where the turn's audio begins.
        end: seconds where it ends.
    """

    turn: int
    transcript: str
    language: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class TurnFailed:
    """The engine failed on the turn for good; the next turn starts clean.

    Attributes:
        turn: the turn's number.
        message: what went wrong.
    """

    turn: int
    message: str


@dataclass(frozen=True, slots=True)
class SessionRenewed:
    """The server's session was over or forgotten, and the stream goes on in a new one.

    Turns that were open have ended with what had settled. What had not settled is heard again, in turns that follow.

    Attributes:
        time: seconds where the new session's words begin.
        lost_seconds: seconds of audio before it that no text had come for and that were not kept any more, so that
            nobody hears them; silence among them counts too. 0 as a rule.
    """

    time: float
    lost_seconds: float


TurnEvent = SpeechStarted | SpeechStopped | Settled | Draft | TurnEnded | TurnFailed
"""What is told of a turn."""

Event = TurnEvent | SessionRenewed


def with_spaces(delta: str, words: Iterable[Word]) -> tuple[Word, ...]:
    """The words of a delta with the space that stands before each of them there.

    Args:
        delta: settled text.
        words: its words in order, without space.
    """
    spaced: list[Word] = []
    place = 0
    for word in words:
        found = delta.find(word.text, place)
        before = delta[place:found] if found >= 0 else ""
        place = max(place, found + len(word.text))
        spaced.append(replace(word, text=before + word.text))
    return tuple(spaced)
