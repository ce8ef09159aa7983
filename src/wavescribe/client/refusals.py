"""What a server says when it refuses, as this package's errors."""

from __future__ import annotations

import json
from typing import Any

from wavescribe.errors import (
    AuthenticationError,
    ModelNotFoundError,
    OverloadedError,
    ServerError,
    ServerUnreachableError,
    SessionLostError,
    WavescribeError,
)

LOST = ("session_not_found", "event_not_found")

EXPIRED, DRAINING = "session_expired", "draining"
"""Codes of the ends of sessions that another one may follow."""


def error_of(error: dict[str, Any]) -> WavescribeError:
    """The error of an error object of the OpenAI API: {message, type, param, code}."""
    message, code = str(error.get("message") or "the server gave no reason"), error.get("code")
    match code:
        case "too_many_sessions":
            return OverloadedError(message)
        case "model_not_found":
            return ModelNotFoundError(message, code=code, param="model")
        case "invalid_api_key" | "missing_api_key":
            return AuthenticationError(message, code=code)
        case _ if code in LOST:
            return SessionLostError(message, code=code)
        case _:
            return ServerError(message, code=code)


def is_passing(error: WavescribeError) -> bool:
    """Whether a new session may be taken after this end or refusal of one: now, or later."""
    if isinstance(error, OverloadedError | SessionLostError):
        return True
    return isinstance(error, ServerError) and error.code in (EXPIRED, DRAINING)


def refused_upgrade(url: str, status: int, body: bytes | None) -> WavescribeError:
    """The error of a response that came instead of a WebSocket.

    Args:
        url: what was asked.
        status: of the response.
        body: of the response; an error object of the OpenAI API, or anything.
    """
    told = _told(body)
    if status in (401, 403):
        return AuthenticationError(
            told or f"{url} refused the connection ({status}); give a valid API key", code="invalid_api_key"
        )
    if status == 404:
        return ServerError(f"{url} is no realtime transcription endpoint (404)", code="not_found")
    if status in (502, 503, 504):
        return ServerUnreachableError(f"{url} is not available ({status})")
    return ServerError(told or f"{url} answered with status {status} instead of a WebSocket")


def _told(body: bytes | None) -> str | None:
    try:
        return str(json.loads(body or b"")["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return None  # not in the OpenAI API's shape: the status has to do
