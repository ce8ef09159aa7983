"""Frames of a realtime client, parsed: an event with its fields, its audio as samples."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from wavescribe.api.realtime.json_field import missing_parameter
from wavescribe.api.realtime.session_configuration import AudioFormat, FormatName
from wavescribe.audio.pcm import decode_alaw, decode_mulaw, decode_pcm16
from wavescribe.engines.base import Samples
from wavescribe.errors import InvalidRequestError

LARGEST_AUDIO_BYTES = 15 * 1024 * 1024
"""Most bytes of audio in one append, as at OpenAI."""

LONGEST_EVENT_ID = 512
"""Characters of a client's event id; longer ones are not repeated in errors, which have to stay sendable."""

CLIENT_EVENTS = (
    "session.update",
    "transcription_session.update",
    "input_audio_buffer.append",
    "input_audio_buffer.commit",
    "input_audio_buffer.clear",
    "conversation.item.create",
    "conversation.item.retrieve",
    "conversation.item.delete",
)
"""Types that are served."""

REFUSED_EVENTS = (
    "conversation.item.truncate",
    "response.create",
    "response.cancel",
    "output_audio_buffer.clear",
)
"""Types of the API that make no sense in a transcription session."""

DECODERS: dict[FormatName, Callable[[bytes], Samples]] = {
    "audio/pcm": decode_pcm16,
    "audio/pcmu": decode_mulaw,
    "audio/pcma": decode_alaw,
}


@dataclass(frozen=True, slots=True)
class ClientEvent:
    """One event of a client.

    Attributes:
        type: one of those that are served, or "error" for a frame that is refused.
        event_id: the client's own id of it, or None when it has none that can be repeated.
        fields: its members.
        samples: the audio of an append at its format's own rate, float32.
        error: why the frame is refused.
    """

    type: str
    event_id: str | None = None
    fields: dict[str, object] = field(default_factory=dict)
    samples: Samples = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    error: InvalidRequestError | None = None


def parse_client_event(
    frame: str | bytes, audio_format: AudioFormat, served: Sequence[str] = CLIENT_EVENTS
) -> ClientEvent:
    """Read a frame; what is wrong with it comes as an event of type "error", never as an exception.

    Args:
        frame: a text frame's text, or a binary frame's bytes (always refused: the protocol has text frames only).
        audio_format: of the audio in an append.
        served: types that are served.
    """
    event_id: str | None = None
    try:
        message = _json_object(frame)
        given = message.get("event_id")
        event_id = given if isinstance(given, str) and len(given) <= LONGEST_EVENT_ID else None
        kind = _kind(message, served)
        samples = _samples(message, audio_format) if kind == "input_audio_buffer.append" else _no_samples()
    except InvalidRequestError as error:
        return ClientEvent("error", event_id, error=error)
    return ClientEvent(kind, event_id, message, samples)


def _no_samples() -> Samples:
    return np.zeros(0, dtype=np.float32)


def _json_object(frame: str | bytes) -> dict[str, object]:
    if isinstance(frame, bytes):
        raise InvalidRequestError(
            "Binary frames are not accepted: send audio as base64 in 'input_audio_buffer.append'.",
            code="invalid_event",
        )
    try:
        message = json.loads(frame)
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError(f"The frame is not valid JSON: {error}", code="invalid_event") from error
    if not isinstance(message, dict):
        raise InvalidRequestError("The frame must be a JSON object with a 'type'.", code="invalid_event")
    return message


def _kind(message: dict[str, object], served: Sequence[str]) -> str:
    kind = message.get("type")
    if not isinstance(kind, str):
        raise InvalidRequestError("The 'type' field is missing.", code="invalid_event", param="type")
    if kind in REFUSED_EVENTS:
        raise InvalidRequestError(
            f"'{kind}' is not supported in a transcription session.", code="not_supported", param="type"
        )
    if kind not in served:
        listed = ", ".join(f"'{known}'" for known in served)
        raise InvalidRequestError(
            f"Invalid value: {kind[:100]!r}. Supported values are: {listed}.", code="invalid_value", param="type"
        )
    return kind


def _samples(message: dict[str, object], audio_format: AudioFormat) -> Samples:
    encoded = message.get("audio")
    if encoded is None:
        raise missing_parameter("audio")
    if not isinstance(encoded, str):
        raise InvalidRequestError(
            f"Invalid type for 'audio': expected a string, but got {type(encoded).__name__} instead.",
            code="invalid_type",
            param="audio",
        )
    return decode_audio_text(encoded, audio_format, "audio")


def decode_audio_text(encoded: str, audio_format: AudioFormat, param: str) -> Samples:
    """Base64 audio as float32 samples at its own rate.

    Raises:
        InvalidRequestError: it is not base64, too long, or half a sample is left over; `param` is named.
    """
    # The length decides before anything is allocated for it; the largest audio needs no padding.
    if len(encoded) > LARGEST_AUDIO_BYTES // 3 * 4:
        raise InvalidRequestError(
            f"Invalid '{param}'. At most {LARGEST_AUDIO_BYTES} bytes of audio fit in one event.",
            code="invalid_value",
            param=param,
        )
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _invalid_audio(audio_format, param) from error
    if len(data) % audio_format.bytes_per_sample:
        raise _invalid_audio(audio_format, param)
    return DECODERS[audio_format.type](data)


def _invalid_audio(audio_format: AudioFormat, param: str) -> InvalidRequestError:
    wanted = {"audio/pcm": "PCM16", "audio/pcmu": "G.711 µ-law", "audio/pcma": "G.711 A-law"}[audio_format.type]
    return InvalidRequestError(
        f"Invalid '{param}'. Expected base64-encoded audio bytes (mono {wanted} at {audio_format.rate / 1000:g}kHz) "
        "but got an invalid value.",
        code="invalid_value",
        param=param,
    )
