"""A client of `/v1/realtime`, paced by absolute deadlines: what it sent late, and every event with its arrival.

Works with any server of OpenAI's transcription sessions. It costs little: messages are encoded before the clock
starts, and events are looked into only as far as the end of the stream needs.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from websockets import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.asyncio.client import ClientConnection, connect

from wavescribe.bench.stream_plan import TimedMessage, Turns
from wavescribe.errors import WavescribeError

Event = dict[str, Any]

ANSWER_SECONDS = 10.0
"""How long a server may take to answer while nothing is decoded."""

WORDS = "item.input_audio_transcription.words"
DRAFT = "item.input_audio_transcription.draft"
FILE_PATH = "/audio/transcriptions"

OVERLOADED_STATUSES, TRY_LATER = (429, 503), 1013
"""How HTTP servers and WebSocket servers say that they are full (RFC 6585, RFC 9110, and the WebSocket registry)."""

OVERLOADED_CODES = {"too_many_sessions", "rate_limit_exceeded", "server_overloaded", "capacity_exceeded"}
"""Error codes and types that say so in the first event of a session."""


@dataclass(frozen=True, slots=True)
class Target:
    """The server that is measured, and how its sessions are configured.

    Attributes:
        url: http(s) or ws(s) URL; without a path, /v1/realtime is meant.
        language: ISO 639-1 code.
        model: the transcription model's name, or "" for the server's own.
        rate: samples per second on the wire.
        turns: who ends turns.
        silence_ms: silence that ends a turn where the server ends them.
        api_key: sent as a bearer token; "" for none.
        include: additions to events to ask for; a server that refuses them is asked for none.
    """

    url: str
    language: str = "en"
    model: str = ""
    rate: int = 16_000
    turns: Turns = "manual"
    silence_ms: int = 500
    api_key: str = ""
    include: tuple[str, ...] = (WORDS, DRAFT)

    @property
    def takes_files(self) -> bool:
        """Whether the URL is that of file transcription, where each utterance is uploaded when it has been said."""
        return urlsplit(self.url).path.rstrip("/").endswith(FILE_PATH)

    @property
    def websocket_url(self) -> str:
        """Where sessions are opened."""
        parts = urlsplit(self.url)
        scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
        path = parts.path if parts.path.strip("/") else "/v1/realtime"
        return urlunsplit((scheme, parts.netloc, path, parts.query, ""))

    def session_update(self, include: Sequence[str]) -> str:
        """The message that configures a session."""
        transcription = {"language": self.language} | ({"model": self.model} if self.model else {})
        vad = {"type": "server_vad", "silence_duration_ms": self.silence_ms} if self.turns == "server" else None
        audio_input = {
            "format": {"type": "audio/pcm", "rate": self.rate},
            "transcription": transcription,
            "turn_detection": vad,
        }
        session: Event = {"type": "transcription", "audio": {"input": audio_input}}
        return json.dumps({"type": "session.update", "session": session | ({"include": [*include]} if include else {})})


@dataclass(slots=True)
class StreamRecord:
    """What one stream saw.

    Attributes:
        events: each event after the session was configured, with its arrival in seconds since the stream's first
            sample was spoken.
        slips: for each message, how many seconds after its deadline it was sent.
        refused: how the server refused the session because it is full, or "".
        failures: errors and lost connections, in order.
        sent_seconds: audio that was sent.
    """

    events: list[tuple[float, Event]] = field(default_factory=list)
    slips: list[float] = field(default_factory=list)
    refused: str = ""
    failures: list[str] = field(default_factory=list)
    sent_seconds: float = 0.0


class UnreadableEventError(WavescribeError):
    """A server sent what is not an event of the protocol."""


class PacedStream:
    """One stream: `open`, then `run`, which closes the connection.

    Args:
        target: the server.
        messages: what is sent, in order.
        patience_seconds: how long nothing at all may come after the last message.
    """

    def __init__(self, target: Target, messages: Sequence[TimedMessage], *, patience_seconds: float = 60.0) -> None:
        self._target = target
        self._messages = messages
        self._patience = patience_seconds
        self._connection: ClientConnection | None = None
        self._unfinished: set[str] = set()
        self._sent = False
        self._cleared = False
        self.record = StreamRecord()

    async def open(self) -> None:
        """Connect and configure the session; a refusal or failure is written into the record."""
        key = self._target.api_key
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            self._connection = await connect(
                self._target.websocket_url,
                additional_headers=headers,
                compression=None,
                max_size=None,
                max_queue=None,
                ping_interval=None,
            )
            await self._configure(self._connection)
        except InvalidStatus as error:
            status = error.response.status_code
            self._refuse(f"HTTP {status}", overloaded=status in OVERLOADED_STATUSES)
        except ConnectionClosed as error:
            code = error.rcvd.code if error.rcvd else 1006
            self._refuse(f"closed with {code}", overloaded=code == TRY_LATER)
        except (OSError, TimeoutError, WebSocketException, UnreadableEventError) as error:
            self._refuse(f"{type(error).__name__}: {error}", overloaded=False)

    def _refuse(self, reason: str, *, overloaded: bool) -> None:
        if self.record.refused:
            return
        if overloaded:
            self.record.refused = reason
        else:
            self.record.failures.append(f"no session: {reason}")

    @property
    def is_open(self) -> bool:
        """Whether the session was opened and nothing has failed."""
        return self._connection is not None and not self.record.refused and not self.record.failures

    async def _configure(self, connection: ClientConnection) -> None:
        first = await self._answer(connection)
        if first["type"] == "error":
            error = first.get("error") or {}
            self._refuse(_error_text(first), overloaded=bool({error.get("code"), error.get("type")} & OVERLOADED_CODES))
            await connection.close()
            return
        for include in dict.fromkeys((self._target.include, ())):
            await connection.send(self._target.session_update(include))
            answer = await self._answer(connection)
            if answer["type"] != "error":
                return
        self.record.failures.append(f"session.update: {_error_text(answer)}")

    async def _answer(self, connection: ClientConnection) -> Event:
        async with asyncio.timeout(ANSWER_SECONDS):
            return _event(await connection.recv())

    async def run(self, began: float) -> None:
        """Say everything at its time and listen to the last completion.

        Args:
            began: when the first sample is spoken, by `time.monotonic`; not in the past.
        """
        if self._connection is None or not self.is_open:
            return
        connection = self._connection
        try:
            async with asyncio.timeout(None) as limit:
                sending = asyncio.create_task(self._send(connection, began, limit), name="send")
                try:
                    await self._receive(connection, began, limit)
                finally:
                    sending.cancel()
                    await asyncio.gather(sending, return_exceptions=True)
        except ConnectionClosed as error:
            self.record.failures.append(f"connection lost: {error}")
        except TimeoutError:
            self._take_silence()
        except UnreadableEventError as error:
            self.record.failures.append(str(error))
        finally:
            with suppress(OSError, WebSocketException):
                await connection.close()

    async def _send(self, connection: ClientConnection, began: float, limit: asyncio.Timeout) -> None:
        for message in self._messages:
            due = began + message.due
            await asyncio.sleep(due - time.monotonic())
            self.record.slips.append(max(0.0, time.monotonic() - due))
            await connection.send(message.text)
            self.record.sent_seconds = message.due
        # As the stock clients do: what answers the clear comes after everything that was committed before it.
        await connection.send(json.dumps({"type": "input_audio_buffer.clear"}))
        self._sent = True
        self._wait_on(limit)

    async def _receive(self, connection: ClientConnection, began: float, limit: asyncio.Timeout) -> None:
        while not (self._cleared and not self._unfinished):
            event = _event(await connection.recv())
            self.record.events.append((time.monotonic() - began, event))
            self._follow(event)
            self._wait_on(limit)

    def _wait_on(self, limit: asyncio.Timeout) -> None:
        """Wait for the next event, once everything was sent, no longer than its patience lasts."""
        if self._sent:
            patience = self._patience if self._unfinished else min(ANSWER_SECONDS, self._patience)
            limit.reschedule(asyncio.get_running_loop().time() + patience)

    def _take_silence(self) -> None:
        """Nothing more comes: the end for a server that does not answer the clear, a failure with turns unfinished."""
        if self._unfinished:
            count = len(self._unfinished)
            self.record.failures.append(f"{count} turns without an end {self._patience:g} s after the last event")

    def _follow(self, event: Event) -> None:
        match event["type"].rsplit(".", 1)[-1]:
            case "committed":
                self._unfinished.add(event.get("item_id", ""))
            case "completed" | "failed":
                self._unfinished.discard(event.get("item_id", ""))
            case "cleared":
                self._cleared = True
            case "error":
                self._take_error(event)

    def _take_error(self, event: Event) -> None:
        """An empty last turn is none: the server's detector had ended it already."""
        code = event.get("error", {}).get("code")
        if code != "input_audio_buffer_commit_empty":
            self.record.failures.append(_error_text(event))


def _event(frame: str | bytes) -> Event:
    """A frame as an event.

    Raises:
        UnreadableEventError: it is not an object with a type.
    """
    try:
        event = json.loads(frame)
    except ValueError:
        event = None
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        raise UnreadableEventError(f"the server sent what is no event: {frame[:80]!r}")
    return event


def _error_text(event: Event) -> str:
    error = event.get("error") or {}
    return f"{error.get('code') or error.get('type')}: {error.get('message')}"
