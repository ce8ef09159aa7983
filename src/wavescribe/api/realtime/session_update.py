"""`session.update`: a partial change of the configuration that is applied whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar, get_args

from wavescribe.api.realtime.json_field import Field, missing_parameter, shown
from wavescribe.api.realtime.session_configuration import (
    AudioFormat,
    FormatName,
    NoiseReduction,
    NoiseReductionName,
    SemanticVad,
    ServerVad,
    SessionConfiguration,
    Transcription,
)
from wavescribe.errors import InvalidRequestError, ModelNotFoundError
from wavescribe.languages import language_code
from wavescribe.streaming.delay import Delay
from wavescribe.streaming.parameters import StrategyName
from wavescribe.vad.endpointer import Eagerness

PCM_RATES = (8_000, 16_000, 24_000, 32_000, 44_100, 48_000)
"""Samples per second of PCM; OpenAI has 24000 only."""

G711_RATE = 8_000

INPUT_SECTIONS = ("format", "transcription", "noise_reduction", "turn_detection")
"""Members of `session.audio.input`."""

LONGEST_PROMPT = 40_000
"""Characters of a prompt, which is echoed: with the limits of `json_field` an event stays below 1 MiB."""

_Section = TypeVar("_Section", Transcription, NoiseReduction, ServerVad, SemanticVad)


@dataclass(frozen=True, slots=True)
class SectionPaths:
    """Where the client wrote each section, as errors name it."""

    format: str = "session.audio.input.format"
    transcription: str = "session.audio.input.transcription"
    noise_reduction: str = "session.audio.input.noise_reduction"
    turn_detection: str = "session.audio.input.turn_detection"
    include: str = "session.include"


Reader = Callable[[Field], Any]

SERVER_VAD_READERS: Mapping[str, Reader] = {
    "threshold": lambda field: field.number(0, 1),
    "prefix_padding_ms": lambda field: field.whole(0, 10_000),
    "silence_duration_ms": lambda field: field.whole(0, 60_000),
    "create_response": Field.boolean,
    "interrupt_response": Field.boolean,
    "idle_timeout_ms": lambda field: field.whole(5_000, 30_000),
}
SEMANTIC_VAD_READERS: Mapping[str, Reader] = {
    "eagerness": lambda field: field.choice(get_args(Eagerness)),
    "create_response": Field.boolean,
    "interrupt_response": Field.boolean,
}
NOISE_REDUCTION_READERS: Mapping[str, Reader] = {
    "type": lambda field: field.choice(get_args(NoiseReductionName)),
    "strength": lambda field: field.number(0, 100),
}


def updated(
    configuration: SessionConfiguration,
    session: object,
    *,
    check_model: Callable[[str], None],
    languages: Collection[str],
    paths: SectionPaths = SectionPaths(),
) -> SessionConfiguration:
    """The configuration with the client's changes; what is not mentioned stays, unknown keys are ignored.

    Args:
        configuration: before the change; it stays as it is.
        session: the event's `session`, parsed from JSON.
        check_model: raises ModelNotFoundError for a model name that is not served.
        languages: ISO 639-1 codes that the engine transcribes.
        paths: how errors name the sections.

    Raises:
        InvalidRequestError: something is wrong; `param` is its dotted path.
        ModelNotFoundError: the transcription model is not served.
    """
    engine = _Engine(check_model, languages)
    readers: dict[str, Reader] = {
        "format": lambda field: _format(configuration.format, field),
        "transcription": lambda field: _transcription(configuration, field, engine),
        "noise_reduction": lambda field: _noise_reduction(configuration.noise_reduction, field),
        "turn_detection": lambda field: _turn_detection(configuration.turn_detection, field),
        "include": lambda field: None if field.value is None else field.texts(),
    }
    given = _sections(session)
    changes = {
        name: read(Field(getattr(paths, name), given[name].value)) for name, read in readers.items() if name in given
    }
    if "turn_detection" in changes:
        changes["chosen_turn_detection"] = changes.pop("turn_detection")
    return replace(configuration, **changes)


@dataclass(frozen=True, slots=True)
class _Engine:
    """What the server has."""

    check_model: Callable[[str], None]
    languages: Collection[str]


def _sections(session: object) -> dict[str, Field]:
    """The sections that the client wrote: those of `audio.input`, and `include`."""
    if session is None:
        raise missing_parameter("session")
    top = Field("session", session).members()
    given = _given(top)
    if "type" in given:
        # A conversation's configuration has the same sections; what else is in it has no effect here.
        given["type"].choice(("transcription", "realtime"))
    audio = _given(given["audio"].members()) if "audio" in given else {}
    sections = audio["input"].members() if "input" in audio else {}
    written = {name: sections[name] for name in INPUT_SECTIONS if name in sections}
    return written | {"include": top["include"]} if "include" in top else written


def _given(members: dict[str, Field]) -> dict[str, Field]:
    """The members that are not null."""
    return {name: member for name, member in members.items() if member.value is not None}


def _merged(current: _Section, fresh: _Section, field: Field, readers: Mapping[str, Reader]) -> _Section:
    """The section with the members that are given; null brings a member back to the fresh section's."""
    members = field.members()
    changes = {
        name: getattr(fresh, name) if members[name].value is None else read(members[name])
        for name, read in readers.items()
        if name in members
    }
    return replace(current, **changes)


def _format(current: AudioFormat, field: Field) -> AudioFormat:
    members = {} if field.value is None else _given(field.members())
    kind: FormatName = members["type"].choice(get_args(FormatName)) if "type" in members else current.type
    if "rate" in members:
        return AudioFormat(kind, _rate(members["rate"], kind))
    if "type" in members:
        return AudioFormat(kind, AudioFormat().rate if kind == "audio/pcm" else G711_RATE)
    return current


def _rate(field: Field, kind: FormatName) -> int:
    rates = PCM_RATES if kind == "audio/pcm" else (G711_RATE,)
    rate = field.any_number()
    if rate not in rates:
        supported = ", ".join(str(option) for option in rates)
        raise field.invalid(f"Invalid value: {shown(field.value)}. Supported rates of {kind} are: {supported}.")
    return int(rate)


def _transcription(configuration: SessionConfiguration, field: Field, engine: _Engine) -> Transcription | None:
    if field.value is None:
        return None
    readers: dict[str, Reader] = {
        "model": lambda member: _model(member, engine) or configuration.model,
        "language": lambda member: _language(member, engine),
        "languages": lambda member: _languages(member, engine),
        "prompt": lambda member: member.text(LONGEST_PROMPT),
        "keywords": Field.texts,
        "delay": lambda member: member.choice(get_args(Delay)),
        "strategy": lambda member: member.choice(get_args(StrategyName)),
    }
    fresh = Transcription(configuration.model)
    return _merged(configuration.transcription or fresh, fresh, field, readers)


def _model(field: Field, engine: _Engine) -> str:
    name = field.text()
    try:
        engine.check_model(name)
    except ModelNotFoundError as error:
        raise ModelNotFoundError(str(error), code=error.code, param=field.path) from error
    return name


def _language(field: Field, engine: _Engine) -> str:
    """A language that the engine has, or "" to detect it."""
    text = field.text()
    if text and _code(field, text) not in engine.languages:
        raise _unknown_language(field, text, engine)
    return text


def _languages(field: Field, engine: _Engine) -> tuple[str, ...]:
    """Candidates, of which the engine must have one."""
    texts = field.texts()
    if not texts:
        raise field.wrong_value("at least one language, got none")
    codes = [_code(Field(f"{field.path}[{index}]", text), text) for index, text in enumerate(texts)]
    if not any(code in engine.languages for code in codes):
        raise _unknown_language(field, ", ".join(texts), engine)
    return texts


def _code(field: Field, text: str) -> str:
    try:
        return language_code(text)
    except InvalidRequestError as error:
        raise field.invalid(f"Invalid language {shown(text)}: expected an ISO-639-1 code such as 'en'.") from error


def _unknown_language(field: Field, text: str, engine: _Engine) -> InvalidRequestError:
    known = ", ".join(engine.languages)
    return field.invalid(f"Unknown language {shown(text)}; this model knows: {known}")


def _noise_reduction(current: NoiseReduction | None, field: Field) -> NoiseReduction | None:
    if field.value is None:
        return None
    if current is None and "type" not in _given(field.members()):
        raise missing_parameter(f"{field.path}.type")
    fresh = current or NoiseReduction("near_field")
    return _merged(fresh, replace(fresh, strength=None), field, NOISE_REDUCTION_READERS)


def _turn_detection(current: ServerVad | SemanticVad | None, field: Field) -> ServerVad | SemanticVad | None:
    """Turn detection of the same type is changed, of another type it starts from the defaults."""
    if field.value is None:
        return None
    members = _given(field.members())
    if "type" in members:
        wanted = members["type"].choice(("server_vad", "semantic_vad"))
    elif current is None:
        raise missing_parameter(f"{field.path}.type")
    else:
        wanted = "server_vad" if isinstance(current, ServerVad) else "semantic_vad"
    if wanted == "server_vad":
        kept = current if isinstance(current, ServerVad) else ServerVad()
        return _merged(kept, ServerVad(), field, SERVER_VAD_READERS)
    eager = current if isinstance(current, SemanticVad) else SemanticVad()
    return _merged(eager, SemanticVad(), field, SEMANTIC_VAD_READERS)
