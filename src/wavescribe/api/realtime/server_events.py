"""Events of the server as frames: JSON with a fresh event id."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from wavescribe.api.realtime.ids import new_id


@dataclass(frozen=True, slots=True)
class Frame:
    """A text frame to be sent.

    Attributes:
        event_id: of the event in it.
        text: the JSON.
    """

    event_id: str
    text: str


def frame(kind: str, **fields: Any) -> Frame:
    """A frame of an event with its members."""
    event_id = new_id("event")
    event = {"type": kind, "event_id": event_id, **fields}
    text = json.dumps(event, ensure_ascii=False)
    # A client's JSON can escape half of a surrogate pair; echoed it has to be escaped again, UTF-8 cannot hold it.
    return Frame(event_id, text if _is_unicode(text) else json.dumps(event))


def _is_unicode(text: str) -> bool:
    """Whether it can be sent as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def error_frame(
    message: str,
    *,
    kind: str = "invalid_request_error",
    code: str | None = None,
    param: str | None = None,
    event_id: str | None = None,
) -> Frame:
    """A frame of an error; all five members are always there."""
    detail = {"type": kind, "code": code, "message": message, "param": param, "event_id": event_id}
    return frame("error", error=detail)
