"""The client of a wavescribe server: live audio in, typed events out, over connections that come and go."""

from wavescribe.client.events import (
    Draft,
    Event,
    SessionRenewed,
    Settled,
    SpeechStarted,
    SpeechStopped,
    TurnEnded,
    TurnFailed,
)
from wavescribe.client.session_options import SessionOptions
from wavescribe.client.transcription_client import TranscriptionClient

__all__ = [
    "Draft",
    "Event",
    "SessionOptions",
    "SessionRenewed",
    "Settled",
    "SpeechStarted",
    "SpeechStopped",
    "TranscriptionClient",
    "TurnEnded",
    "TurnFailed",
]
