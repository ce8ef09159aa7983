"""The log: text or JSON lines, with the ids of the session and the request; without what was said."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Literal

log_context: ContextVar[Mapping[str, str]] = ContextVar("log_context", default=MappingProxyType({}))
"""Ids of what the current task works for: session_id, request_id. Replaced, never changed."""

transcripts = logging.getLogger("wavescribe.transcripts")
"""Where transcripts are logged; silent unless that is asked for."""

FRAME_LOGGERS = ("uvicorn.error", "websockets")
"""Libraries that log, at level debug, the frames that they send and receive: what was said, prompts, and the keys in
the headers of a handshake."""


class ContextFilter(logging.Filter):
    """Gives every record the ids of the task that logs."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the ids; every record passes."""
        record.context = log_context.get()
        return True


class TextFormatter(logging.Formatter):
    """One line for people, the ids at its end."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # the name is the library's
        """The line, with the ids that are known."""
        ids = " ".join(f"{name}={value}" for name, value in getattr(record, "context", {}).items())
        line = super().formatMessage(record)
        return f"{line} [{ids}]" if ids else line


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC, ISO 8601), level, logger, message, the ids, and exception."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        entry = {
            "time": f"{moment}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "context", {}),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def configure_logging(form: Literal["text", "json"], level: str, *, with_transcripts: bool) -> None:
    """Set the root logger up.

    Args:
        form: of its lines.
        level: least level, as logging names it, in lower case.
        with_transcripts: whether what was said is logged.
    """
    handler = logging.StreamHandler()
    handler.addFilter(ContextFilter())
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    transcripts.setLevel(logging.INFO if with_transcripts else logging.CRITICAL)
    for name in FRAME_LOGGERS:
        logging.getLogger(name).setLevel(logging.INFO)
