"""The session of the Qwen-ASR-Realtime API (DashScope): the same configuration in that API's flat shape."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from wavescribe.api.realtime.json_field import Field, missing_parameter, shown
from wavescribe.api.realtime.session_configuration import (
    BY_MODEL,
    AudioFormat,
    ServerVad,
    SessionConfiguration,
    Transcription,
)
from wavescribe.api.realtime.session_rendering import render_turn_detection
from wavescribe.api.realtime.session_update import LONGEST_PROMPT, SectionPaths, updated

FORMATS = ("pcm", "pcm16")
"""Names of the one format: 16 bits little-endian, one channel."""

RATES = (8_000, 16_000, 24_000, 48_000)
"""Samples per second; the transcription model's documentation has the first two, its client all."""

DEFAULT_FORMAT = AudioFormat("audio/pcm", 16_000)

PROBABILITY_PER_UNIT = 5 / 12
"""The API's threshold goes from -1 to 1: its default of 0.2 is a speech probability of 0.5, and -1 is 0."""

DEFAULT_DETECTION = ServerVad(threshold=0.5, prefix_padding_ms=300, silence_duration_ms=800)

LANGUAGE_NAMES = {"fil": "tl"}
"""Codes of the API to the ones that are used here."""

PATHS = SectionPaths(transcription="session.input_audio_transcription")


def starting_configuration(model: str, prepared: SessionConfiguration | None = None) -> SessionConfiguration:
    """What a session starts with.

    Args:
        model: the model's name as the client gave it.
        prepared: what a client secret was made with; the format of the audio is this API's all the same.
    """
    configuration = prepared or SessionConfiguration.of_model(model)
    chosen = configuration.chosen_turn_detection
    return replace(
        configuration,
        format=DEFAULT_FORMAT,
        transcription=configuration.transcription or Transcription(configuration.model),
        chosen_turn_detection=DEFAULT_DETECTION if chosen == BY_MODEL else chosen,
    )


def dashscope_updated(
    configuration: SessionConfiguration,
    session: object,
    *,
    check_model: Callable[[str], None],
    languages: Collection[str],
) -> SessionConfiguration:
    """The configuration with the client's changes; what is not mentioned stays, unknown keys are ignored.

    A section that is mentioned is replaced as a whole, as the API's own client sends it.

    Args:
        configuration: before the change; it stays as it is.
        session: the event's `session`, parsed from JSON.
        check_model: raises ModelNotFoundError for a model name that is not served.
        languages: ISO 639-1 codes that the engine transcribes.

    Raises:
        InvalidRequestError: something is wrong; `param` is its dotted path.
        ModelNotFoundError: the transcription model is not served.
    """
    if session is None:
        raise missing_parameter("session")
    members = Field("session", session).members()
    changes: dict[str, Any] = {"format": _format(configuration.format, members)}
    if "turn_detection" in members:
        changes["chosen_turn_detection"] = _turn_detection(members["turn_detection"])
    if "input_audio_transcription" in members:
        section = members["input_audio_transcription"]
        changes["transcription"] = _transcription(configuration, section, check_model, languages)
    return replace(configuration, **changes)


def _format(current: AudioFormat, session: Mapping[str, Field]) -> AudioFormat:
    """The format that is written flat, or as `audio.input.format` in the newer form."""
    nested = _section(_section(_section(session, "audio"), "input"), "format")
    kind = nested.get("type") or session.get("input_audio_format")
    rate = nested.get("sample_rate") or session.get("sample_rate")
    if kind is not None and kind.value is not None:
        kind.choice(FORMATS)
    return AudioFormat("audio/pcm", current.rate if rate is None or rate.value is None else _rate(rate))


def _section(members: Mapping[str, Field], name: str) -> dict[str, Field]:
    """The members of a section, none when it is absent or null."""
    section = members.get(name)
    return {} if section is None or section.value is None else section.members()


def _rate(field: Field) -> int:
    rate = field.any_number()
    if rate not in RATES:
        supported = ", ".join(map(str, RATES))
        raise field.invalid(f"Invalid value: {shown(rate)}. Supported values are: {supported}.")
    return int(rate)


def _transcription(
    configuration: SessionConfiguration, field: Field, check_model: Callable[[str], None], languages: Collection[str]
) -> Transcription:
    members = {} if field.value is None else field.members()
    section = {name: members[name].value for name in ("model", "language") if name in members}
    if isinstance(language := section.get("language"), str):
        section["language"] = LANGUAGE_NAMES.get(language, language)
    changed = updated(
        replace(configuration, transcription=None),
        {"audio": {"input": {"transcription": section}}},
        check_model=check_model,
        languages=languages,
        paths=PATHS,
    )
    return replace(changed.transcription or Transcription(configuration.model), prompt=_context(members))


def _context(transcription: Mapping[str, Field]) -> str:
    """The text that the recognition is biased by: `corpus.text`, which some clients write as `corpus_text`."""
    text = _section(transcription, "corpus").get("text") or transcription.get("corpus_text")
    return "" if text is None or text.value is None else text.text(LONGEST_PROMPT)


def _turn_detection(field: Field) -> ServerVad | None:
    if field.value is None:
        return None
    given = {name: member for name, member in field.members().items() if member.value is not None}
    if "type" in given:
        given["type"].choice(("server_vad",))
    changes: dict[str, Any] = {}
    if "threshold" in given:
        changes["threshold"] = (given["threshold"].number(-1, 1) + 1) * PROBABILITY_PER_UNIT
    if "silence_duration_ms" in given:
        changes["silence_duration_ms"] = given["silence_duration_ms"].whole(200, 6_000)
    if "prefix_padding_ms" in given:
        changes["prefix_padding_ms"] = given["prefix_padding_ms"].whole(0, 10_000)
    return replace(DEFAULT_DETECTION, **changes)


def render_dashscope_session(configuration: SessionConfiguration, session_id: str) -> dict[str, Any]:
    """The session of `session.created` and `session.updated`.

    Args:
        configuration: of the session.
        session_id: the session's id, "sess_...".
    """
    return {
        "id": session_id,
        "object": "realtime.session",
        "model": configuration.model,
        "modalities": ["text"],
        "input_audio_format": "pcm",
        "sample_rate": configuration.format.rate,
        "input_audio_transcription": _rendered_transcription(configuration.transcription),
        "turn_detection": _rendered_turn_detection(configuration),
    }


def _rendered_transcription(transcription: Transcription | None) -> dict[str, Any] | None:
    """What was asked for; None when that is nothing."""
    if transcription is None:
        return None
    language = {"language": transcription.language} if transcription.language else {}
    corpus = {"corpus": {"text": transcription.prompt}} if transcription.prompt else {}
    return {**language, **corpus} or None


def _rendered_turn_detection(configuration: SessionConfiguration) -> dict[str, Any] | None:
    detection = configuration.turn_detection
    rendered = render_turn_detection(detection)
    if rendered is not None and isinstance(detection, ServerVad):
        rendered["threshold"] = round(detection.threshold / PROBABILITY_PER_UNIT - 1, 6)
    return rendered
