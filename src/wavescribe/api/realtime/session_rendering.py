"""The session object of `session.created` and `session.updated`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from wavescribe.api.realtime.session_configuration import (
    AudioFormat,
    NoiseReduction,
    SemanticVad,
    ServerVad,
    SessionConfiguration,
    Transcription,
)

ALWAYS_SHOWN = frozenset({"model", "language", "prompt"})
"""Members of `transcription` that are there even when the client has not given them."""


def render_session(configuration: SessionConfiguration, session_id: str, expires_at: int | None) -> dict[str, Any]:
    """The whole configuration as JSON.

    Args:
        configuration: of the session.
        session_id: the session's id, "sess_...".
        expires_at: end of the session in seconds of Unix time, or None when it has none.
    """
    return {
        "type": "transcription",
        "object": "realtime.transcription_session",
        "id": session_id,
        "expires_at": expires_at,
        "audio": {"input": _input(configuration)},
        "include": render_include(configuration.include),
    }


def _input(configuration: SessionConfiguration) -> dict[str, Any]:
    return {
        "format": _format(configuration.format),
        "transcription": render_transcription(configuration.transcription),
        "noise_reduction": render_noise_reduction(configuration.noise_reduction),
        "turn_detection": render_turn_detection(configuration.turn_detection),
    }


def _format(audio_format: AudioFormat) -> dict[str, Any]:
    rate = {"rate": audio_format.rate} if audio_format.type == "audio/pcm" else {}
    return {"type": audio_format.type, **rate}


def render_include(include: tuple[str, ...] | None) -> list[str] | None:
    """`include` as JSON."""
    return None if include is None else list(include)


def render_transcription(transcription: Transcription | None) -> dict[str, Any] | None:
    """`transcription` as JSON; None when it is off."""
    if transcription is None:
        return None
    members = asdict(transcription).items()
    return {name: _plain(value) for name, value in members if value is not None or name in ALWAYS_SHOWN}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def render_noise_reduction(noise_reduction: NoiseReduction | None) -> dict[str, Any] | None:
    """`noise_reduction` as JSON; None when it is off."""
    return None if noise_reduction is None else _given(noise_reduction)


def render_turn_detection(turn_detection: ServerVad | SemanticVad | None) -> dict[str, Any] | None:
    """`turn_detection` as JSON; None when it is off."""
    if turn_detection is None:
        return None
    kind = "server_vad" if isinstance(turn_detection, ServerVad) else "semantic_vad"
    return {"type": kind, **_given(turn_detection)}


def _given(section: NoiseReduction | ServerVad | SemanticVad) -> dict[str, Any]:
    return {name: value for name, value in asdict(section).items() if value is not None}
