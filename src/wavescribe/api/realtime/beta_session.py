"""The session of the Realtime API's beta: the same configuration in a flat shape."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from wavescribe.api.realtime.json_field import Field, missing_parameter
from wavescribe.api.realtime.session_configuration import FormatName, SessionConfiguration
from wavescribe.api.realtime.session_rendering import (
    render_include,
    render_noise_reduction,
    render_transcription,
    render_turn_detection,
)
from wavescribe.api.realtime.session_update import SectionPaths, updated

FORMATS: dict[str, FormatName] = {"pcm16": "audio/pcm", "g711_ulaw": "audio/pcmu", "g711_alaw": "audio/pcma"}
"""The beta's name of each audio format to today's."""

FORMAT_NAMES = {today: beta for beta, today in FORMATS.items()}

BETA_PATHS = SectionPaths(
    format="session.input_audio_format",
    transcription="session.input_audio_transcription",
    noise_reduction="session.input_audio_noise_reduction",
    turn_detection="session.turn_detection",
    include="session.include",
)
"""How errors name the sections of a beta session."""

SECTION_NAMES = {
    "input_audio_transcription": "transcription",
    "input_audio_noise_reduction": "noise_reduction",
    "turn_detection": "turn_detection",
}
"""The beta's name of each section of `audio.input` to today's; their members have not changed."""


def beta_as_ga(session: object) -> dict[str, Any]:
    """Today's shape of a `transcription_session.update` event's session; keys without a place there are dropped.

    Sections other than the format are moved as they are; `beta_updated` validates them.

    Raises:
        InvalidRequestError: it is not an object, or the format is not one of the beta's.
    """
    if session is None:
        raise missing_parameter("session")
    members = Field("session", session).members()
    sections: dict[str, Any] = {today: members[beta].value for beta, today in SECTION_NAMES.items() if beta in members}
    name = members.get("input_audio_format")
    if name is not None and name.value is not None:
        sections["format"] = {"type": FORMATS[name.choice(FORMATS)]}
    include = {"include": members["include"].value} if "include" in members else {}
    return {"type": "transcription", "audio": {"input": sections}, **include}


def beta_updated(
    configuration: SessionConfiguration,
    session: object,
    *,
    check_model: Callable[[str], None],
    languages: Collection[str],
) -> SessionConfiguration:
    """The configuration with a beta client's changes: `session_update.updated` for the beta's shape.

    Args:
        configuration: before the change; it stays as it is.
        session: the event's `session`, parsed from JSON.
        check_model: raises ModelNotFoundError for a model name that is not served.
        languages: ISO 639-1 codes that the engine transcribes.

    Raises:
        InvalidRequestError: something is wrong; `param` is its dotted path in the beta's names.
        ModelNotFoundError: the transcription model is not served.
    """
    translated = beta_as_ga(session)
    return updated(configuration, translated, check_model=check_model, languages=languages, paths=BETA_PATHS)


def render_beta_session(configuration: SessionConfiguration, session_id: str, expires_at: int | None) -> dict[str, Any]:
    """The session of `transcription_session.created` and `transcription_session.updated`.

    Args:
        configuration: of the session.
        session_id: the session's id, "sess_...".
        expires_at: end of the session in seconds of Unix time, or None when it has none.
    """
    return {
        "id": session_id,
        "object": "realtime.transcription_session",
        "expires_at": expires_at,
        "input_audio_format": FORMAT_NAMES[configuration.format.type],
        "input_audio_transcription": render_transcription(configuration.transcription),
        "turn_detection": render_turn_detection(configuration.turn_detection),
        "input_audio_noise_reduction": render_noise_reduction(configuration.noise_reduction),
        "include": render_include(configuration.include),
        "client_secret": None,
    }
