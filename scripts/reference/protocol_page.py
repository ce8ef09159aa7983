"""The reference of the live protocols, from their types and their translators."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from typing import Any

import protocol_texts as texts
from dashscope_section import dashscope_section
from described import rows
from http_errors import http_errors
from markdown import code, example, members, table
from routes import routes
from scripted_session import ScriptedSession
from sources import error_codes, event_patterns

from wavescribe.api.dialects.transcription_stream import EXTENSIONS, TranscriptionStreamDialect
from wavescribe.api.realtime import session_configuration
from wavescribe.api.realtime.client_events import CLIENT_EVENTS, REFUSED_EVENTS
from wavescribe.api.realtime.dialect import SGLANG_CODES
from wavescribe.api.realtime.json_field import Field
from wavescribe.api.realtime.session_configuration import (
    AudioFormat,
    NoiseReduction,
    SemanticVad,
    ServerVad,
    Transcription,
)
from wavescribe.api.realtime.session_update import (
    G711_RATE,
    NOISE_REDUCTION_READERS,
    PCM_RATES,
    SEMANTIC_VAD_READERS,
    SERVER_VAD_READERS,
    Reader,
)
from wavescribe.api.streamed_transcript import ChunkEvents, TextEvents, server_sent_events
from wavescribe.errors import InvalidRequestError
from wavescribe.streaming.events import Event, Settled, SettledWord, TurnEnded, TurnFailed
from wavescribe.vad.endpointer import SEMANTIC_SILENCE, TurnDetection

RATE = 16_000
SETTLED = Settled(0, "Good morning.", (SettledWord("Good morning.", 4800, 15200, 0.95),), "en", 2 * RATE)
ENDED = TurnEnded(0, "Good morning.", "en", 0, 2 * RATE)
FAILED = TurnFailed(0, "failed", 0, 2 * RATE)


def protocol_page() -> str:
    """The page."""
    return "\n".join(
        [
            texts.INTRODUCTION,
            "## Addresses\n",
            _addresses(),
            texts.FORM,
            table(("field", "why it has no effect"), texts.FORM_WITHOUT_EFFECT.items()),
            texts.HTTP_ERRORS,
            http_errors(),
            "",
            texts.REALTIME,
            _client_events(),
            _configuration(),
            _server_events(),
            _errors(),
            _styles(),
            dashscope_section(),
            _simple_stream(),
            _server_sent_events(),
        ]
    )


def _described(served: Collection[str], words: Mapping[str, str], what: str) -> None:
    """See that the texts are of what is served: nothing is missing, nothing is left over."""
    if wrong := set(served) ^ words.keys():
        raise SystemExit(f"{what} served and not described, or the reverse: {', '.join(sorted(wrong))}")


def _addresses() -> str:
    served = routes()
    _described(served, texts.ROUTES, "addresses")
    lines = ((code(path), ", ".join(served[path]), text) for path, text in texts.ROUTES.items())
    return table(("path", "method", "what"), lines) + "\n"


def _client_events() -> str:
    _described(CLIENT_EVENTS, texts.CLIENT_EVENTS, "client events")
    lines = ((code(kind), texts.CLIENT_EVENTS[kind]) for kind in CLIENT_EVENTS)
    refused = ", ".join(code(kind) for kind in REFUSED_EVENTS)
    return "\n".join(
        [
            "### Client events\n",
            "Each may have an `event_id` of the client's, which an error about it repeats.\n",
            table(("type", "what it does"), lines),
            f"\nRefused with the code `not_supported`: {refused}. A `type` that is neither: `invalid_value`.\n",
        ]
    )


def _configuration() -> str:
    """The members of `session.update`."""
    rates = ", ".join(str(rate) for rate in PCM_RATES)
    include = ((code(getattr(session_configuration, name)), text) for name, text in texts.INCLUDE.items())
    parts = [
        "### The configuration\n",
        "`session.update` carries these under `session.audio.input`, and `session.include`. A `null` section is off; a",
        "`null` member goes back to its default; of `format` neither changes anything. Keys that are not known are",
        "ignored.\n",
        _section(AudioFormat, "format."),
        f"\nRates of PCM: {rates}. G.711 has {G711_RATE}.\n",
        _section(Transcription, "transcription."),
        "\n`turn_detection` is `server_vad` unless the model's name says that its clients end turns themselves: "
        + ", ".join(code(name) for name in session_configuration.MANUAL_MODELS)
        + ". `null` leaves the ends of turns to the client.\n\n`turn_detection.type` is `server_vad`:\n",
        _section(ServerVad, "turn_detection.", SERVER_VAD_READERS),
        "\n`turn_detection.type` is `semantic_vad`:\n",
        _section(SemanticVad, "turn_detection.", SEMANTIC_VAD_READERS),
        "\nSilence that ends the turn:\n",
        _semantic_silence(),
        "\nNoise reduction, which is checked and told back, and does nothing to the audio:\n",
        _section(NoiseReduction, "noise_reduction.", NOISE_REDUCTION_READERS),
        "\n",
        table(("`session.include`", "adds"), include),
        "",
    ]
    return "\n".join(parts)


def _semantic_silence() -> str:
    """What `eagerness` means, in seconds."""
    waits = ((name, TurnDetection.semantic_vad(name)) for name in SEMANTIC_SILENCE)
    lines = (
        (code(name), f"{wait.silence_seconds:g} s", f"{wait.unfinished_silence_seconds:g} s") for name, wait in waits
    )
    return table(("`eagerness`", "after a finished sentence", "after an unfinished one"), lines)


def _section(cls: type, prefix: str, readers: Mapping[str, Reader] | None = None) -> str:
    """The members of a section, with the range that its reader tells."""
    lines = []
    for name, kind, default, text in rows(cls, prefix):
        reader = (readers or {}).get(name.strip("`").removeprefix(prefix))
        lines.append((name, " ".join(filter(None, (kind, _range(reader) if reader else ""))), default, text))
    return table(("member", "type", "default", "meaning"), lines)


def _range(reader: Reader) -> str:
    """What a reader says is right when it is given a number that is too large."""
    try:
        reader(Field("x", 10**12))
    except InvalidRequestError as error:
        found = re.search(r"expected a number (from \S+ to \S+),", str(error))
        return found[1] if found else ""
    return ""


def _server_events() -> str:
    events = ScriptedSession().play()
    _described(events, texts.SERVER_EVENTS, "server events")
    for pattern in event_patterns():
        if not any(re.fullmatch(pattern, kind) for kind in events):
            raise SystemExit(f"the source makes events like {pattern}, of which the reference has none")
    return "### Server events\n\n" + "\n".join(
        _event(kind, text, events[kind]) for kind, text in texts.SERVER_EVENTS.items()
    )


def _event(kind: str, text: str, events: list[dict[str, Any]]) -> str:
    return f"#### `{kind}`\n\n{text}\n\n{members(events)}\n\n{example(events[0])}\n"


def _errors() -> str:
    codes = error_codes()
    _described(codes, texts.ERROR_CODES, "error codes")
    lines = ((code(name), texts.ERROR_CODES[name]) for name in codes)
    return "### Error codes\n\n" + table(("code", "meaning"), lines) + "\n"


def _styles() -> str:
    codes = (("error code " + code(ours), code(theirs)) for ours, theirs in SGLANG_CODES.items())
    return texts.STYLES.format(differences=table(("OpenAI's style", "SGLang's"), [*texts.SGLANG.items(), *codes]))


def _simple_stream() -> str:
    extensions = ", ".join(
        f"{code(name)} ({', '.join(code(value) for value in values)})" for name, values in EXTENSIONS.items()
    )
    frames = [*_stream_frames(model="whisper-base", language="en"), *_stream_frames()]
    events: dict[str, list[dict[str, Any]]] = {}
    for event in map(json.loads, frames):
        events.setdefault(event["type"], []).append(event)
    _described(events, texts.STREAM_EVENTS, "events of the simple stream")
    shown = (_event(kind, text, events[kind]) for kind, text in texts.STREAM_EVENTS.items())
    return "\n".join([texts.STREAM.format(extensions=extensions, language=texts.STREAM_LANGUAGE), *shown])


def _stream_frames(**start: str) -> list[str]:
    """What a stream that is started so may be sent."""
    dialect = TranscriptionStreamDialect("sess_0")
    dialect.parse_text(json.dumps({"type": "session.start", **start}))
    return [*dialect.started(), *(frame for event in (SETTLED, ENDED, FAILED) for frame in dialect.render(event))]


def _server_sent_events() -> str:
    chunks = ChunkEvents("whisper-base", _id="trsc-0", _created=1_798_761_600)
    return "\n".join(
        [
            texts.SSE,
            _frames("`events`", TextEvents(), (SETTLED, ENDED)),
            _frames("`events` with `timestamp_granularities[]=word` (an extension)", TextEvents(RATE), (SETTLED,)),
            _frames("`chunks`", chunks, (SETTLED, ENDED)),
            _frames("a failure, in either form", TextEvents(), (FAILED,)),
        ]
    )


def _frames(title: str, form: TextEvents | ChunkEvents, events: Iterable[Event]) -> str:
    body = "".join(asyncio.run(_written(form, events))).strip()
    return f"{title[:1].upper()}{title[1:]}:\n\n```text\n{body}\n```\n"


async def _written(form: TextEvents | ChunkEvents, events: Iterable[Event]) -> list[str]:
    async def coming() -> AsyncIterator[Event]:
        for event in events:
            yield event

    return [text async for text in server_sent_events(coming(), form)]
