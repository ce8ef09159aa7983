"""What a client asks for, in the server's own terms."""

from __future__ import annotations

from dataclasses import dataclass

from wavescribe.engines.base import Samples
from wavescribe.streaming.delay import Delay
from wavescribe.streaming.parameters import StrategyName


@dataclass(frozen=True, slots=True)
class StartStream:
    """Open the stream.

    Attributes:
        model: the model name as the client gave it, or None.
        language: ISO 639-1 code, or None to detect it.
        strategy: how it is transcribed, or None for the server's choice.
        delay: how long its text is held back, or None for the server's choice.
    """

    model: str | None
    language: str | None
    strategy: StrategyName | None = None
    delay: Delay | None = None


@dataclass(frozen=True, slots=True)
class AppendAudio:
    """More audio: shape (samples,), float32, at the engine's rate."""

    samples: Samples


@dataclass(frozen=True, slots=True)
class FinishStream:
    """No more audio will come: transcribe what is there and close."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """The client's frame is refused with an error.

    Attributes:
        code: the dialect's error code.
        message: what was wrong, and what would be right.
        close: whether the connection ends.
    """

    code: str
    message: str
    close: bool = False


Command = StartStream | AppendAudio | FinishStream | Refuse
