"""The client's state machine against the server's own dialect, over connections that are cut anywhere."""

from __future__ import annotations

import json
from collections import deque
from urllib.parse import parse_qs

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wavescribe.api.realtime.actions import ClearAudio, CommitTurn, ConfigureStream, FeedAudio
from wavescribe.api.realtime.client_events import parse_client_event
from wavescribe.api.realtime.dialect import Engine, RealtimeDialect
from wavescribe.api.realtime.server_events import Frame, error_frame, frame
from wavescribe.api.realtime.session_configuration import SessionConfiguration
from wavescribe.client.events import (
    Draft,
    Event,
    Settled,
    SpeechStarted,
    SpeechStopped,
    TurnEnded,
    TurnFailed,
    with_spaces,
)
from wavescribe.client.protocol import ClientProtocol
from wavescribe.client.session_options import SessionOptions
from wavescribe.engines.base import Word
from wavescribe.errors import (
    AuthenticationError,
    InvalidRequestError,
    ModelNotFoundError,
    OverloadedError,
    ServerError,
    SessionLostError,
)
from wavescribe.streaming import events as core

RATE = 8_000
MANUAL = SessionOptions(sample_rate=RATE, silence_ms=None)


class Server:
    """The server's side of one session: what was heard, where turns ended, what was answered.

    Its stream is left out, but for the events by which the core answers commands; where turns are detected, tests
    tell them.
    """

    def __init__(self) -> None:
        engine = Engine(16_000, ("en",), lambda _: None)
        self.dialect = RealtimeDialect("sess_1", SessionConfiguration.of_model("m"), engine)
        self.frames: list[Frame] = list(self.dialect.opened())
        self.heard: list[float] = []
        self.commits: list[int] = []
        self.turn = 0

    def take(self, text: str) -> None:
        event = parse_client_event(text, self.dialect.audio_format, self.dialect.client_events)
        for step in self.dialect.apply(event):
            detecting = self.dialect.configuration.turn_detection is not None
            match step:
                case Frame():
                    self.frames.append(step)
                case FeedAudio(samples=samples):
                    self.heard += samples.tolist()
                case ConfigureStream():
                    self.tell(core.Reconfigured(0))
                case CommitTurn() if not detecting:
                    self._end_turn()
                case ClearAudio() if not detecting:
                    self.tell(core.TurnCleared(self.turn, 0))
                    self.turn += 1

    def _end_turn(self) -> None:
        self.tell(core.TurnCommitted(self.turn, 0, 0))
        self.tell(core.TurnEnded(self.turn, "", "en", 0, 0))
        self.turn += 1
        self.commits.append(len(self.heard))

    def tell(self, event: core.Event) -> None:
        self.frames += self.dialect.render(event)


class Link:
    """One session over connections in memory; frames are on their way until they are moved."""

    def __init__(self, protocol: ClientProtocol) -> None:
        self.client, self.server = protocol, Server()
        self.events: list[Event] = []
        self._to_server: deque[str] = deque()
        self._to_client: deque[Frame] = deque()
        self._given = 0
        self.connect()

    def connect(self) -> None:
        query = parse_qs(self.client.query)
        self._given = 0
        if "session_id" in query:
            ids = [sent.event_id for sent in self.server.frames]
            self._given = ids.index(query["after"][0]) + 1 if "after" in query else 0
            received = round(1000 * self.server.dialect.received_seconds, 3)
            self._to_client.append(frame("session.resumed", session_id="sess_1", audio_received_ms=received))

    def cut(self) -> None:
        self._to_server.clear()
        self._to_client.clear()
        self.client.disconnected(None, "")
        self.connect()

    def to_server(self, most: int = 1_000_000) -> None:
        while most and (text := self.client.next_frame()) is not None:
            self._to_server.append(text)
            most -= 1
        while self._to_server:
            self.server.take(self._to_server.popleft())

    def take_without_delivery(self, most: int) -> None:
        while most and (text := self.client.next_frame()) is not None:
            self._to_server.append(text)
            most -= 1

    def to_client(self, most: int = 1_000_000) -> None:
        self._to_client += self.server.frames[self._given :]
        self._given = len(self.server.frames)
        while most and self._to_client:
            if (event := self.client.receive(self._to_client.popleft().text)) is not None:
                self.events.append(event)
            most -= 1

    def settle(self) -> None:
        for _ in range(6):
            self.to_client()
            self.to_server()


def pcm(count: int, first: int = 0) -> bytes:
    return np.arange(first, first + count, dtype="<i2").tobytes()


def as_heard(count: int) -> list[float]:
    return [sample / 32_768 for sample in range(count)]


def open_link(options: SessionOptions = MANUAL, buffer_seconds: float = 60) -> Link:
    link = Link(ClientProtocol(options, buffer_seconds))
    link.settle()
    assert link.client.is_open
    return link


moves = st.lists(
    st.one_of(
        st.tuples(st.just("speak"), st.integers(1, 3_000)),
        st.tuples(st.just("commit"), st.just(0)),
        st.tuples(st.just("send"), st.integers(1, 9)),
        st.tuples(st.just("lose"), st.integers(0, 9)),
        st.tuples(st.just("read"), st.integers(1, 9)),
    ),
    max_size=40,
)


@settings(deadline=None)
@given(moves)
def test_wherever_connections_are_cut_the_server_hears_everything_once_and_every_turn_ends_where_it_was_told(
    drawn: list[tuple[str, int]],
) -> None:
    link = Link(ClientProtocol(MANUAL, buffer_seconds=1))
    spoken, commits = 0, [0]
    for move, number in drawn:
        match move:
            case "speak":
                link.client.feed(pcm(number, spoken))
                spoken += number
            case "commit":
                link.client.commit()
                if spoken - commits[-1] >= RATE // 10:
                    commits.append(spoken)
            case "send":
                link.to_server(number)
            case "lose":
                link.take_without_delivery(number)
                link.cut()
            case "read":
                link.to_client(number)
    link.client.finish()
    if spoken - commits[-1] >= RATE // 10:
        commits.append(spoken)
    link.settle()
    assert link.client.is_finished
    assert link.server.heard == as_heard(spoken)
    assert link.server.commits == commits[1:]
    assert [event.turn for event in link.events if isinstance(event, TurnEnded)] == list(range(len(commits) - 1))


def test_audio_is_kept_until_the_server_is_known_to_have_it_and_then_makes_room() -> None:
    link = open_link(buffer_seconds=2)
    link.client.feed(pcm(2 * RATE))
    assert link.client.is_full
    link.to_server()
    assert link.client.is_full
    link.to_client()
    assert not link.client.is_full


def test_the_questions_about_what_was_received_change_nothing_for_the_server() -> None:
    link = open_link(buffer_seconds=1)
    before = link.server.dialect.configuration
    link.client.feed(pcm(3 * RATE))
    link.settle()
    assert link.server.dialect.configuration == before
    assert link.events == []


def test_nothing_is_sent_before_the_greeting_and_no_audio_before_the_configuration_is_accepted() -> None:
    client = ClientProtocol(MANUAL, 60)
    client.feed(pcm(100))
    assert client.next_frame() is None
    client.receive(frame("session.created", session={"id": "sess_1"}).text)
    first = client.next_frame()
    assert first is not None
    assert json.loads(first)["type"] == "session.update"
    assert client.next_frame() is None


def test_the_configuration_asks_for_what_the_options_say() -> None:
    wanted = SessionOptions("m", "en", "A prompt.", ("Kubernetes",), "low", 24_000, 700)
    configuration = open_link(wanted).server.dialect.configuration
    assert configuration.format.rate == 24_000
    assert configuration.transcription is not None
    assert configuration.transcription.language == "en"
    assert configuration.transcription.prompt == "A prompt."
    assert configuration.transcription.keywords == ("Kubernetes",)
    assert configuration.transcription.delay == "low"
    assert "silence_duration_ms=700" in repr(configuration.turn_detection)


def test_a_sample_rate_that_the_protocol_does_not_have_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="sample rate 11025 cannot be sent; use one of 8000, 16000"):
        SessionOptions(sample_rate=11_025)


def test_events_of_the_core_come_out_typed_with_times_in_seconds() -> None:
    link = open_link(SessionOptions(sample_rate=16_000))
    link.client.feed(pcm(16_000))
    link.settle()
    for event in (
        core.SpeechStarted(0, 4_000),
        core.Draft(0, " Hello", 12_000),
        core.Settled(0, " Hello", (core.SettledWord(" Hello", 5_000, 9_000, 0.5),), "en", 12_000),
        core.SpeechStopped(0, 14_000),
        core.TurnCommitted(0, 4_000, 14_000),
        core.TurnEnded(0, " Hello", "en", 4_000, 14_000),
        core.TurnCommitted(1, 14_000, 16_000),
        core.TurnFailed(1, "lost", 14_000, 16_000),
    ):
        link.server.tell(event)
    link.settle()
    failed = link.events.pop()
    assert isinstance(failed, TurnFailed)
    assert failed.turn == 1
    assert link.events == [
        SpeechStarted(0, 0.25),
        Draft(0, " Hello"),
        Settled(0, " Hello", (Word(" Hello", 0.312, 0.562, 0.5),)),
        SpeechStopped(0, 0.875),
        TurnEnded(0, " Hello", "en", 0.25, 0.875),
    ]


def test_words_have_the_spaces_of_their_delta_so_that_their_join_is_the_delta() -> None:
    words = [Word(text, 0, 1, 1) for text in ("the", "th", "日", "本。", "the")]
    spaced = with_spaces(" the th 日本。 the", words)
    assert [word.text for word in spaced] == [" the", " th", " 日", "本。", " the"]


def test_a_stream_whose_turns_are_detected_is_finished_when_the_server_has_come_to_its_end() -> None:
    link = open_link(SessionOptions(sample_rate=16_000))
    link.client.feed(pcm(16_000))
    link.client.finish()
    link.settle()
    assert not link.client.is_finished
    link.server.tell(core.TurnCommitted(0, 0, 16_000))
    link.server.tell(core.TurnCleared(1, 16_000))
    link.settle()
    assert not link.client.is_finished
    link.server.tell(core.TurnEnded(0, "", "en", 0, 16_000))
    link.settle()
    assert link.client.is_finished


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("too_many_sessions", OverloadedError),
        ("model_not_found", ModelNotFoundError),
        ("invalid_api_key", AuthenticationError),
        ("session_not_found", SessionLostError),
        ("event_not_found", SessionLostError),
        ("invalid_value", ServerError),
    ],
)
def test_a_refusal_is_raised_in_the_servers_words(code: str, expected: type[Exception]) -> None:
    client = ClientProtocol(MANUAL, 60)
    with pytest.raises(expected, match="These are the words"):
        client.receive(error_frame("These are the words.", code=code).text)


def test_an_error_that_ends_the_session_is_raised_when_its_last_events_have_come() -> None:
    link = open_link()
    link.client.receive(error_frame("Your session hit the maximum duration.", code="session_expired").text)
    with pytest.raises(ServerError, match="maximum duration"):
        link.client.disconnected(1001, "")


def test_a_server_that_stops_ends_the_session_and_a_lost_connection_does_not() -> None:
    client = open_link().client
    client.disconnected(None, "")
    with pytest.raises(SessionLostError, match="stopping"):
        client.disconnected(1012, "")
    with pytest.raises(ServerError, match="code 1009: too big"):
        client.disconnected(1009, "too big")
