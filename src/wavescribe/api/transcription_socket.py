"""`WS /v1/audio/transcriptions/stream`: the thin shell around the dialect and a live stream."""

from __future__ import annotations

import asyncio
import logging
import secrets
from contextlib import ExitStack, suppress

from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from wavescribe.api.authentication.credentials import credential_of
from wavescribe.api.closing import CLOSE_SECONDS, close_socket
from wavescribe.api.dialects.commands import AppendAudio, Command, FinishStream, Refuse, StartStream
from wavescribe.api.dialects.transcription_stream import TranscriptionStreamDialect
from wavescribe.errors import InvalidRequestError, OverloadedError
from wavescribe.serving.live_service import LiveService, StreamOptions
from wavescribe.serving.live_stream import BufferOverflowError, LiveStream
from wavescribe.serving.logs import log_context
from wavescribe.serving.open_streams import OpenStreams
from wavescribe.serving.tracing import span
from wavescribe.streaming.events import TurnFailed

logger = logging.getLogger(__name__)

NORMAL, GOING_AWAY, TOO_BIG, INTERNAL_ERROR, RESTARTING, TRY_LATER = 1000, 1001, 1009, 1011, 1012, 1013


class _Closed(Exception):
    """Ends the connection with a close code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class TranscriptionSocket:
    """One connection: a task that reads, and one that works and writes.

    Args:
        socket: the accepted connection.
        service: where the stream is opened.
        open_streams: where the stream is known, so that it is finished when the server stops.
        idle_seconds: how long the client may send nothing; 0 for ever.
    """

    def __init__(self, socket: WebSocket, service: LiveService, open_streams: OpenStreams, idle_seconds: float) -> None:
        self._open_streams = open_streams
        self._idle_seconds = idle_seconds
        self._socket = socket
        self._service = service
        self._dialect = TranscriptionStreamDialect(f"sess_{secrets.token_hex(6)}")
        self._stream: LiveStream | None = None

    async def serve(self) -> None:
        """Serve the connection to its end."""
        log_context.set({**log_context.get(), "session_id": self._dialect.session_id})
        with ExitStack() as place:
            try:
                await self._check_server()
                await self._until_started(place)
                with span("session", session_id=self._dialect.session_id):
                    await self._transcribe()
            except _Closed as closed:
                await close_socket(self._socket, closed.code)
            except WebSocketDisconnect:
                logger.info("client left")
            except Exception:  # whatever it is, this client hears of it and no other stream does
                logger.exception("stream failed")
                self._service.count_failed()
                with suppress(RuntimeError, WebSocketDisconnect, _Closed):  # the client has gone already
                    await self._send_error("internal_error", "Internal server error")
                await close_socket(self._socket, INTERNAL_ERROR)

    async def _check_server(self) -> None:
        if self._open_streams.draining:
            await self._send_error("draining", "The server is about to stop; connect again")
            raise _Closed(RESTARTING)
        if not self._service.can_stream:
            await self._send_error("unsupported_model", "Model does not support streaming ASR")
            raise _Closed(NORMAL)

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
            self._stream = place.enter_context(self._service.open(options, owner))
            place.enter_context(self._open_streams.serving(self._stream))
        except OverloadedError as error:
            await self._send_error("too_many_sessions", str(error))
            raise _Closed(TRY_LATER) from error
        except InvalidRequestError as error:
            self._dialect.refuse_start()
            await self._send_error("invalid_payload", str(error))
            return
        for frame in self._dialect.started():
            await self._socket.send_text(frame)

    async def _transcribe(self) -> None:
        """Read and write at once; whichever ends first, by the client or an error, ends the other."""
        assert self._stream is not None
        reader = asyncio.create_task(self._read(self._stream), name="read")
        writer = asyncio.create_task(self._write(self._stream), name="write")
        try:
            await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_EXCEPTION)
            for task in (reader, writer):
                if task.done():
                    task.result()
        finally:
            reader.cancel()
            writer.cancel()
            await asyncio.gather(reader, writer, return_exceptions=True)

    async def _read(self, stream: LiveStream) -> None:
        while True:
            command = await self._receive()
            if isinstance(command, Refuse):
                await self._refuse(command)
            elif isinstance(command, AppendAudio):
                await self._feed(stream, command)
            elif isinstance(command, FinishStream):
                stream.end_turn()
                stream.finish()

    async def _feed(self, stream: LiveStream, command: AppendAudio) -> None:
        try:
            stream.feed(command.samples)
        except BufferOverflowError as error:
            self._service.count_cut("backlog")
            await self._send_error("buffer_overflow", str(error))
            raise _Closed(TOO_BIG) from error

    async def _write(self, stream: LiveStream) -> None:
        async for event in stream.run():
            for frame in self._dialect.render(event):
                await self._socket.send_text(frame)
            if isinstance(event, TurnFailed):
                raise _Closed(INTERNAL_ERROR)
        raise _Closed(RESTARTING if self._open_streams.draining else NORMAL)

    async def _receive(self) -> Command | None:
        try:
            async with asyncio.timeout(self._idle_seconds or None):
                message = await self._socket.receive()
        except TimeoutError:
            self._service.count_cut("idle")
            await self._send_error("idle_timeout", f"Nothing was received from you for {self._idle_seconds:g}s")
            raise _Closed(GOING_AWAY) from None
        if message["type"] == "websocket.disconnect":
            if message.get("code") == TOO_BIG:
                self._service.count_cut("message")
            raise WebSocketDisconnect(message.get("code", 1005))
        binary = message.get("bytes")
        if binary is not None:
            return self._dialect.parse_binary(binary)
        return self._dialect.parse_text(message.get("text") or "")

    async def _refuse(self, command: Refuse) -> None:
        await self._send_error(command.code, command.message)
        if command.close:
            raise _Closed(NORMAL)

    async def _send_error(self, code: str, message: str) -> None:
        if self._socket.application_state is WebSocketState.CONNECTED:
            try:
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._socket.send_text(self._dialect.error(code, message))
            except TimeoutError:
                # Waiting for a client that reads nothing would keep its place for ever.
                self._service.count_cut("unread")
                raise _Closed(TOO_BIG) from None


def transcription_socket_router(service: LiveService, open_streams: OpenStreams, idle_seconds: float) -> APIRouter:
    """The route of the protocol."""
    router = APIRouter()

    @router.websocket("/v1/audio/transcriptions/stream")
    async def stream(socket: WebSocket) -> None:
        await socket.accept()
        await TranscriptionSocket(socket, service, open_streams, idle_seconds).serve()

    return router
