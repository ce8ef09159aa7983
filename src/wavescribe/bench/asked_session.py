"""What a realtime session is asked to be, in the API's two shapes, and whether the server says that it is so.

The shape of today nests `audio.input`; that of the beta, which some servers still speak, is flat and has one format,
pcm16 at 24 kHz. Servers of either may answer the other with a `session.updated` that changed nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Session = Mapping[str, Any]
"""A session object as a server states it, parsed from JSON."""

UPDATED = ("session.updated", "transcription_session.updated")

DEFAULT_RATE = 24_000
"""That of audio/pcm without a rate, and of pcm16 in the flat shape."""

FLAT_KEYS = {"input_audio_format", "input_audio_transcription", "turn_detection"}


@dataclass(frozen=True, slots=True)
class AskedSession:
    """A session of transcription.

    Attributes:
        language: ISO 639-1 code.
        model: the transcription model's name, or "" for the server's own.
        rate: samples per second on the wire.
        silence_ms: silence that ends a turn, or None where the server is to end none.
    """

    language: str
    model: str
    rate: int
    silence_ms: int | None

    def message(self, include: Sequence[str]) -> str:
        """The update in today's shape, with these additions to events."""
        audio_input = {
            "format": {"type": "audio/pcm", "rate": self.rate},
            "transcription": self._transcription(self.model),
            "turn_detection": self._turn_detection(),
        }
        session: dict[str, Any] = {"type": "transcription", "audio": {"input": audio_input}}
        return _update("session.update", session | ({"include": [*include]} if include else {}))

    def flat_message(self, greeting: str, stated: Session) -> str:
        """The update in the beta's shape; the format stays the server's, because some refuse to be told it.

        Args:
            greeting: type of the server's first event.
            stated: the session so far, whose model is named again where no other is asked for: some need one.
        """
        model = self.model or str(_object(stated, "input_audio_transcription").get("model") or "")
        kind = "transcription_session.update" if greeting.startswith("transcription_session.") else "session.update"
        return _update(
            kind,
            {"input_audio_transcription": self._transcription(model), "turn_detection": self._turn_detection()},
        )

    def _transcription(self, model: str) -> dict[str, str]:
        return {"language": self.language} | ({"model": model} if model else {})

    def _turn_detection(self) -> dict[str, Any] | None:
        return None if self.silence_ms is None else {"type": "server_vad", "silence_duration_ms": self.silence_ms}

    def differences(self, stated: Session) -> list[str]:
        """In what the session is another than was asked for, as far as the server states it."""
        inner = stated if is_flat(stated) else _object(_object(stated, "audio"), "input")
        told = _flat_format(inner) if inner is stated else _format(inner)
        wrong = [f"audio is taken as {told}, not as {self.rate} Hz"] if told not in ("", f"{self.rate} Hz") else []
        if "turn_detection" in inner and (inner["turn_detection"] is None) != (self.silence_ms is None):
            wrong.append(f"turn detection is {'off' if inner['turn_detection'] is None else 'on'}")
        name = "input_audio_transcription" if inner is stated else "transcription"
        language = str(_object(inner, name).get("language") or "")
        if language and _primary(language) != _primary(self.language):
            wrong.append(f"the language is {language!r}, not {self.language!r}")
        return wrong


def is_flat(stated: Session) -> bool:
    """Whether a session is stated in the beta's shape."""
    return not _object(stated, "audio") and bool(FLAT_KEYS & stated.keys())


def session_of(event: Mapping[str, Any]) -> Session:
    """The session that an event states; empty where it states none."""
    return _object(event, "session")


def _update(kind: str, session: Session) -> str:
    return json.dumps({"type": kind, "session": session})


def _object(holder: Mapping[str, Any], name: str) -> Session:
    value = holder.get(name)
    return value if isinstance(value, dict) else {}


def _format(audio_input: Session) -> str:
    """The audio's format as it is told; "" where it is not stated."""
    stated = _object(audio_input, "format")
    if not stated:
        return ""
    kind = stated.get("type", "audio/pcm")
    return f"{stated.get('rate') or DEFAULT_RATE} Hz" if kind == "audio/pcm" else str(kind)


def _flat_format(stated: Session) -> str:
    kind = stated.get("input_audio_format")
    if kind is None or (kind == "pcm" and "sample_rate" not in stated):
        return ""
    return f"{stated.get('sample_rate') or DEFAULT_RATE} Hz" if kind in ("pcm", "pcm16") else str(kind)


def _primary(language: str) -> str:
    """The language without its region: "en" of "en-US"."""
    return language.replace("_", "-").split("-")[0].casefold()
