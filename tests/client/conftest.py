from __future__ import annotations

import base64
import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest

from wavescribe.client.events import Event, SessionRenewed, Settled, TurnEnded
from wavescribe.client.session_options import SessionOptions
from wavescribe.client.stream_protocol import StreamProtocol
from wavescribe.errors import WavescribeError

RATE = 8_000
BLOCK = RATE // 4
"""Samples of a word, or of the silence that ends a turn."""

TRANSCRIPTION = "conversation.item.input_audio_transcription"
BUFFER = "input_audio_buffer"
CLOSE_CODES = {"session_expired": 1001, "draining": 1012, "too_many_sessions": 1013}


@dataclass
class FakeSession:
    """A server's side: hears blocks that say which word they are, and settles a word when the next block has come.

    Args:
        id: of the session.
        detecting: whether silence ends turns; else only commits do.
        times: whether words have times.
    """

    id: str
    detecting: bool = True
    times: bool = True
    frames: list[dict[str, Any]] = field(default_factory=list)
    heard: list[int] = field(default_factory=list)
    draft: list[tuple[int, int]] | None = None
    """The words of the open turn that have not settled, and their blocks."""
    text: str = ""
    turns: int = 0
    position: int = 0
    """Blocks that were worked off."""
    start: int = 0
    """Block where the open turn begins."""
    ending: bool = False

    def send(self, kind: str, **fields: Any) -> None:
        self.frames.append({"type": kind, "event_id": f"event_{len(self.frames)}", **fields})

    def take(self, text: str) -> None:
        message = json.loads(text)
        if self.ending:
            return
        match message["type"]:
            case "session.update":
                self.send("session.updated")
            case "input_audio_buffer.append":
                self.heard += np.frombuffer(base64.b64decode(message["audio"]), dtype="<i2")[::BLOCK].tolist()
                # All but the last block, whose words wait.
                self.work(len(self.heard) - 1)
            case "input_audio_buffer.commit":
                self.work(len(self.heard))
                if self.position == self.start:
                    self.fail("input_audio_buffer_commit_empty", event_id=message["event_id"])
                else:
                    self.end_turn()
            case "input_audio_buffer.clear":
                self.send(f"{BUFFER}.cleared")
            case "conversation.item.retrieve":
                self.fail("item_retrieve_invalid_item_id", event_id=message["event_id"])

    def fail(self, code: str, event_id: str | None = None) -> None:
        self.send("error", error={"message": f"The words of {code}.", "code": code, "event_id": event_id})

    def finish(self) -> None:
        """Work off what was heard; nothing more is taken."""
        self.work(len(self.heard))
        self.ending = True

    def work(self, end: int) -> None:
        while self.position < end:
            word, self.position = self.heard[self.position], self.position + 1
            if word:
                self.say(word)
            elif self.draft is not None and self.detecting:
                self.about("speech_stopped", audio_end_ms=250 * self.position)
                self.end_turn()
            elif self.detecting:
                self.start = self.position

    def say(self, word: int) -> None:
        if self.draft is None:
            self.draft = []
            if self.detecting:
                self.start = self.position - 1
                self.about("speech_started", audio_start_ms=250 * self.start)
        self.settle()
        self.draft.append((word, self.position - 1))
        self.about("text", text=self.text, stash=f" w{word}")

    def settle(self) -> None:
        for word, block in self.draft or ():
            place = {"word": f"w{word}", "start": block / 4, "end": (block + 1) / 4, "probability": 1.0}
            self.text += f" w{word}"
            self.about("delta", delta=f" w{word}", words=[place] if self.times else [])
        self.draft = []

    def end_turn(self) -> None:
        self.about("committed")
        self.settle()
        seconds = (self.position - self.start) / 4
        self.about("completed", transcript=self.text, usage={"type": "duration", "seconds": seconds})
        self.draft, self.text, self.start = None, "", self.position
        self.turns += 1

    def about(self, what: str, **fields: Any) -> None:
        prefix = TRANSCRIPTION if what in ("text", "delta", "completed") else BUFFER
        self.send(f"{prefix}.{what}", item_id=f"item_{self.turns}", **fields)


class World:
    """A stream, and the servers that it meets."""

    def __init__(self, stream: StreamProtocol, *, detecting: bool, times: bool) -> None:
        self.stream = stream
        self.events: list[Event] = []
        self.sessions: list[FakeSession] = []
        self.refusals: list[str] = []
        """Codes by which the next sessions are refused."""
        self.spoken: list[int] = []
        self.commits: set[float] = set()
        """Seconds where turns were ended that were not empty."""
        self._detecting, self._times = detecting, times
        self._given = 0
        self._last_id = -1

    @property
    def server(self) -> FakeSession:
        return self.sessions[-1]

    def connect(self) -> None:
        query = parse_qs(self.stream.query)
        if "session_id" in query:
            self.resume(query)
        elif self.refusals:
            self.refuse(self.refusals.pop(0))
        else:
            self.sessions.append(FakeSession(f"sess_{len(self.sessions)}", self._detecting, self._times))
            self.server.send("session.created", session={"id": self.server.id})
            self._given = 0

    def resume(self, query: dict[str, list[str]]) -> None:
        if query["session_id"][0] != self.server.id or self.server.ending:
            self.refuse("session_not_found")
            return
        ids = [sent["event_id"] for sent in self.server.frames]
        self._given = ids.index(query["after"][0]) + 1
        received = 1000 * len(self.server.heard) * BLOCK / RATE
        greeting = {"type": "session.resumed", "session_id": self.server.id, "audio_received_ms": received}
        self.events += self.stream.receive(json.dumps(greeting))

    def refuse(self, code: str) -> None:
        refused = FakeSession("refused")
        refused.fail(code)
        try:
            self.events += self.stream.receive(json.dumps(refused.frames[0]))
        except WavescribeError as error:
            self.events += self.stream.refused(error)
        else:
            self.events += self.stream.disconnected(CLOSE_CODES[code], "")
        self.connect()

    def speak(self, words: list[int]) -> None:
        for word in words:
            self.spoken.append(word and len(self.spoken) + 1)
            self.stream.feed(np.full(BLOCK, self.spoken[-1], dtype="<i2").tobytes())

    def commit(self) -> None:
        self.stream.commit()
        if self.spoken:
            self.commits.add(len(self.spoken) / 4)

    def to_server(self, most: int = 1_000_000) -> None:
        while most and (frame := self.stream.next_frame()) is not None:
            self.server.take(frame)
            most -= 1

    def to_client(self, most: int = 1_000_000) -> None:
        while most and self._given < len(self.server.frames):
            frame = self.server.frames[self._given]
            self._given += 1
            self.events += self.stream.receive(json.dumps(frame))
            most -= 1

    def exchange(self) -> None:
        for _ in range(4):
            self.to_client()
            self.to_server()
        self.to_client()

    def end(self, how: str) -> None:
        """The session ends."""
        match how:
            case "expire":
                self.server.fail("session_expired")
                self.server.finish()
                self.to_client()
                self.events += self.stream.disconnected(1001, "expired")
            case "restart":
                self.server.finish()
                self.to_client()
                self.events += self.stream.disconnected(1012, "restarting")
            case "vanish" | "cut":
                self.server.ending = how == "vanish"
                self.events += self.stream.disconnected(None, "")
        self.connect()

    def finish(self) -> None:
        self.stream.finish()
        self.exchange()
        assert self.stream.is_finished

    def words(self) -> Iterator[tuple[str, float, float]]:
        for event in self.events:
            for word in event.words if isinstance(event, Settled) else ():
                yield word.text, word.start, word.end

    def in_their_places(self) -> list[tuple[str, float, float]]:
        return [(f" w{word}", place / 4, (place + 1) / 4) for place, word in enumerate(self.spoken) if word]

    def transcripts(self) -> list[str]:
        return [event.transcript for event in self.events if isinstance(event, TurnEnded)]

    def renewals(self) -> list[SessionRenewed]:
        return [event for event in self.events if isinstance(event, SessionRenewed)]


def make_world(
    *, buffer_seconds: float = 60, keep_seconds: float = 600, detecting: bool = True, times: bool = True
) -> World:
    options = SessionOptions(sample_rate=RATE, silence_ms=500 if detecting else None)
    world = World(StreamProtocol(options, buffer_seconds, keep_seconds), detecting=detecting, times=times)
    world.connect()
    world.exchange()
    assert world.stream.is_open
    return world


@pytest.fixture(scope="session")
def open_world() -> Callable[..., World]:
    """A stream whose first session is open: (buffer_seconds=, keep_seconds=, detecting=, times=)."""
    return make_world


@pytest.fixture
def unused_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
