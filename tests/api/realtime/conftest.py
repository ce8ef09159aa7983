"""A session's dialect without a stream, and a whole session over a scripted one."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache
from typing import Any, cast

import numpy as np
import pytest
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter

from wavescribe.api.models import ServedModels
from wavescribe.api.realtime.actions import Action, EndSession
from wavescribe.api.realtime.client_events import parse_client_event
from wavescribe.api.realtime.dialect import Engine, RealtimeDialect, Style
from wavescribe.api.realtime.server_events import Frame
from wavescribe.api.realtime.session import RealtimeSession
from wavescribe.api.realtime.session_configuration import SessionConfiguration
from wavescribe.engines.base import Samples
from wavescribe.serving.inbox import Clear, Configure, EndTurn, Finish, Inbox, Mark
from wavescribe.serving.live_service import LiveService, StreamOptions
from wavescribe.serving.live_stream import BufferOverflowError
from wavescribe.streaming.events import (
    Draft,
    Event,
    Reconfigured,
    Settled,
    SettledWord,
    SpeechStarted,
    SpeechStopped,
    TurnCleared,
    TurnCommitted,
    TurnEnded,
    TurnFailed,
)
from wavescribe.streaming.parameters import StreamParameters

RATE = 16_000

Json = dict[str, Any]


@cache
def sdk_events() -> TypeAdapter[Any]:
    """The server events of the OpenAI SDK."""
    return TypeAdapter(RealtimeServerEvent)


class Conversation:
    """One session; every frame is checked as it comes.

    Attributes:
        dialect: the session's translator.
        frames: the server's events so far.
        actions: what was wanted of the stream so far.
        of_the_sdk: whether every event is one that the OpenAI SDK knows.
    """

    def __init__(
        self, style: Style = "openai", *, detecting: bool = False, of_the_sdk: bool = True, **dialect: Any
    ) -> None:
        configuration = SessionConfiguration.of_model("whisper-1" if detecting else "gpt-realtime-whisper")
        engine = Engine(RATE, ("en", "de"), ServedModels("whisper-base").check)
        self.dialect = RealtimeDialect("sess_x", configuration, engine, style=style, **dialect)
        self.of_the_sdk = of_the_sdk
        self.frames: list[Json] = []
        self.actions: list[Action] = []

    def open(self) -> Json:
        [opened] = self._check(self.dialect.opened())
        return opened

    def send(self, kind: str, **fields: object) -> list[Json]:
        """The frames that answer a client's event at once."""
        return self.send_frame(json.dumps({"type": kind, **fields}))

    def send_frame(self, frame: str | bytes) -> list[Json]:
        event = parse_client_event(frame, self.dialect.audio_format)
        frames: list[Frame] = []
        for step in self.dialect.apply(event):
            if isinstance(step, Frame):
                frames.append(step)
            else:
                self.actions.append(step)
        return self._check(frames)

    def update(self, **sections: object) -> list[Json]:
        """The answer to an update of sections of `audio.input`."""
        return self.send("session.update", session={"type": "transcription", "audio": {"input": sections}})

    def append(self, seconds: float) -> list[Json]:
        """The answer to audio of a length, in the session's format."""
        audio_format = self.dialect.audio_format
        data = bytes(round(seconds * audio_format.rate) * audio_format.bytes_per_sample)
        return self.send("input_audio_buffer.append", audio=base64.b64encode(data).decode())

    def commit(self, **fields: object) -> list[Json]:
        return self.send("input_audio_buffer.commit", **fields)

    def core(self, *events: Event) -> list[Json]:
        """The frames of events of the core."""
        return self._check([frame for event in events for frame in self.dialect.render(event)])

    def core_ends(self, turn: int, *deltas: str, start: float = 0.0, end: float = 1.0) -> list[Json]:
        """The frames of a turn's end in the core, in seconds."""
        first, last = round(start * RATE), round(end * RATE)
        settled = [Settled(turn, text, (SettledWord(text, first, last, 0.5),), "en", last) for text in deltas]
        return self.core(
            TurnCommitted(turn, first, last), *settled, TurnEnded(turn, "".join(deltas), "en", first, last)
        )

    def _check(self, frames: list[Frame]) -> list[Json]:
        events: list[Json] = []
        for frame in frames:
            assert len(frame.text.encode()) < 2**20
            event = json.loads(frame.text)
            assert event["event_id"] == frame.event_id
            if self.of_the_sdk:
                assert sdk_events().validate_python(event).type == event["type"]
            events.append(event)
        self.frames += events
        assert len({frame["event_id"] for frame in self.frames}) == len(self.frames)
        return events


WORD = RATE // 2
DETECTED_TURN = 2 * RATE
FAILING = 7
"""Every turn of a number that this divides with 3 left over fails."""


class ScriptedCore:
    """Hears a word in every half second; with turn detection a turn ends after two seconds."""

    def __init__(self, detecting: bool) -> None:
        self._detecting = detecting
        self._received = self._heard = self._start = self._turn = 0
        self._speaking = False
        self._transcript = ""

    def take(self, entry: Samples | Mark) -> Iterator[Event]:
        match entry:
            case EndTurn(0.0):
                yield from self._end(self._received)
            case Clear():
                yield TurnCleared(self._turn, self._received)
                self._begin(self._received)
            case Configure(parameters=parameters):
                self._detecting = parameters.turn_detection is not None
                yield Reconfigured(self._turn)
            case np.ndarray():
                self._received += len(entry)
                yield from self._hear()

    def _hear(self) -> Iterator[Event]:
        while self._received - self._heard >= WORD:
            if self._detecting and not self._speaking:
                self._speaking = True
                yield SpeechStarted(self._turn, self._start)
            self._heard += WORD
            yield self._settle()
            if self._detecting and self._heard - self._start >= DETECTED_TURN:
                yield from self._end(self._heard)
        yield Draft(self._turn, " maybe", self._received)

    def _settle(self) -> Settled:
        delta = f" w{self._turn}.{self._heard // WORD}"
        self._transcript += delta
        word = SettledWord(delta.strip(), self._heard - WORD, self._heard, 0.9)
        return Settled(self._turn, delta, (word,), "en", self._heard)

    def _end(self, position: int) -> Iterator[Event]:
        if self._speaking:
            yield SpeechStopped(self._turn, position)
        yield TurnCommitted(self._turn, self._start, position)
        if position > self._heard:
            yield self._settle()
        if self._turn % FAILING == 3:
            yield TurnFailed(self._turn, "internals", self._start, position)
        else:
            yield TurnEnded(self._turn, self._transcript, "en", self._start, position)
        self._begin(position)

    def _begin(self, position: int) -> None:
        self._turn, self._start, self._heard = self._turn + 1, position, position
        self._speaking, self._transcript = False, ""


class ScriptedStream:
    """A live stream whose core takes an entry only when the test lets it."""

    def __init__(self, detecting: bool, most_seconds: float) -> None:
        self._inbox = Inbox(RATE)
        self._core = ScriptedCore(detecting)
        self._most = round(most_seconds * RATE)
        self._steps = asyncio.Semaphore(0)
        self.fed = 0
        self.failure: Exception | None = None

    def feed(self, samples: Samples) -> None:
        assert np.isfinite(samples).all()
        if self._inbox.waiting_samples + len(samples) > self._most:
            raise BufferOverflowError("too much")
        self.feed_anyway(samples)

    def feed_anyway(self, samples: Samples) -> None:
        self.fed += len(samples)
        self._inbox.put(samples)

    def end_turn(self) -> None:
        self._inbox.put(EndTurn(0.0))

    def clear(self, *, unheard: bool = True) -> None:
        if unheard:
            self._inbox.drop_last_audio()
        self._inbox.put(Clear())

    def configure(self, parameters: StreamParameters) -> None:
        self._inbox.put(Configure(parameters))

    def finish(self) -> None:
        self._inbox.put(Finish())

    def let(self, steps: int) -> None:
        for _ in range(steps):
            self._steps.release()

    async def run(self) -> AsyncIterator[Event]:
        while True:
            await self._steps.acquire()
            entry = await self._inbox.take()
            if self.failure is not None:
                raise self.failure
            if isinstance(entry, Finish):
                return
            for event in self._core.take(entry):
                yield event


class ScriptedService:
    sample_rate = RATE

    def __init__(self, most_seconds: float = 10_000.0) -> None:
        self._most_seconds = most_seconds
        self.streams: list[ScriptedStream] = []
        self.counted: list[str] = []

    def stream(self, options: StreamOptions) -> ScriptedStream:
        self.streams.append(ScriptedStream(options.turn_detection is not None, self._most_seconds))
        return self.streams[-1]

    def count_cut(self, limit: str) -> None:
        self.counted.append(limit)

    def count_failed(self) -> None:
        self.counted.append("failed")

    def parameters(self, options: StreamOptions) -> StreamParameters:
        return StreamParameters(turn_detection=options.turn_detection)


class Client:
    """A session at work and all that it sends."""

    def __init__(self, style: Style = "openai", *, detecting: bool = False, most_seconds: float = 10_000.0) -> None:
        self.service = ScriptedService(most_seconds)
        configuration = SessionConfiguration.of_model("whisper-1" if detecting else "gpt-realtime-whisper")
        engine = Engine(RATE, ("en", "de"), ServedModels("whisper-base").check)
        self.dialect = RealtimeDialect("sess_x", configuration, engine, style=style)
        self.session = RealtimeSession(self.dialect, cast("LiveService", self.service))
        self.frames: list[Json] = []

    @property
    def stream(self) -> ScriptedStream:
        return self.service.streams[0]

    async def send(self, kind: str, **fields: object) -> None:
        await self.session.receive(json.dumps({"type": kind, **fields}))

    async def append(self, seconds: float, **fields: object) -> None:
        audio = base64.b64encode(bytes(2 * round(seconds * self.dialect.audio_format.rate))).decode()
        await self.send("input_audio_buffer.append", audio=audio, **fields)

    async def read(self) -> None:
        while True:
            frame = await self.session.outbox.take()
            frame.text.encode()
            self.frames.append(json.loads(frame.text))

    def kinds(self) -> list[str]:
        return [frame["type"].rsplit(".", 1)[-1] for frame in self.frames]

    def of(self, ending: str) -> list[Json]:
        return [frame for frame in self.frames if frame["type"].endswith(ending)]


@asynccontextmanager
async def at_work(client: Client) -> AsyncIterator[Client]:
    """The session works and its client reads; in the end it finishes and is read to its last frame."""
    client.session.open()
    work, reader = asyncio.create_task(client.session.run()), asyncio.create_task(client.read())
    try:
        yield client
        client.session.finish(EndSession())
        client.stream.let(1_000_000)
        await work
        await client.session.outbox.until_empty()
    finally:
        for task in (work, reader):
            task.cancel()
        await asyncio.gather(work, reader, return_exceptions=True)
        await client.session.close()


@pytest.fixture
def converse() -> Callable[..., Conversation]:
    """Make a session."""
    return Conversation


@pytest.fixture
def connect() -> Callable[..., AbstractAsyncContextManager[Client]]:
    """Make a session over a scripted stream; it is at work while the context is open."""

    def connected(*of: Any, **client: Any) -> AbstractAsyncContextManager[Client]:
        return at_work(Client(*of, **client))

    return connected


@pytest.fixture
def client() -> Client:
    """A session over a scripted stream that nobody works on yet."""
    return Client()
