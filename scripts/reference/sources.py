"""What the source says that is sent: names of events and codes of errors, so that the reference leaves none out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import wavescribe

PACKAGE = Path(wavescribe.__file__).parent

SOURCES = (
    *("api/realtime/dialect.py", "api/realtime/transcription_events.py", "api/realtime/server_events.py"),
    *("api/realtime/session.py", "api/realtime_socket.py"),
)
"""Where the events of `/v1/realtime` are made."""

CODES_IN = (*SOURCES, "api/realtime/client_events.py", "api/realtime/session_update.py", "api/realtime/json_field.py")

EVENT = re.compile(r"[a-z_]+(\.[a-z_]+)+|error")


def event_patterns(sources: tuple[str, ...] = SOURCES) -> set[str]:
    """Regular expressions for the names of all events that the sources make."""
    return {pattern for call in _calls("frame", sources) if (pattern := _pattern(call.args[0]))}


def members_of_call(source: str, event: str) -> set[str]:
    """The members that a call gives to an event."""
    for call in _calls("frame", (source,)):
        if isinstance(call.args[0], ast.Constant) and call.args[0].value == event:
            return {keyword.arg for keyword in call.keywords if keyword.arg}
    raise SystemExit(f"{source} makes no {event}")


def error_codes() -> list[str]:
    """The codes of errors, sorted."""
    found = set()
    for source in CODES_IN:
        for node in ast.walk(_parsed(source)):
            if isinstance(node, ast.keyword) and node.arg == "code":
                found |= set(_texts(node.value))
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_refusal":
                found |= set(_texts(node.args[1]))
            elif isinstance(node, ast.Dict):
                found |= {
                    text
                    for key, value in zip(node.keys, node.values, strict=True)
                    if key is not None and "code" in _texts(key)
                    for text in _texts(value)
                }
            elif isinstance(node, ast.arguments):
                found |= {
                    text
                    for argument, value in zip(node.kwonlyargs, node.kw_defaults, strict=True)
                    if argument.arg == "code" and value is not None
                    for text in _texts(value)
                }
    return sorted(found)


def _calls(name: str, sources: tuple[str, ...] = SOURCES) -> Iterator[ast.Call]:
    for source in sources:
        for node in ast.walk(_parsed(source)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name and node.args:
                yield node


def _parsed(source: str) -> ast.Module:
    return ast.parse((PACKAGE / source).read_text())


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield _pattern(node).replace(r"[\w.]+", "…")


def _pattern(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return re.escape(str(node.value))
    if isinstance(node, ast.JoinedStr):
        return "".join(
            re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"[\w.]+" for part in node.values
        )
    return ""
