"""The section of the protocol reference about DashScope's protocol."""

from __future__ import annotations

import re
from collections.abc import Iterable

import protocol_texts as texts
from markdown import code, table
from sources import event_patterns

from wavescribe.api.realtime.dashscope import CLIENT_EVENTS
from wavescribe.api.realtime.dashscope_session import (
    DEFAULT_FORMAT,
    FORMATS,
    RATES,
    dashscope_updated,
    render_dashscope_session,
    starting_configuration,
)
from wavescribe.errors import InvalidRequestError

SOURCES = ("api/realtime/dashscope.py", "api/realtime/dashscope_events.py")

START = starting_configuration("whisper-base")


def dashscope_section() -> str:
    """The section."""
    if wrong := set(CLIENT_EVENTS) ^ texts.DASHSCOPE_CLIENT_EVENTS.keys():
        raise SystemExit(f"DashScope's client events served and not described, or the reverse: {sorted(wrong)}")
    _check_server_events(texts.DASHSCOPE_SERVER_EVENTS)
    sent = ((code(kind), texts.DASHSCOPE_CLIENT_EVENTS[kind]) for kind in CLIENT_EVENTS)
    received = ((code(kind), text) for kind, text in texts.DASHSCOPE_SERVER_EVENTS.items())
    return "\n".join(
        [
            texts.DASHSCOPE,
            table(("client sends", "what it does"), sent),
            "",
            table(("`session`", "values", "default", "meaning"), _members()),
            "",
            table(("server sends", "when"), received),
            "",
        ]
    )


def _check_server_events(described: Iterable[str]) -> None:
    """See that each event that the source makes is described, and no other."""
    patterns, described = event_patterns(SOURCES), tuple(described)
    made = [kind for kind in described if any(re.fullmatch(pattern, kind) for pattern in patterns)]
    unknown = [pattern for pattern in patterns if not any(re.fullmatch(pattern, kind) for kind in described)]
    if unknown or set(described) - {*made, "error"}:
        raise SystemExit(f"DashScope's events made and not described, or the reverse: {unknown}, {described}")


def _members() -> Iterable[tuple[str, str, str, str]]:
    defaults = render_dashscope_session(START, "sess_0")["turn_detection"]
    yield "`input_audio_format`", _listed(FORMATS), "`pcm`", "16 bits little-endian, one channel"
    yield "`sample_rate`", _listed(RATES), code(DEFAULT_FORMAT.rate), "samples per second"
    yield "`input_audio_transcription.language`", "", "–", "detected when it is not given"
    yield "`input_audio_transcription.corpus.text`", "", "–", "text that the recognition is biased by"
    yield "`turn_detection`", "object or null", "on", "with null the client commits"
    for name, meaning in texts.DASHSCOPE_DETECTION.items():
        yield code(f"turn_detection.{name}"), _range(name), code(defaults[name]), meaning


def _listed(values: Iterable[object]) -> str:
    return ", ".join(map(code, values))


def _range(name: str) -> str:
    """What is said to be right when a member is too large."""
    try:
        dashscope_updated(START, {"turn_detection": {name: 10**12}}, check_model=lambda _: None, languages=("en",))
    except InvalidRequestError as error:
        found = re.search(r"expected a number (from \S+ to \S+),", str(error))
        return found[1] if found else ""
    return ""
