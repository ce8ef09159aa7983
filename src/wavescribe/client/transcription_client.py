"""A live stream on a server: the protocol over real connections, which are replaced when they are lost."""

from __future__ import annotations

import asyncio
import os
import ssl
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from wavescribe.client.backoff import waits
from wavescribe.client.endpoint import realtime_url
from wavescribe.client.events import Event
from wavescribe.client.pcm_input import AudioInput, as_pcm16
from wavescribe.client.refusals import refused_upgrade
from wavescribe.client.session_options import SessionOptions
from wavescribe.client.stream_protocol import StreamProtocol
from wavescribe.errors import ServerError, ServerUnreachableError, WavescribeError

MOST_EVENTS = 10_000
"""Events that wait to be read; beyond them nothing is read from the server until some are."""

DEFAULT_OPTIONS = SessionOptions()

OPEN_SECONDS = 10.0
"""How long a connection may take to open."""

LASTING_SECONDS = 3.0
"""A connection that is lost sooner was none: the outage goes on, and so do its waits."""


@dataclass(frozen=True, slots=True)
class _Outage:
    """A time without a connection that lasts.

    Attributes:
        deadline: when it is given up, on the monotonic clock.
        waits: seconds before each try.
    """

    deadline: float
    waits: Iterator[float]


class TranscriptionClient:
    """Sends audio as it is spoken and gives the text as it settles.

    A lost connection is opened again, with waits that grow, and the session goes on where it was: nothing is lost and
    nothing comes twice. Where the session is over (after the server's `--max-session-seconds`) or forgotten (after
    `--resume-seconds`, or a restart), a new one takes its place: a turn that is open ends after its last settled word,
    `SessionRenewed` comes, and what follows that word is heard again, in turns whose numbers and times go on. No word
    comes twice and none is lost, as far as the times of words are right; text that comes without times is told again
    from the start of its turn.

    Read events while you send: a server that is not read from is not heard.

        async with TranscriptionClient("http://localhost:8000", SessionOptions(language="en")) as client:
            sending = asyncio.create_task(speak(client))  # await client.send(...), then client.finish()
            async for event in client:
                print(event)

    Args:
        url: the server, as in "http://localhost:8000" or "wss://host/v1".
        options: how the stream is transcribed.
        api_key: the key that the server wants, or None.
        reconnect_seconds: how long a lost connection, or a place for a new session, may be missing; servers keep a
            session for 30 s by default.
        buffer_seconds: most audio kept because the server is not known to have it; then `send` waits.
        keep_seconds: most audio kept because no text covers it, for a session that has to be renewed; at least
            `buffer_seconds`. Where there is more, the oldest is not heard again: `SessionRenewed` tells how much.

    Raises:
        ConfigurationError: the url is no address of a server.
    """

    def __init__(
        self,
        url: str,
        options: SessionOptions = DEFAULT_OPTIONS,
        *,
        api_key: str | None = None,
        reconnect_seconds: float = 30.0,
        buffer_seconds: float = 60.0,
        keep_seconds: float = 600.0,
    ) -> None:
        self._url = realtime_url(url)
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._reconnect_seconds = reconnect_seconds
        self._protocol = StreamProtocol(options, buffer_seconds, keep_seconds)
        self._refusal = ""
        """What the server said when it refused the last session."""
        self._was_served = False
        """Whether a session was open on the last connection."""
        self._events: asyncio.Queue[Event] = asyncio.Queue(MOST_EVENTS)
        self._opened = asyncio.Event()
        self._to_send = asyncio.Event()
        self._room = asyncio.Event()
        self._work: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Open the session.

        Raises:
            ServerUnreachableError: nobody answers at the url.
            AuthenticationError: the key is missing or wrong.
            OverloadedError: the server is full.
            ServerError: the server refuses the session for another reason.
        """
        self._work = asyncio.create_task(self._run(), name="transcription client")
        opened = asyncio.create_task(self._opened.wait())
        try:
            await asyncio.wait({self._work, opened}, return_when=asyncio.FIRST_COMPLETED)
            if not self._opened.is_set():
                await self._work
        except BaseException:
            await self.close()
            raise
        finally:
            opened.cancel()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the session; text that has not come is not waited for."""
        await self.close()

    async def send(self, audio: AudioInput) -> None:
        """Send audio; waits while the server is not known to have what was sent before.

        Args:
            audio: mono at the session's rate: signed 16-bit little-endian PCM as bytes, or an array of shape
                (samples,), int16 or floats in [-1, 1].

        Raises:
            AudioFormatError: it is none of these.
            WavescribeError: the session has ended, as `__aenter__` and reading say.
        """
        pcm = as_pcm16(audio)
        for first in range(0, len(pcm), 65_536):
            while self._protocol.is_full:
                self._room.clear()
                await self._until_room()
            self._check()
            self._protocol.feed(pcm[first : first + 65_536])
            self._to_send.set()

    def commit(self) -> None:
        """End the turn at the audio sent so far; with less than 100 ms since the last turn it does nothing."""
        self._protocol.commit()
        self._to_send.set()

    def finish(self) -> None:
        """Say that no more audio comes: reading ends once all that was sent is transcribed."""
        self._protocol.finish()
        self._to_send.set()

    async def close(self) -> None:
        """Close the session at once."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)

    async def __aiter__(self) -> AsyncIterator[Event]:
        """The events in order; ends after `finish`, once everything is transcribed.

        Raises:
            ServerUnreachableError: the connection was lost and did not come back in time, or the server had no place
                for a new session in that time.
            AuthenticationError: the key that the session was opened with is not accepted for a new one.
            ServerError: the server ended the session, or refuses a new one, for another reason.
        """
        assert self._work is not None, "the client is used as `async with TranscriptionClient(...) as client`"
        while True:
            while not self._events.empty():
                yield self._events.get_nowait()
            if self._work.done():
                await self._work
                return
            coming = asyncio.create_task(self._events.get())
            try:
                await asyncio.wait({coming, self._work}, return_when=asyncio.FIRST_COMPLETED)
                if coming.done():
                    yield coming.result()
            finally:
                coming.cancel()

    def _check(self) -> None:
        """Raise what ended the session."""
        if self._work is None or not self._work.done():
            return
        if (error := self._work.exception()) is not None:
            raise error
        raise ServerError("the session is finished; no more audio can be sent")

    async def _until_room(self) -> None:
        assert self._work is not None
        room = asyncio.create_task(self._room.wait())
        try:
            await asyncio.wait({room, self._work}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            room.cancel()
        self._check()

    async def _run(self) -> None:
        """The stream over as many connections as it takes."""
        connection = await self._connect()
        outage: _Outage | None = None
        while True:
            began = time.monotonic()
            if await self._serve(connection):
                return
            await self._until_wanted()
            # A server without a place may keep a client waiting for one: that does not end an outage.
            if outage is None or (self._was_served and time.monotonic() - began > LASTING_SECONDS):
                outage = _Outage(time.monotonic() + self._reconnect_seconds, waits())
            elif time.monotonic() > outage.deadline:
                raise self._gone(self._refusal or f"{self._url} ends every connection after a moment")
            connection = await self._reconnect(outage)

    async def _connect(self) -> ClientConnection:
        address = self._url
        try:
            return await connect(
                f"{address}?{self._protocol.query}",
                additional_headers=self._headers,
                open_timeout=OPEN_SECONDS,
                max_size=None,
                compression=None,
            )
        except InvalidStatus as error:
            raise refused_upgrade(address, error.response.status_code, error.response.body) from error
        except (TimeoutError, InvalidHandshake, InvalidURI, EOFError) as error:
            raise ServerUnreachableError(f"{address} does not answer as a WebSocket server does: {error}") from error
        except OSError as error:
            raise ServerUnreachableError(f"cannot connect to {address}: {_reason(error)}") from error

    async def _reconnect(self, outage: _Outage) -> ClientConnection:
        """Try until the time is up; a refusal by the server ends it at once."""
        for wait in outage.waits:
            await asyncio.sleep(wait)
            try:
                return await self._connect()
            except ServerUnreachableError as error:
                if time.monotonic() > outage.deadline:
                    raise self._gone(str(error)) from error
        raise AssertionError("unreachable: the waits have no end")

    async def _until_wanted(self) -> None:
        """Wait until there is something to open a connection for."""
        while self._protocol.is_dormant:
            self._to_send.clear()
            await self._to_send.wait()

    def _gone(self, reason: str) -> ServerUnreachableError:
        return ServerUnreachableError(
            f"the connection was lost and did not come back in {self._reconnect_seconds:g} s: {reason}"
        )

    async def _serve(self, connection: ClientConnection) -> bool:
        """Read and write until the stream is finished (True) or another connection is needed (False)."""
        self._refusal, self._was_served = "", False
        reading = asyncio.create_task(self._read(connection), name="read")
        writing = asyncio.create_task(self._write(connection), name="write")
        try:
            await asyncio.wait({reading, writing}, return_when=asyncio.FIRST_COMPLETED)
            if not reading.done() and not isinstance(writing.exception(), ConnectionClosed):
                await writing
            return await reading
        except ConnectionClosed as error:
            told = error.rcvd
            await self._tell(self._protocol.disconnected(told.code if told else None, told.reason if told else ""))
            return False
        except WavescribeError as error:
            await self._tell(self._protocol.refused(error))
            self._refusal = str(error)
            return False
        finally:
            reading.cancel()
            writing.cancel()
            await asyncio.gather(reading, writing, return_exceptions=True)
            await connection.close()

    async def _read(self, connection: ClientConnection) -> bool:
        while not self._protocol.is_finished:
            events = self._protocol.receive(await connection.recv())
            self._was_served = self._was_served or self._protocol.session_is_open
            await self._tell(events)
        return True

    async def _tell(self, events: Iterable[Event]) -> None:
        """Wake whoever waits for what may have changed, and give the events."""
        if self._protocol.is_open:
            self._opened.set()
        if not self._protocol.is_full:
            self._room.set()
        self._to_send.set()
        for event in events:
            await self._events.put(event)

    async def _write(self, connection: ClientConnection) -> None:
        while True:
            self._to_send.clear()
            while (frame := self._protocol.next_frame()) is not None:
                await connection.send(frame)
            await self._to_send.wait()


def _reason(error: OSError) -> str:
    """What the system says, without its numbers."""
    if isinstance(error, ssl.SSLError):
        return str(error)  # its number is not one of the system's
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error) or type(error).__name__
