from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import cast

import pytest

from wavescribe.api.realtime.actions import EndSession
from wavescribe.api.realtime.dialect import Engine, RealtimeDialect
from wavescribe.api.realtime.registry import HeldSession, SessionRegistry
from wavescribe.api.realtime.session import RealtimeSession
from wavescribe.api.realtime.session_configuration import SessionConfiguration
from wavescribe.serving.live_service import LiveService, StreamOptions
from wavescribe.streaming.events import Event

NEVER = 3_600.0


class EndlessStream:
    """A stream that has nothing to say and takes its time to stop."""

    def __init__(self) -> None:
        self.stopping = asyncio.Event()
        self.stopped = False

    def finish(self) -> None:
        """It goes on all the same."""

    async def run(self) -> AsyncIterator[Event]:
        try:
            await asyncio.Event().wait()
            yield  # type: ignore[misc]
        finally:
            self.stopping.set()
            await asyncio.sleep(0.01)
            self.stopped = True


class EndlessService:
    sample_rate = 16_000

    def __init__(self) -> None:
        self.streams: list[EndlessStream] = []

    def stream(self, _: StreamOptions) -> EndlessStream:
        self.streams.append(EndlessStream())
        return self.streams[-1]


class Places:
    """Counts the places that are free again."""

    def __init__(self) -> None:
        self.freed: list[str] = []
        self.service = EndlessService()

    def hold(self, session_id: str = "sess_a", owner: str = "key", deadline: float | None = None) -> HeldSession:
        engine = Engine(16_000, ("en",), lambda _: None)
        dialect = RealtimeDialect(session_id, SessionConfiguration.of_model("m"), engine)
        place = ExitStack()
        place.callback(self.freed.append, session_id)
        session = RealtimeSession(dialect, cast("LiveService", self.service))
        return HeldSession(session, place, owner, deadline)


@pytest.fixture
def places() -> Places:
    return Places()


async def until(condition: object) -> None:
    assert callable(condition)
    for _ in range(3_000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never happened")


def other_tasks() -> set[asyncio.Task[object]]:
    return {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}


async def test_only_its_owner_finds_a_session(places: Places) -> None:
    registry = SessionRegistry(NEVER)
    held = places.hold(owner="mine")
    registry.open(held, resumable=True)
    assert registry.find("sess_a", "mine") is held
    assert registry.find("sess_a", "yours") is None
    assert registry.find("sess_b", "mine") is None
    await registry.close()


async def test_a_session_waits_for_its_client_and_is_then_closed(places: Places) -> None:
    before = other_tasks()
    registry = SessionRegistry(0.02)
    held = places.hold()
    registry.open(held, resumable=True)
    held.take_up()
    registry.let_go(held)
    assert places.freed == []
    await until(lambda: places.freed == ["sess_a"])
    assert registry.find("sess_a", "key") is None
    await registry.close()
    assert held.work.cancelled()
    assert other_tasks() == before


async def test_a_client_that_comes_back_stops_the_waiting(places: Places) -> None:
    registry = SessionRegistry(0.05)
    held, other = places.hold(), places.hold("sess_b")
    for session in (held, other):
        registry.open(session, resumable=True)
        session.take_up()
        registry.let_go(session)
    found = registry.find("sess_a", "key")
    assert found is held
    found.take_up()
    await until(lambda: places.freed == ["sess_b"])
    await asyncio.sleep(0.1)
    assert places.freed == ["sess_b"]
    assert not held.work.done()
    await registry.close()


async def test_a_stranger_does_not_stop_the_waiting(places: Places) -> None:
    registry = SessionRegistry(0.02)
    held = places.hold()
    registry.open(held, resumable=True)
    held.take_up()
    registry.let_go(held)
    assert registry.find("sess_a", "stranger") is None
    await until(lambda: places.freed == ["sess_a"])


async def test_a_failed_return_leaves_the_session_waiting(places: Places) -> None:
    registry = SessionRegistry(0.02)
    held = places.hold()
    registry.open(held, resumable=True)
    held.take_up()
    registry.let_go(held)
    assert registry.find("sess_a", "key") is held
    registry.let_go(held)
    await until(lambda: places.freed == ["sess_a"])


async def test_a_failed_return_does_not_end_the_session_of_a_living_connection(places: Places) -> None:
    registry = SessionRegistry(0.01)
    held = places.hold()
    registry.open(held, resumable=True)
    held.take_up()
    assert registry.find("sess_a", "key") is held
    registry.let_go(held)
    await asyncio.sleep(0.05)
    assert places.freed == []
    registry.let_go(held)
    await until(lambda: places.freed == ["sess_a"])


async def test_a_newer_connection_supersedes_the_older_one(places: Places) -> None:
    held = places.hold()
    first = held.take_up()
    assert not first.is_set()
    second = held.take_up()
    assert first.is_set()
    assert not second.is_set()
    await held.close()


async def test_only_sessions_that_were_added_wait(places: Places) -> None:
    registry = SessionRegistry(0.0)
    held = places.hold()
    held.take_up()
    registry.let_go(held)
    await asyncio.sleep(0.02)
    assert not held.work.done()
    await registry.remove(held)
    assert places.freed == ["sess_a"]


async def test_closing_a_session_twice_frees_its_place_once(places: Places) -> None:
    held = places.hold()
    await asyncio.gather(held.close(), held.close())
    assert held.work.cancelled()
    assert places.freed == ["sess_a"]


async def test_closing_the_registry_leaves_nothing_at_work(places: Places) -> None:
    before = other_tasks()
    registry = SessionRegistry(NEVER)
    connected, waiting = places.hold("sess_a"), places.hold("sess_b")
    for held in (connected, waiting):
        registry.open(held, resumable=True)
        held.take_up()
    registry.let_go(waiting)
    await asyncio.sleep(0)
    await registry.close()
    assert sorted(places.freed) == ["sess_a", "sess_b"]
    assert other_tasks() == before


async def test_closing_the_registry_waits_for_a_session_that_is_being_closed(places: Places) -> None:
    before = other_tasks()
    registry = SessionRegistry(0.0)
    held = places.hold()
    registry.open(held, resumable=True)
    held.take_up()
    await asyncio.sleep(0)
    registry.let_go(held)
    [stream] = places.service.streams
    await stream.stopping.wait()
    assert registry.find("sess_a", "key") is None
    assert not held.work.done(), "its stream takes its time to stop"
    await registry.close()
    assert stream.stopped
    assert held.work.cancelled()
    assert places.freed == ["sess_a"]
    assert other_tasks() == before


async def test_a_place_is_freed_even_when_closing_is_interrupted(places: Places) -> None:
    held = places.hold()
    await asyncio.sleep(0)
    closing = asyncio.create_task(held.close())
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.gather(closing, return_exceptions=True)
    assert places.freed == ["sess_a"]
    await asyncio.gather(held.work, return_exceptions=True)


@pytest.mark.parametrize(("seconds", "minutes"), [(None, 0.0), (90.0, 1.5), (3_600.0, 60.0)])
async def test_a_session_knows_how_long_it_lives(places: Places, seconds: float | None, minutes: float) -> None:
    held = places.hold(deadline=None if seconds is None else time.monotonic() + seconds)
    left = held.seconds_left()
    assert held.minutes == minutes
    assert (left is None) == (seconds is None)
    assert left is None or seconds is None or 0 < left <= seconds
    await held.close()


async def test_a_session_whose_life_is_over_has_no_seconds_left(places: Places) -> None:
    held = places.hold(deadline=0.0)
    assert held.seconds_left() == 0
    await held.close()


async def test_draining_finishes_the_open_sessions_and_waits_for_their_connections(places: Places) -> None:
    registry = SessionRegistry(NEVER)
    held = places.hold("sess_a")
    registry.open(held, resumable=False)
    held.take_up()
    draining = asyncio.create_task(registry.drain(EndSession(1012, "stop")))
    await until(lambda: registry.draining)
    await asyncio.sleep(0)
    assert not draining.done()
    assert held.session.ending == EndSession(1012, "stop")
    await registry.remove(held)
    await draining


async def test_draining_ends_sessions_that_wait_for_their_client(places: Places) -> None:
    registry = SessionRegistry(NEVER)
    held = places.hold("sess_a")
    registry.open(held, resumable=True)
    held.take_up()
    registry.let_go(held)
    await registry.drain(EndSession(1012, "stop"))
    assert places.freed == ["sess_a"]
    await registry.close()


async def test_sessions_that_are_given_up_stop_their_work_and_end_as_told(places: Places) -> None:
    registry = SessionRegistry(NEVER)
    held = places.hold("sess_a")
    registry.open(held, resumable=False)
    held.take_up()
    await asyncio.sleep(0)
    registry.give_up(EndSession(1012, "stop"))
    await asyncio.wait({held.work})
    assert held.work.cancelled()
    assert places.service.streams[0].stopped
    assert held.session.ending == EndSession(1012, "stop")
    waiting = asyncio.create_task(registry.until_empty())
    await asyncio.sleep(0)
    assert not waiting.done()
    await registry.remove(held)
    await waiting
