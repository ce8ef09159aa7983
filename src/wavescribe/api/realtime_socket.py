"""`WS /v1/realtime` and `WS /api-ws/v1/realtime`: the thin shell around a realtime session."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from wavescribe.api.authentication.credentials import credential_of
from wavescribe.api.closing import close_socket, send_in_time
from wavescribe.api.models import ServedModels
from wavescribe.api.realtime.dashscope import DashscopeDialect
from wavescribe.api.realtime.dashscope_session import starting_configuration
from wavescribe.api.realtime.dialect import Engine, RealtimeDialect, Style
from wavescribe.api.realtime.ids import new_id
from wavescribe.api.realtime.registry import HeldSession, SessionRegistry
from wavescribe.api.realtime.server_events import Frame, error_frame, frame
from wavescribe.api.realtime.session import INTERNAL_ERROR, TOO_BIG, Dialect, RealtimeSession
from wavescribe.api.realtime.session_configuration import SessionConfiguration
from wavescribe.errors import ModelNotFoundError, OverloadedError
from wavescribe.serving.live_service import LiveService
from wavescribe.serving.logs import log_context

logger = logging.getLogger(__name__)

NORMAL, GOING_AWAY, RESTARTING, TRY_LATER, REFUSED = 1000, 1001, 1012, 1013, 4000

PLACE_WAITS = (0.01, 0.04, 0.1)
"""Seconds between looks for a free place: a client that closes and connects again at once is faster than its end."""

DRAIN_SECONDS = 10.0
"""How long a client is given to read its last events before its connection is closed."""

IDLE = "Nothing was received from you for {seconds:g} seconds."

EXPIRED = "Your session hit the maximum duration of {minutes:g} minutes."


@dataclass(frozen=True, slots=True)
class NewSession:
    """What a new session's dialect is made of.

    Attributes:
        id: "sess_...".
        model: its name as the client gave it, or the server's.
        prepared: what the client's secret was made with, or None.
        engine: facts of the engine.
        expires_at: end of the session in seconds of Unix time, or None.
    """

    id: str
    model: str
    prepared: SessionConfiguration | None
    engine: Engine
    expires_at: int | None


def openai_dialect(new: NewSession, style: Style = "openai") -> RealtimeDialect:
    """The dialect of OpenAI's clients.

    Args:
        new: the session.
        style: the names of events.
    """
    configuration = new.prepared or SessionConfiguration.of_model(new.model)
    if new.prepared is None and style == "sglang":
        configuration = configuration.with_manual_turns()
    return RealtimeDialect(new.id, configuration, new.engine, expires_at=new.expires_at, style=style)


def dashscope_dialect(new: NewSession) -> DashscopeDialect:
    """The dialect of DashScope's clients."""
    return DashscopeDialect(new.id, starting_configuration(new.model, new.prepared), new.engine)


class RefusedSessionError(Exception):
    """The session is not opened.

    Attributes:
        frame: the error that the client is told.
        code: the WebSocket close code.
    """

    def __init__(self, told: Frame, code: int, reason: str) -> None:
        super().__init__(reason)
        self.frame = told
        self.code = code


class RealtimeEndpoint:
    """Opens, resumes and serves sessions.

    Args:
        service: where streams are opened.
        models: the names that are answered to.
        registry: the sessions that outlive their connection.
        max_session_seconds: longest life of a session; 0 for no limit.
        idle_seconds: how long a client may send nothing; 0 for ever.
        make_dialect: makes a new session's translator.
        any_model: whether a model named in the query is taken for the served one, as SGLang does.
    """

    def __init__(
        self,
        service: LiveService,
        models: ServedModels,
        registry: SessionRegistry,
        *,
        max_session_seconds: float,
        idle_seconds: float = 0,
        make_dialect: Callable[[NewSession], Dialect] = openai_dialect,
        any_model: bool = False,
    ) -> None:
        self._service = service
        self._models = models
        self._registry = registry
        self._max_seconds = max_session_seconds
        self._idle_seconds = idle_seconds
        self._make_dialect = make_dialect
        self._any_model = any_model

    async def serve(self, socket: WebSocket) -> None:
        """Serve an accepted connection to its end."""
        try:
            if "session_id" in socket.query_params:
                held, superseded = await self._resumed(socket)
            else:
                held = await self._opened(socket)
                superseded = held.take_up()
        except RefusedSessionError as refused:
            await _refuse(socket, refused)
            return
        log_context.set({**log_context.get(), "session_id": held.session.session_id})
        connection = Connection(socket, held, self._registry, superseded, self._idle_seconds)
        await connection.serve(_wants_resume(socket))

    async def _resumed(self, socket: WebSocket) -> tuple[HeldSession, asyncio.Event]:
        query = socket.query_params
        held = self._registry.find(query["session_id"], credential_of(socket.scope).key_id)
        if held is None:
            message = f"There is no session {query['session_id'][:100]!r} to resume; open a new one."
            raise _refusal(message, "session_not_found", "session_id")
        outbox, after = held.session.outbox, query.get("after")
        if after is not None and not outbox.remembers(after):
            self._registry.let_go(held)
            raise _forgotten(after)
        superseded = await held.take_over()
        if after is not None and not outbox.rewind(after):
            # What came since it was looked for has pushed it out.
            held.leave()
            self._registry.let_go(held)
            raise _forgotten(after)
        self._service.count_resumed()
        # To the microsecond, which tells one sample from the next at every rate.
        received = round(1000 * held.session.received_seconds, 3)
        held.session.send_first(
            frame("session.resumed", session_id=held.session.session_id, audio_received_ms=received)
        )
        return held, superseded

    async def _opened(self, socket: WebSocket) -> HeldSession:
        self._check_draining()
        model = self._model(socket)
        credential = credential_of(socket.scope)
        await self._until_expecting()
        with await self._place(credential.holder) as place:
            self._check_draining()  # a place may have been waited for
            session = RealtimeSession(self._dialect(model, credential.session), self._service)
            held = HeldSession(session, place.pop_all(), credential.key_id, self._deadline())
        session.open()
        self._registry.open(held, resumable=_wants_resume(socket))
        return held

    def _check_draining(self) -> None:
        if self._registry.draining:
            told = error_frame("The server is about to stop; connect again.", kind="server_error", code="draining")
            raise RefusedSessionError(told, RESTARTING, "server_error.draining")

    async def _until_expecting(self) -> None:
        try:
            await self._service.until_expecting()
        except OverloadedError as error:
            raise _too_many(error) from error

    async def _place(self, owner: str) -> ExitStack:
        """A place among the live streams; one whose client has just left is waited for."""
        place = ExitStack()
        for wait in (*PLACE_WAITS, None):
            try:
                place.enter_context(self._service.place(owner, is_last_try=wait is None))
            except OverloadedError as error:
                if wait is None:
                    raise _too_many(error) from error
                await asyncio.sleep(wait)
            else:
                break
        return place

    def _model(self, socket: WebSocket) -> str:
        """The model's name as the client gave it, "" for none."""
        if "call_id" in socket.query_params:
            raise _refusal("Calls are not served here: connect without 'call_id'.", "not_supported", "call_id")
        if not self._service.can_stream:
            raise _refusal("Model does not support streaming ASR", "not_supported", "model")
        model = "" if self._any_model else socket.query_params.get("model", "")
        try:
            self._models.check(model)
        except ModelNotFoundError as error:
            raise _refusal(str(error), "model_not_found", "model") from error
        return model

    def _dialect(self, model: str, prepared: object) -> Dialect:
        engine = Engine(self._service.sample_rate, self._service.languages, self._models.check)
        expires_at = int(time.time() + self._max_seconds) if self._max_seconds else None
        configuration = prepared if isinstance(prepared, SessionConfiguration) else None
        new = NewSession(new_id("sess"), model or self._models.name, configuration, engine, expires_at)
        return self._make_dialect(new)

    def _deadline(self) -> float | None:
        return time.monotonic() + self._max_seconds if self._max_seconds else None


class Connection:
    """One connection of a session: a task that reads, one that writes, beside the session's own.

    Args:
        socket: the accepted connection.
        held: the session.
        registry: where it stays when the connection is lost.
        superseded: set when another connection takes the session up.
        idle_seconds: how long the client may send nothing; 0 for ever.
    """

    def __init__(
        self,
        socket: WebSocket,
        held: HeldSession,
        registry: SessionRegistry,
        superseded: asyncio.Event,
        idle_seconds: float,
    ) -> None:
        self._idle_seconds = idle_seconds
        self._superseded = superseded
        self._socket = socket
        self._held = held
        self._session = held.session
        self._registry = registry
        self._left_for_good = False
        """Whether the client closed the connection as one does at the end."""

    async def serve(self, resumable: bool) -> None:
        """Serve until the client leaves, the session ends or another connection takes it up."""
        reader = asyncio.create_task(self._read(), name="read")
        writer = asyncio.create_task(self._write(), name="write")
        gone = asyncio.create_task(self._superseded.wait(), name="superseded")
        lost = False
        try:
            lost = await self._until_over(reader, writer, gone)
        finally:
            for task in (reader, writer, gone):
                task.cancel()
            await asyncio.gather(reader, writer, gone, return_exceptions=True)
            self._held.leave()
            await self._leave(kept=lost and resumable and not self._left_for_good)

    async def _until_over(
        self, reader: asyncio.Task[None], writer: asyncio.Task[None], gone: asyncio.Task[bool]
    ) -> bool:
        """Wait for the end; True when it is only the connection that is lost."""
        work = self._held.work
        waiting = {reader, writer, gone, work}
        await asyncio.wait(waiting, timeout=self._held.seconds_left(), return_when=asyncio.FIRST_COMPLETED)
        if not any(task.done() for task in waiting):
            self._session.expire("session_length", EXPIRED.format(minutes=self._held.minutes), GOING_AWAY)
            await asyncio.wait({reader, writer, gone, work}, return_when=asyncio.FIRST_COMPLETED)
        if self._reading_failed(reader):
            self._held.fail("Internal server error", INTERNAL_ERROR)
        elif gone.done() or reader.done() or writer.done():
            return True
        with_last_events = asyncio.create_task(self._session.outbox.until_empty(), name="drain")
        await asyncio.wait({with_last_events, writer}, timeout=DRAIN_SECONDS, return_when="FIRST_COMPLETED")
        with_last_events.cancel()
        await asyncio.gather(with_last_events, return_exceptions=True)
        return False

    async def _leave(self, *, kept: bool) -> None:
        if self._superseded.is_set():
            await close_socket(self._socket, GOING_AWAY, "the session was taken up by another connection")
            return
        if kept and not self._held.work.done():
            self._registry.let_go(self._held)
            return
        await self._registry.remove(self._held)
        await close_socket(self._socket, self._session.ending.code, self._session.ending.reason)

    def _reading_failed(self, reader: asyncio.Task[None]) -> bool:
        """Whether reading ended by a failure of ours, which is then the session's end."""
        error = reader.exception() if reader.done() and not reader.cancelled() else None
        if error is not None:
            logger.error("session failed", exc_info=error)
        return error is not None

    async def _read(self) -> None:
        while True:
            message = await self._next_message()
            if message["type"] == "websocket.disconnect":
                self._left_for_good = message.get("code") == NORMAL
                if message.get("code") == TOO_BIG:
                    self._session.count_too_big()
                return
            text = message.get("text")
            await self._session.receive(text if text is not None else message.get("bytes") or b"")

    async def _next_message(self) -> Message:
        try:
            async with asyncio.timeout(self._idle_seconds or None):
                return await self._socket.receive()
        except TimeoutError:
            self._session.expire("idle", IDLE.format(seconds=self._idle_seconds), GOING_AWAY)
            # What was committed is finished and sent; that, not this task, ends the connection.
            return await self._socket.receive()

    async def _write(self) -> None:
        while True:
            frame = await self._session.outbox.take()
            if not await send_in_time(self._socket, frame.text):
                self._session.count_unread()
                return


async def _refuse(socket: WebSocket, refused: RefusedSessionError) -> None:
    with suppress(RuntimeError, WebSocketDisconnect):  # the client has gone already
        await socket.send_text(refused.frame.text)
    await close_socket(socket, refused.code, str(refused))


def _wants_resume(socket: WebSocket) -> bool:
    query = socket.query_params
    return "session_id" in query or query.get("resume", "").lower() in ("1", "true")


def _refusal(message: str, code: str, param: str) -> RefusedSessionError:
    told = error_frame(message, code=code, param=param)
    return RefusedSessionError(told, REFUSED, f"invalid_request_error.{code}")


def _forgotten(after: str) -> RefusedSessionError:
    message = f"The events after {after[:100]!r} are not in memory any more; open a new session."
    return _refusal(message, "event_not_found", "after")


def _too_many(error: OverloadedError) -> RefusedSessionError:
    told = error_frame(str(error), kind="rate_limit_exceeded", code="too_many_sessions")
    return RefusedSessionError(told, TRY_LATER, "rate_limit_exceeded.too_many_sessions")


def realtime_router(endpoint: RealtimeEndpoint, paths: tuple[str, ...] = ("/v1/realtime", "/realtime")) -> APIRouter:
    """The routes of the protocol."""
    router = APIRouter()

    async def realtime(socket: WebSocket) -> None:
        await socket.accept()
        await endpoint.serve(socket)

    handler: Callable[[WebSocket], object] = realtime
    for path in paths:
        router.add_api_websocket_route(path, handler)
    return router
