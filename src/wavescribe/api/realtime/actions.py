"""What a dialect wants done to the session's stream."""

from __future__ import annotations

from dataclasses import dataclass, field

from wavescribe.engines.base import Samples
from wavescribe.serving.live_service import StreamOptions


@dataclass(frozen=True, slots=True)
class FeedAudio:
    """More audio: shape (samples,), float32, at the rate of its format.

    Attributes:
        samples: the audio.
        rate: samples per second.
    """

    samples: Samples = field(repr=False)
    rate: int


@dataclass(frozen=True, slots=True)
class CommitTurn:
    """The turn ends at the audio fed so far."""


@dataclass(frozen=True, slots=True)
class ClearAudio:
    """The audio since the last turn's end is dropped."""


@dataclass(frozen=True, slots=True)
class ConfigureStream:
    """What is fed from here on is transcribed in another way."""

    options: StreamOptions


@dataclass(frozen=True, slots=True)
class EndSession:
    """No more audio comes: what was committed is finished, then the connection closes.

    Attributes:
        code: the WebSocket close code.
        reason: its text.
    """

    code: int = 1000
    reason: str = ""


Action = FeedAudio | CommitTurn | ClearAudio | ConfigureStream | EndSession
