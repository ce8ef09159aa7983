"""A stream over sessions that end anywhere: who reads its events reads every word once, in its place."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wavescribe.client.events import Draft, SessionRenewed, Settled, SpeechStarted, TurnEnded
from wavescribe.client.session_options import SessionOptions
from wavescribe.client.stream_protocol import StreamProtocol
from wavescribe.errors import (
    AuthenticationError,
    ModelNotFoundError,
    OverloadedError,
    ServerError,
    SessionLostError,
    WavescribeError,
)


def assert_one_stream(world: Any) -> None:
    """Every word is told once, in its place, in turns that are numbered through, follow each other and join."""
    assert list(world.words()) == world.in_their_places()
    ended = [event for event in world.events if isinstance(event, TurnEnded)]
    assert [event.turn for event in ended] == list(range(len(ended)))
    assert all(first.start <= first.end <= second.start <= second.end for first, second in pairwise(ended))
    for event in ended:
        deltas = [told.delta for told in world.events if isinstance(told, Settled) and told.turn == event.turn]
        assert "".join(deltas) == event.transcript
    turns = [event.turn for event in world.events if isinstance(event, Settled | SpeechStarted | Draft)]
    assert turns == sorted(turns)


ends = st.sampled_from(["expire", "restart", "vanish", "cut"])
refusals = st.lists(st.sampled_from(["too_many_sessions", "draining"]), max_size=2)
moves = st.lists(
    st.one_of(
        st.tuples(st.just("speak"), st.lists(st.sampled_from([0, 1, 1]), min_size=1, max_size=9)),
        st.tuples(st.just("send"), st.integers(1, 9)),
        st.tuples(st.just("read"), st.integers(1, 9)),
        st.tuples(st.just("exchange"), st.none()),
        st.tuples(st.just("commit"), st.none()),
        st.tuples(ends, refusals),
    ),
    max_size=30,
)


@settings(deadline=None, max_examples=300)
@given(drawn=moves, ends_of_the_last=st.lists(ends, max_size=2), detecting=st.booleans())
def test_wherever_sessions_end_every_word_is_told_once_in_its_place(
    open_world: Any, drawn: list[tuple[str, Any]], ends_of_the_last: list[str], detecting: bool
) -> None:
    world = open_world(buffer_seconds=2, detecting=detecting)
    for move, what in drawn:
        match move:
            case "speak":
                world.speak(what)
            case "send":
                world.to_server(what)
            case "read":
                world.to_client(what)
            case "exchange":
                world.exchange()
            case "commit" if not detecting:
                world.commit()
            case "commit":
                pass
            case _:
                world.refusals = list(what)
                world.end(move)
    world.exchange()
    world.stream.finish()
    for end in ends_of_the_last:
        world.to_server(2)
        world.end(end)
        assert not world.stream.is_dormant
    world.exchange()
    assert world.stream.is_finished
    assert_one_stream(world)
    assert world.commits <= {event.end for event in world.events if isinstance(event, TurnEnded)}
    assert all(renewed.lost_seconds == 0 for renewed in world.renewals())


@pytest.mark.parametrize("how", ["expire", "restart", "vanish"])
def test_an_open_turn_ends_after_its_last_settled_word_and_the_rest_is_heard_again(open_world: Any, how: str) -> None:
    world = open_world()
    world.speak([0, 1, 1, 1])
    world.exchange()
    world.end(how)
    world.exchange()
    world.speak([1])
    world.finish()
    kinds = (TurnEnded, SessionRenewed)
    settled = 3 if how == "vanish" else 3 + 1
    assert [event for event in world.events if isinstance(event, kinds)] == [
        TurnEnded(0, "".join(f" w{word}" for word in range(2, settled)), "", 0.25, (settled - 1) / 4),
        SessionRenewed((settled - 1) / 4, 0.0),
        TurnEnded(1, "".join(f" w{word}" for word in range(settled, 6)), "", (settled - 1) / 4, 1.25),
    ]


def test_the_next_session_hears_the_words_before_the_seam_for_a_second_and_a_half(open_world: Any) -> None:
    world = open_world()
    world.speak([0] + [1] * 11)
    world.exchange()
    world.end("vanish")
    world.exchange()
    assert world.server.heard == [5, 6, 7, 8, 9, 10, 11, 12]
    assert world.renewals() == [SessionRenewed(10 / 4, 0.0)]
    world.finish()
    assert_one_stream(world)


def test_text_without_times_is_heard_again_from_the_start_of_its_turn_so_that_none_is_lost(open_world: Any) -> None:
    world = open_world(times=False)
    world.speak([0, 1, 1, 1, 0, 0, 1, 1, 1])
    world.exchange()
    world.end("vanish")
    world.exchange()
    world.finish()
    assert world.transcripts() == [" w2 w3 w4", " w7", " w7 w8 w9"]


def test_what_is_not_kept_any_more_is_told_once_as_lost_and_times_stay_right(open_world: Any) -> None:
    world = open_world(buffer_seconds=1, keep_seconds=2)
    world.speak([0, 1])
    for _ in range(20):
        world.speak([0])
        world.exchange()
    world.speak([1, 1])
    world.refusals = ["draining", "too_many_sessions"]
    world.end("restart")
    world.exchange()
    assert world.renewals() == [SessionRenewed(16 / 4, (16 - 3) / 4)]
    world.end("vanish")
    world.exchange()
    assert world.renewals()[1:] == [SessionRenewed(22 / 4, 0.0)]
    world.finish()
    assert_one_stream(world)


def test_a_session_that_expires_in_silence_has_heard_it_and_the_next_one_does_not(open_world: Any) -> None:
    world = open_world(buffer_seconds=1, keep_seconds=2)
    world.speak([0, 1])
    for _ in range(20):
        world.speak([0])
        world.exchange()
    world.end("expire")
    world.exchange()
    (renewed,) = world.renewals()
    assert renewed.lost_seconds == 0
    assert renewed.time == 22 / 4 - 1.0  # speech that had just begun would not have been told yet
    assert len(world.server.heard) <= 7


@pytest.mark.parametrize(
    ("detecting", "turns_are_open", "code"), [(True, True, 1001), (True, False, None), (False, False, 1001)]
)
def test_silence_is_only_what_a_server_that_detects_turns_has_heard_to_the_end(
    open_world: Any, detecting: bool, turns_are_open: bool, code: int | None
) -> None:
    world = open_world(buffer_seconds=1, detecting=detecting)
    if turns_are_open:
        world.speak([0, 1, 1])
        world.exchange()
    world.server.work = lambda end: None  # it takes audio, and is not through with it
    for _ in range(20):
        world.speak([1])
        world.exchange()
    world.server.fail("session_expired")
    world.to_client()
    world.events += world.stream.disconnected(code, "")
    world.connect()
    world.exchange()
    world.finish()
    assert_one_stream(world)


def test_audio_that_text_covers_is_kept_no_longer(open_world: Any) -> None:
    world = open_world()
    for _ in range(40):
        world.speak([1])
        world.exchange()
    assert world.stream.kept_seconds <= 2.0  # a word that is not settled, one on its way, and the lead-in


def test_a_sender_that_waits_for_room_is_not_waited_for(open_world: Any) -> None:
    world = open_world(buffer_seconds=1)
    world.speak([1] * 8)
    for _ in range(3):
        assert world.stream.is_full
        assert not world.stream.is_dormant
        world.end("expire")
    world.exchange()
    world.finish()
    assert_one_stream(world)


def test_a_session_that_expires_unused_is_renewed_only_when_there_is_something_to_send(open_world: Any) -> None:
    world = open_world()
    world.speak([0, 1])
    world.exchange()
    world.end("expire")
    assert not world.stream.is_dormant
    world.exchange()
    world.end("expire")
    assert world.stream.is_dormant
    world.speak([1])
    assert not world.stream.is_dormant
    world.exchange()
    world.end("expire")
    world.exchange()
    world.end("expire")
    assert world.stream.is_dormant
    world.finish()
    assert not world.stream.is_dormant
    assert_one_stream(world)


@pytest.mark.parametrize(
    "error",
    [
        AuthenticationError("Incorrect API key provided.", code="invalid_api_key"),
        ModelNotFoundError("There is no such model.", code="model_not_found"),
        ServerError("Invalid value.", code="invalid_value"),
        ServerError("The server failed.", code="internal_error"),
    ],
)
def test_a_refusal_that_will_not_go_away_ends_the_stream(open_world: Any, error: WavescribeError) -> None:
    world = open_world()
    world.end("cut")
    with pytest.raises(type(error), match=str(error)):
        world.stream.refused(error)


@pytest.mark.parametrize(
    "error", [OverloadedError("Full."), ServerError("Stopping.", code="draining"), SessionLostError("No session.")]
)
def test_before_a_session_was_open_every_refusal_ends_the_stream(error: WavescribeError) -> None:
    stream = StreamProtocol(SessionOptions(), 60, 600)
    with pytest.raises(type(error), match=str(error)):
        stream.refused(error)
