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

from wavescribe.bench.asked_session import UPDATED, AskedSession, is_flat, session_of
from wavescribe.bench.open_turns import OpenTurns
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

CLEAR_ID = "the-end"
"""The event id of the clear at a stream's end."""

EMPTY_CODE, EMPTY_MESSAGE = "input_audio_buffer_commit_empty", "buffer too small"
"""How servers say that a commit has too little audio; some give the message without the code."""

SERVER_ERROR = "server_error"

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

    @property
    def session(self) -> AskedSession:
        """What its sessions are asked to be."""
        silence_ms = self.silence_ms if self.turns == "server" else None
        return AskedSession(self.language, self.model, self.rate, silence_ms)


@dataclass(slots=True)
class StreamRecord:
    """What one stream saw.

    Attributes:
        events: each event after the session was configured, with its arrival in seconds since the stream's first
            sample was spoken.
        slips: for each message, how many seconds after its deadline it was sent.
        refused: how the server refused the session because it is full, or "".
        failures: errors and lost connections, in order.
        sent_seconds: audio that was sent; of uploads, that of those that were transcribed.
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
        self._turns = OpenTurns()
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
            error = _error_of(first)
            self._refuse(_error_text(first), overloaded=bool({error.get("code"), error.get("type")} & OVERLOADED_CODES))
            await connection.close()
            return
        answer = await self._update(connection, first)
        if answer["type"] == "error":
            self.record.failures.append(f"session.update: {_error_text(answer)}")
        elif wrong := self._target.session.differences(session_of(answer)):
            self.record.failures.append(f"the session is not what was asked for: {'; '.join(wrong)}")

    async def _update(self, connection: ClientConnection, greeting: Event) -> Event:
        """Ask for the session in the shape that the server takes; returns its last answer."""
        asked = self._target.session
        for include in dict.fromkeys((self._target.include, ())):
            await connection.send(asked.message(include))
            answer = await self._answer(connection, *UPDATED, "error")
            if answer["type"] != "error":
                break
        stated = session_of(answer) or session_of(greeting)
        if is_flat(stated):
            await connection.send(asked.flat_message(greeting["type"], stated))
            answer = await self._answer(connection, *UPDATED, "error")
        return answer

    async def _answer(self, connection: ClientConnection, *kinds: str) -> Event:
        """The next event, or the next of these types."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                while True:
                    event = _event(await connection.recv())
                    if not kinds or event["type"] in kinds:
                        return event
        except TimeoutError:
            raise TimeoutError(f"no {' or '.join(kinds) or 'event'} within {ANSWER_SECONDS:g} s") from None

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
            if message.ends_turn:
                self._turns.commit()
            await connection.send(message.text)
            self.record.sent_seconds = message.due
        # As the stock clients do: what answers the clear comes after everything that was committed before it.
        self._sent = True
        await connection.send(json.dumps({"type": "input_audio_buffer.clear", "event_id": CLEAR_ID}))
        self._wait_on(limit)

    async def _receive(self, connection: ClientConnection, began: float, limit: asyncio.Timeout) -> None:
        while not (self._cleared and not self._turns.count and not self._turns.unanswered):
            event = _event(await connection.recv())
            self.record.events.append((time.monotonic() - began, event))
            self._follow(event)
            self._wait_on(limit)

    def _wait_on(self, limit: asyncio.Timeout) -> None:
        """Wait for the next event, once everything was sent, no longer than its patience lasts."""
        if self._sent:
            patience = self._patience if self._is_owed else min(ANSWER_SECONDS, self._patience)
            limit.reschedule(asyncio.get_running_loop().time() + patience)

    @property
    def _is_owed(self) -> bool:
        """Whether the server has yet to end a turn or to answer a commit.

        One that ends turns itself may pass over a last commit of silence: what answers the clear is then its end.
        """
        passed_over = self._cleared and self._target.turns == "server"
        return bool(self._turns.count or (self._turns.unanswered and not passed_over))

    def _take_silence(self) -> None:
        """Nothing more comes: the end for a server that does not answer the clear, a failure where more is owed."""
        if not self._is_owed:
            return
        since = f"{self._patience:g} s after the last event"
        if self._turns.count:
            self.record.failures.append(f"{self._turns.count} turns without an end {since}")
        if self._turns.unanswered:
            self.record.failures.append(f"{self._turns.unanswered} commits without an answer {since}")

    def _follow(self, event: Event) -> None:
        match event["type"].rsplit(".", 1)[-1]:
            case "committed":
                self._turns.begin(event)
            case "completed" | "failed":
                self._turns.end(event)
            case "cleared":
                self._cleared = True
            case "error":
                self._take_error(event)

    def _take_error(self, event: Event) -> None:
        """An empty last turn is none: the server's detector had ended it already."""
        error = _error_of(event)
        if error.get("code") == EMPTY_CODE or EMPTY_MESSAGE in str(error.get("message")):
            self._turns.answer()
        elif self._answers_clear(error):
            self._cleared = True
        else:
            self.record.failures.append(_error_text(event))

    def _answers_clear(self, error: Event) -> bool:
        """Whether an error is what a server that knows no clear says to it."""
        if not self._sent or self._cleared:
            return False
        cause = error.get("event_id")
        return cause == CLEAR_ID or (not cause and SERVER_ERROR not in (error.get("code"), error.get("type")))


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


def _error_of(event: Event) -> Event:
    """What an error event says: OpenAI's object, or the text that others write in its place, with a code beside it."""
    error = event.get("error")
    if isinstance(error, dict):
        return error
    return {"code": event.get("code"), "message": error or event.get("message")}


def _error_text(event: Event) -> str:
    error = _error_of(event)
    return f"{error.get('code') or error.get('type') or 'error'}: {error.get('message')}"
