"""wavescribe: real-time speech recognition as a service.

    result = wavescribe.transcribe("talk.mp3")            # a file
    async for event in wavescribe.stream(blocks): ...     # audio as it comes, here or on a server (url=...)
    async with wavescribe.TranscriptionClient(url) as client: ...  # a live session on a server

Importing this is cheap: what these names need is loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wavescribe.client import (
        Draft,
        Event,
        SessionOptions,
        SessionRenewed,
        Settled,
        SpeechStarted,
        SpeechStopped,
        TranscriptionClient,
        TurnEnded,
        TurnFailed,
    )
    from wavescribe.local.files import transcribe
    from wavescribe.local.streaming import stream

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
    "stream",
    "transcribe",
]

_ROOMS = {"transcribe": "wavescribe.local.files", "stream": "wavescribe.local.streaming"}


def __getattr__(name: str) -> Any:
    """Load a name when it is first used."""
    if name not in __all__:
        raise AttributeError(f"module 'wavescribe' has no attribute {name!r}")
    return getattr(import_module(_ROOMS.get(name, "wavescribe.client")), name)


def __dir__() -> list[str]:
    return __all__
