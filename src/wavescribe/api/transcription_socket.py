"""`WS /v1/audio/transcriptions/stream`: the thin shell around the dialect and a live stream."""

from __future__ import annotations

import asyncio
import logging
import secrets
from contextlib import ExitStack, suppress

from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from wavescribe.api.authentication.credentials import credential_of
from wavescribe.api.closing import CLOSE_SECONDS, close_socket, send_in_time
from wavescribe.api.dialects.commands import AppendAudio, Command, FinishStream, Refuse, StartStream
from wavescribe.api.dialects.transcription_stream import TranscriptionStreamDialect
from wavescribe.api.realtime.session import LARGE_FRAME
from wavescribe.errors import DrainingError, InvalidRequestError, OverloadedError
from wavescribe.serving.live_service import LiveService, StreamOptions
from wavescribe.serving.live_stream import BufferOverflowError, LiveStream
from wavescribe.serving.logs import log_context
from wavescribe.serving.open_streams import OpenStreams
from wavescribe.serving.tracing import span
from wavescribe.streaming.events import TurnFailed

logger = logging.getLogger(__name__)

NORMAL, GOING_AWAY, TOO_BIG, INTERNAL_ERROR, RESTARTING, TRY_LATER = 1000, 1001, 1009, 1011, 1012, 1013

UNREAD = "the client read nothing"

EXPIRED = "Your session hit the maximum duration of {minutes:g} minutes"


class _Closed(Exception):
    """Ends the connection with a close code; the reason is for the log."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class TranscriptionSocket:
    """One connection: a task that reads, and one that works and writes.

    Args:
        socket: the accepted connection.
        service: where the stream is opened.
        open_streams: where the stream is known, so that it is finished when the server stops.
        idle_seconds: how long the client may send nothing; 0 for ever.
        max_session_seconds: longest life of a stream; 0 for no limit.
    """

    def __init__(
        self,
        socket: WebSocket,
        service: LiveService,
        open_streams: OpenStreams,
        *,
        idle_seconds: float,
        max_session_seconds: float,
    ) -> None:
        self._max_session_seconds = max_session_seconds
        self._open_streams = open_streams
        self._idle_seconds = idle_seconds
        self._socket = socket
        self._service = service
        self._dialect = TranscriptionStreamDialect(f"sess_{secrets.token_hex(6)}")
        self._stream: LiveStream | None = None
        self._finishing = False
        """Whether no more audio is to come."""
        self._end = _Closed(NORMAL, "finished")
        """How the connection is closed once everything is transcribed."""

    async def serve(self) -> None:
        """Serve the connection to its end."""
        log_context.set({**log_context.get(), "session_id": self._dialect.session_id})
        why = ""
        with ExitStack() as place:
            try:
                await self._check_server()
                await self._until_started(place)
                await self._traced()
            except _Closed as closed:
                why = closed.reason
                await close_socket(self._socket, closed.code)
            except WebSocketDisconnect:
                why = "the client left"
            except Exception:  # whatever it is, this client hears of it and no other stream does
                why = "internal_error"
                logger.exception("stream failed")
                self._service.count_failed()
                with suppress(RuntimeError, WebSocketDisconnect, _Closed):  # the client has gone already
                    await self._send_error("internal_error", "Internal server error")
                await close_socket(self._socket, INTERNAL_ERROR)
            finally:
                if self._stream is not None:
                    logger.info("session over after %.1f s of audio: %s", self._stream.received_seconds, why)

    async def _traced(self) -> None:
        """Transcribe; an end that is none of the server's faults is none in the trace."""
        end: Exception | None = None
        with span("session", session_id=self._dialect.session_id):
            try:
                await self._transcribe()
            except (_Closed, WebSocketDisconnect) as error:
                end = error
        if end is not None:
            raise end

    async def _check_server(self) -> None:
        if self._open_streams.draining:
            raise await self._draining()
        if not self._service.can_stream:
            await self._send_error("unsupported_model", "Model does not support streaming ASR")
            raise _Closed(NORMAL, "unsupported_model")

    async def _draining(self) -> _Closed:
        await self._send_error("draining", "The server is about to stop; connect again")
        return _Closed(RESTARTING, "draining")

    async def _until_started(self, place: ExitStack) -> None:
        while self._stream is None:
            command = await self._receive()
            if isinstance(command, StartStream):
                await self._start(command, place)
            elif isinstance(command, Refuse):
                await self._refuse(command)

    async def _start(self, command: StartStream, place: ExitStack) -> None:
        options = StreamOptions(language=command.language, strategy=command.strategy, delay=command.delay)
        try:
            owner = credential_of(self._socket.scope).holder
            await self._service.until_expecting()
            self._stream = place.enter_context(self._service.open(options, owner))
            place.enter_context(self._open_streams.serving(self._stream))
        except DrainingError as error:
            raise await self._draining() from error
        except OverloadedError as error:
            await self._send_error("too_many_sessions", str(error))
            raise _Closed(TRY_LATER, "too_many_sessions") from error
        except InvalidRequestError as error:
            self._dialect.refuse_start()
            await self._send_error("invalid_payload", str(error))
            return
        for frame in self._dialect.started():
            await self._send(frame)

    async def _transcribe(self) -> None:
        """Read and write at once; whichever ends first, by the client, an error or a limit, ends the others."""
        assert self._stream is not None
        stream = self._stream
        work = (self._read(stream), self._write(stream), self._until_expired(stream), self._until_given_up())
        tasks = [asyncio.create_task(each, name=self._dialect.session_id) for each in work]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in tasks:
                if task.done():
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _until_expired(self, stream: LiveStream) -> None:
        """When its time is over a stream is finished, as a client would; one that is being finished goes on to be."""
        if not self._max_session_seconds:
            return
        await asyncio.sleep(self._max_session_seconds)
        if self._finishing:
            return
        self._service.count_cut("session_length")
        await self._send_error("session_expired", EXPIRED.format(minutes=round(self._max_session_seconds / 60, 2)))
        self._end = _Closed(GOING_AWAY, "session_expired")
        self._finish(stream)

    def _finish(self, stream: LiveStream) -> None:
        if self._finishing:
            return
        self._finishing = True
        stream.end_turn()
        stream.finish()

    async def _until_given_up(self) -> None:
        await self._open_streams.until_given_up()
        await self._send_error("draining", "The server stopped before everything was transcribed; connect again")
        raise _Closed(RESTARTING, "draining")

    async def _read(self, stream: LiveStream) -> None:
        while True:
            command = await self._receive()
            if isinstance(command, Refuse):
                await self._refuse(command)
            elif isinstance(command, AppendAudio) and not self._finishing:
                await self._feed(stream, command)
            elif isinstance(command, FinishStream):
                self._finish(stream)

    async def _feed(self, stream: LiveStream, command: AppendAudio) -> None:
        try:
            stream.feed(command.samples)
        except BufferOverflowError as error:
            self._service.count_cut("backlog")
            await self._send_error("buffer_overflow", str(error))
            raise _Closed(TOO_BIG, "buffer_overflow") from error

    async def _write(self, stream: LiveStream) -> None:
        async for event in stream.run():
            for frame in self._dialect.render(event):
                await self._send(frame)
            if isinstance(event, TurnFailed):
                raise _Closed(INTERNAL_ERROR, "internal_error")
        raise _Closed(RESTARTING, "draining") if self._open_streams.draining else self._end

    async def _send(self, frame: str) -> None:
        if not await send_in_time(self._socket, frame):
            raise self._unread()

    def _unread(self) -> _Closed:
        self._service.count_cut("unread")
        return _Closed(TOO_BIG, UNREAD)

    async def _receive(self) -> Command | None:
        try:
            async with asyncio.timeout(None if self._finishing else self._idle_seconds or None):
                message = await self._socket.receive()
        except TimeoutError:
            if self._finishing:
                return None
            self._service.count_cut("idle")
            await self._send_error("idle_timeout", f"Nothing was received from you for {self._idle_seconds:g}s")
            raise _Closed(GOING_AWAY, "idle_timeout") from None
        if message["type"] == "websocket.disconnect":
            if message.get("code") == TOO_BIG:
                self._service.count_cut("message")
            raise WebSocketDisconnect(message.get("code", 1005))
        binary = message.get("bytes")
        if binary is not None and len(binary) > LARGE_FRAME:
            return await asyncio.to_thread(self._dialect.parse_binary, binary)
        if binary is not None:
            return self._dialect.parse_binary(binary)
        return self._dialect.parse_text(message.get("text") or "")

    async def _refuse(self, command: Refuse) -> None:
        await self._send_error(command.code, command.message)
        if command.close:
            raise _Closed(NORMAL, command.code)

    async def _send_error(self, code: str, message: str) -> None:
        """Tell the client; waiting long for one that reads nothing would keep its place."""
        if self._socket.application_state is WebSocketState.CONNECTED:
            frame = self._dialect.error(code, message)
            if not await send_in_time(self._socket, frame, CLOSE_SECONDS):
                raise self._unread()


def transcription_socket_router(
    service: LiveService, open_streams: OpenStreams, *, idle_seconds: float, max_session_seconds: float
) -> APIRouter:
    """The route of the protocol; see TranscriptionSocket."""
    router = APIRouter()

    @router.websocket("/v1/audio/transcriptions/stream")
    async def stream(socket: WebSocket) -> None:
        await socket.accept()
        served = TranscriptionSocket(
            socket, service, open_streams, idle_seconds=idle_seconds, max_session_seconds=max_session_seconds
        )
        await served.serve()

    return router
