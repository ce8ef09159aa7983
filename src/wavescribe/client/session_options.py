"""What a client asks of a live session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wavescribe.errors import InvalidRequestError
from wavescribe.streaming.delay import Delay

SAMPLE_RATES = (8_000, 16_000, 24_000, 32_000, 44_100, 48_000)
"""Samples per second that the realtime protocol takes."""

INCLUDED = ["item.input_audio_transcription.draft", "item.input_audio_transcription.words"]
"""The server's additions to events that this client reads."""


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """How a live stream is transcribed.

    Attributes:
        model: the server's model by name, or None for the one it serves.
        language: ISO 639-1 code or English name, or None to have it detected.
        prompt: text in the style wanted, or that came before.
        keywords: words that are likely to occur.
        delay: how long text is held back before it settles, or None for the server's choice.
        sample_rate: samples per second of the audio sent; one of 8000, 16000, 24000, 32000, 44100 and 48000.
        silence_ms: silence that ends a turn, in milliseconds, or None when only `commit` ends turns.

    Raises:
        InvalidRequestError: the sample rate is none of these.
    """

    model: str | None = None
    language: str | None = None
    prompt: str = ""
    keywords: tuple[str, ...] = ()
    delay: Delay | None = None
    sample_rate: int = 16_000
    silence_ms: int | None = 500

    def __post_init__(self) -> None:
        if self.sample_rate not in SAMPLE_RATES:
            raise InvalidRequestError(
                f"sample rate {self.sample_rate} cannot be sent; use one of {', '.join(map(str, SAMPLE_RATES))}",
                code="invalid_value",
                param="sample_rate",
            )

    def session(self) -> dict[str, Any]:
        """The `session` of a `session.update`."""
        turns = None if self.silence_ms is None else {"type": "server_vad", "silence_duration_ms": self.silence_ms}
        wanted: dict[str, Any] = {
            "model": self.model,
            "language": self.language,
            "prompt": self.prompt,
            "keywords": list(self.keywords),
            "delay": self.delay,
        }
        audio_input = {
            "format": {"type": "audio/pcm", "rate": self.sample_rate},
            "transcription": {name: value for name, value in wanted.items() if value},
            "turn_detection": turns,
        }
        return {"type": "transcription", "audio": {"input": audio_input}, "include": INCLUDED}
