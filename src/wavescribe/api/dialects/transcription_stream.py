"""The dialect of `WS /v1/audio/transcriptions/stream`: SGLang's first streaming protocol.

Client: `session.start` (JSON), PCM16 little-endian mono 16 kHz in binary frames, `session.end` (JSON).
Server: `session.started`, `transcript.delta` (one per word, without spaces), `transcript.final`, `error`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, get_args

from wavescribe.api.dialects.commands import AppendAudio, Command, FinishStream, Refuse, StartStream
from wavescribe.audio.pcm import decode_pcm16
from wavescribe.errors import AudioFormatError, InvalidRequestError
from wavescribe.languages import language_code
from wavescribe.streaming.delay import Delay
from wavescribe.streaming.events import Event, Settled, TurnEnded, TurnFailed
from wavescribe.streaming.parameters import StrategyName

SAMPLE_RATE = 16_000
"""Samples per second of the protocol's audio."""

EXTENSIONS: dict[str, tuple[str, ...]] = {"strategy": get_args(StrategyName), "delay": get_args(Delay)}
"""Fields of `session.start` that are this server's own, and their values."""

_SPACE_BEFORE_PUNCTUATION = re.compile(r"\s+([,.;:!?，。！？；：、])")


@dataclass(slots=True)
class TranscriptionStreamDialect:
    """One connection's translator.

    Attributes:
        session_id: the id announced in `session.started`, `sess_` and 12 hexadecimal digits.
    """

    session_id: str
    _started: bool = False
    _model: str | None = None

    def parse_binary(self, frame: bytes) -> Command | None:
        """A binary frame: audio. None for an empty one."""
        if not frame:
            return None
        if not self._started:
            return Refuse("invalid_state", "Send session.start before audio frames")
        try:
            return AppendAudio(decode_pcm16(frame))
        except AudioFormatError:
            return Refuse(
                "invalid_audio_format",
                f"PCM16 frame length must be a multiple of 2 bytes, got {len(frame)}",
            )

    def parse_text(self, frame: str) -> Command | None:
        """A text frame: a JSON message. None for an empty one."""
        if not frame:
            return None
        try:
            message = json.loads(frame)
        except (ValueError, RecursionError):
            return Refuse("invalid_json", "Text frames must be JSON")
        if not isinstance(message, dict):
            return Refuse("invalid_payload", f"A message must be a JSON object, got {type(message).__name__}")
        match message.get("type"):
            case "session.start":
                return self._start(message)
            case "session.end":
                return self._end()
            case other:
                return Refuse(
                    "unknown_message", f"Unknown message type {other!r}; expected session.start or session.end"
                )

    def started(self) -> list[str]:
        """The answer to an accepted `session.start`."""
        return [_frame("session.started", session_id=self.session_id, model=self._model)]

    def render(self, event: Event) -> list[str]:
        """The frames that an event of the core becomes; drafts are not part of this protocol."""
        match event:
            case Settled(delta=delta):
                words = delta.split()
                return [_frame("transcript.delta", delta=word) for word in words]
            case TurnEnded(transcript=transcript, start=start, end=end):
                text = _SPACE_BEFORE_PUNCTUATION.sub(r"\1", " ".join(transcript.split()))
                seconds = round((end - start) / SAMPLE_RATE, 2)
                return [_frame("transcript.final", text=text, duration_sec=seconds, model=self._model)]
            case TurnFailed():
                return [self.error("internal_error", "Transcription failed")]
            case _:
                return []

    @staticmethod
    def error(code: str, message: str) -> str:
        """An error frame."""
        return _frame("error", code=code, message=_sendable(message))

    def _start(self, message: dict[str, object]) -> Command:
        if self._started:
            return Refuse("invalid_state", "session.start was already received")
        for name in ("model", "language"):
            value = message.get(name)
            if value is not None and not isinstance(value, str):
                return Refuse("invalid_payload", f"{name!r} must be a string, got {type(value).__name__}")
        if message.get("audio_format") not in (None, "pcm16_16k_mono"):
            return Refuse("invalid_audio_format", "audio_format must be 'pcm16_16k_mono'")
        for name, allowed in EXTENSIONS.items():
            if message.get(name) not in (None, *allowed):
                return Refuse("invalid_payload", f"{name!r} must be one of {', '.join(allowed)}")
        try:
            command = self._start_command(message)
        except InvalidRequestError as error:
            return Refuse("invalid_payload", str(error))
        self._started = True
        return command

    def _start_command(self, message: dict[str, Any]) -> StartStream:
        """The command of a message whose types are right.

        Raises:
            InvalidRequestError: the language is none.
        """
        model, language = message.get("model"), message.get("language")
        self._model = _sendable(model) if model is not None else None
        code = language_code(language) if language else None
        return StartStream(self._model, code, message.get("strategy"), message.get("delay"))

    def _end(self) -> Command:
        if not self._started:
            return Refuse("invalid_state", "session.end before session.start", close=True)
        return FinishStream()

    def refuse_start(self) -> None:
        """The start was refused by the server: another `session.start` may follow."""
        self._started = False


def _sendable(text: str) -> str:
    """The text without lone surrogates, which are valid in JSON and cannot be sent back as UTF-8."""
    return text.encode("utf-8", "replace").decode()


def _frame(kind: str, **fields: object) -> str:
    return json.dumps({"type": kind, **fields}, ensure_ascii=False)
