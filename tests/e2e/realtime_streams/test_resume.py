"""Resuming: a session that asked for it outlives its connection, and its client misses and repeats nothing."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets import ConnectionClosed
from websockets.asyncio.client import connect

pytestmark = [pytest.mark.model, pytest.mark.slow]

BYTES_PER_MILLISECOND = 32
SECOND = 1_000 * BYTES_PER_MILLISECOND
PATIENCE_SECONDS = 30
OWNER = {"Authorization": "Bearer the-owners-key"}
STRANGER = {"Authorization": "Bearer another-valid-key"}


class ReturningClient:
    """Sends a turn as fast as it goes, loses its connection again and again, and goes on as the protocol says.

    Args:
        server: the server.
        audio: PCM16 at 16 kHz.
        session_over: makes a session of a connection.
        cut: loses a connection.
        chance: decides how.
    """

    def __init__(
        self, server: Any, audio: bytes, session_over: Any, cut: Callable[..., None], chance: random.Random
    ) -> None:
        self._url = f"{server.websocket}/v1/realtime"
        self._audio = audio
        self._session_over = session_over
        self._cut = cut
        self._chance = chance
        self._session_id = ""
        self.received: list[float] = []
        """`audio_received_ms` of every return."""
        self.kept: list[dict[str, Any]] = []
        """Every event but the greetings."""

    async def begin(self, stop_at: int) -> None:
        """Open the session; send audio up to that byte and lose the connection."""
        async with connect(f"{self._url}?resume=true", max_size=None) as connection:
            session = self._session_over(connection)
            self._session_id = (await session.until("session.created"))["session"]["id"]
            await session.configure()
            self.kept += session.events
            await self._send_and_lose(session, 0, stop_at)

    async def send_up_to(self, stop_at: int) -> None:
        """Come back; send audio up to that byte and lose the connection."""
        async with self._resumed() as session:
            await self._send_and_lose(session, self._position, stop_at)

    async def read(self, most: int | None = None) -> None:
        """Come back; send what is left, keep so many events or all up to the transcript, and lose the connection."""
        async with self._resumed() as session:
            await asyncio.gather(self._send_the_rest(session), self._keep(session, most))
            self._lose(session)

    @property
    def _position(self) -> int:
        return round(self.received[-1] * BYTES_PER_MILLISECOND)

    @asynccontextmanager
    async def _resumed(self) -> AsyncIterator[Any]:
        url = f"{self._url}?session_id={self._session_id}&after={self.kept[-1]['event_id']}"
        async with connect(url, max_size=None) as connection:
            session = self._session_over(connection)
            greeting = await session.receive()
            assert greeting["type"] == "session.resumed"
            assert greeting["session_id"] == self._session_id
            self.received.append(greeting["audio_received_ms"])
            yield session

    async def _send_and_lose(self, session: Any, position: int, stop_at: int) -> None:
        reading = asyncio.create_task(self._keep(session, None))
        await session.append(self._audio[position:stop_at])
        await asyncio.sleep(self._chance.choice([0, 0, 0.1, 0.3]))
        self._lose(session)
        with pytest.raises(ConnectionClosed):
            await reading

    async def _send_the_rest(self, session: Any) -> None:
        await session.append(self._audio[self._position :])
        if not any(event["type"].endswith(".committed") for event in self.kept):
            await session.commit()

    async def _keep(self, session: Any, most: int | None) -> None:
        while most != 0 and not (self.kept and self.kept[-1]["type"].endswith(".completed")):
            event = await session.receive()
            if event.get("error", {}).get("code") == "input_audio_buffer_commit_empty":
                continue  # the commit over an earlier connection had arrived
            assert event["type"] != "error", event
            self.kept.append(event)
            most = None if most is None else most - 1

    def _lose(self, session: Any) -> None:
        self._cut(session.connection, reset=self._chance.random() < 0.5)


async def refused(server: Any, session_id: str, query: str = "", **options: Any) -> dict[str, Any]:
    """Try to take a session up: returns the error that comes before the close."""
    url = f"{server.websocket}/v1/realtime?session_id={session_id}{query}"
    async with connect(url, **options) as connection, asyncio.timeout(PATIENCE_SECONDS):
        frames = [frame async for frame in _until_closed(connection)]
    assert connection.close_code == 4_000
    assert len(frames) == 1
    error: dict[str, Any] = frames[0]["error"]
    assert connection.close_reason == f"invalid_request_error.{error['code']}"
    return error


async def _until_closed(connection: Any) -> AsyncIterator[Any]:
    try:
        while True:
            yield json.loads(await connection.recv())
    except ConnectionClosed:
        return


def id_of(session: Any) -> str:
    return str(session.events[0]["session"]["id"])


@pytest.fixture(scope="module")
def patient_server(serve: Any) -> Any:
    """Sessions that asked for it outlive their connection by more than these tests take."""
    return serve("--model", "whisper-tiny.en", "--resume-seconds", "3600")


@pytest.fixture(scope="module")
def small_server(serve: Any) -> Any:
    """One place, two keys, and sessions that outlive their connection by a second."""
    keys = [f"--api-key={owner['Authorization'].removeprefix('Bearer ')}" for owner in (OWNER, STRANGER)]
    return serve("--model", "whisper-tiny.en", "--max-sessions", "1", "--resume-seconds", "1", *keys)


async def test_a_client_that_is_cut_off_twenty_times_misses_and_repeats_nothing(
    patient_server: Any, session_on: Any, session_over: Any, cut: Any, pcm: Any, two_cities: Path, clips: Path
) -> None:
    more = [pcm(clips / "en" / f"{name}.wav") for name in ("counting", "quick_brown_fox", "hello_world")]
    audio = b"".join([pcm(two_cities), *more, *more])[: 58 * SECOND]
    chance = random.Random(20)
    async with session_on(patient_server) as undisturbed:
        transcript = await undisturbed.transcribe(audio)
    stops = sorted(chance.sample(range(1, len(audio) // BYTES_PER_MILLISECOND), 12))
    client = ReturningClient(patient_server, audio, session_over, cut, chance)
    await client.begin(stops[0] * BYTES_PER_MILLISECOND)
    for stop in stops[1:]:
        await client.send_up_to(stop * BYTES_PER_MILLISECOND)
    for _ in range(8):
        await client.read(chance.randint(1, 5))
    await client.read()
    completed = client.kept[-1]
    assert completed["transcript"] == transcript
    assert completed["usage"]["seconds"] == len(audio) / SECOND
    deltas = [event["delta"] for event in client.kept if event["type"].endswith(".delta")]
    assert deltas == [event["delta"] for event in undisturbed.of_type(".delta")]
    assert len({event["event_id"] for event in client.kept}) == len(client.kept)
    assert Counter(event["type"] for event in client.kept) == Counter(event["type"] for event in undisturbed.events)
    assert client.received == sorted(client.received)
    assert all(received <= stop for received, stop in zip(client.received, stops, strict=False))


async def test_audio_on_its_way_over_the_old_connection_is_not_taken_after_it_was_counted(
    patient_server: Any, session_on: Any, session_over: Any
) -> None:
    """A client that thinks its connection dead while it is not: what it sends again must not be there twice."""
    audio = bytes(40 * SECOND)
    sending: list[asyncio.Task[None]] = []

    async def stop_sending() -> None:
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)

    async with AsyncExitStack() as connections:
        current = await connections.enter_async_context(session_on(patient_server, "?resume=true"))
        url = f"{patient_server.websocket}/v1/realtime?session_id={id_of(current)}"
        connections.push_async_callback(stop_sending)
        position = 0
        for _ in range(12):
            sending.append(asyncio.create_task(current.append(audio[position:], packet=5 * BYTES_PER_MILLISECOND)))
            await asyncio.sleep(0.02)
            current = session_over(await connections.enter_async_context(connect(url)))
            position = round((await current.until("session.resumed"))["audio_received_ms"] * BYTES_PER_MILLISECOND)
        await current.append(audio[position:])
        await current.commit()
        completed = await current.until(".completed")
    assert completed["usage"]["seconds"] == 40


async def test_a_second_connection_takes_the_session_over_and_the_first_is_closed(
    patient_server: Any, session_on: Any, session_over: Any, pcm: Any, fox: Path
) -> None:
    audio = pcm(fox)
    async with session_on(patient_server) as alone:
        transcript = await alone.transcribe(audio)
    async with session_on(patient_server, "?resume=true") as first:
        await first.append(audio[:SECOND])
        url = f"{patient_server.websocket}/v1/realtime?session_id={id_of(first)}&after={first.events[-1]['event_id']}"
        async with connect(url) as connection:
            second = session_over(connection)
            assert await first.until_closed() == 1_001
            greeting = await second.receive()
            assert greeting["type"] == "session.resumed"
            received = round(greeting["audio_received_ms"] * BYTES_PER_MILLISECOND)
            assert await second.transcribe(audio[received:]) == transcript


async def test_a_session_that_did_not_ask_to_be_resumed_is_gone_with_its_connection(
    patient_server: Any, session_on: Any, cut: Any, active_streams: Any, until_no_streams: Any
) -> None:
    before = await asyncio.to_thread(active_streams, patient_server)
    async with session_on(patient_server) as session:
        await session.append(bytes(SECOND))
        assert await asyncio.to_thread(active_streams, patient_server) == before + 1
        cut(session.connection)
    await until_no_streams(patient_server, most=before)
    error = await refused(patient_server, id_of(session))
    assert (error["code"], error["param"]) == ("session_not_found", "session_id")
    assert id_of(session) in error["message"]


async def test_an_event_that_never_was_is_named_and_the_session_can_still_be_resumed(
    patient_server: Any, session_on: Any, session_over: Any, cut: Any
) -> None:
    async with session_on(patient_server, "?resume=true") as session:
        cut(session.connection)
    error = await refused(patient_server, id_of(session), "&after=event_never_was")
    assert (error["code"], error["param"]) == ("event_not_found", "after")
    assert "event_never_was" in error["message"]
    url = f"{patient_server.websocket}/v1/realtime?session_id={id_of(session)}"
    async with connect(f"{url}&after={session.events[0]['event_id']}") as connection:
        back = session_over(connection)
        assert (await back.receive())["type"] == "session.resumed"
        assert await back.receive() == session.events[1]


async def test_another_key_cannot_take_a_session_up_and_does_not_disturb_it(small_server: Any, session_on: Any) -> None:
    async with session_on(small_server, "?resume=true", additional_headers=OWNER) as session:
        error = await refused(small_server, id_of(session), additional_headers=STRANGER)
        assert error["code"] == "session_not_found"
        assert await session.transcribe(bytes(SECOND)) == ""


async def test_a_session_that_nobody_resumes_is_gone_after_its_time_and_its_place_is_free(
    small_server: Any, session_on: Any, cut: Any, until_no_streams: Any
) -> None:
    await until_no_streams(small_server)
    async with session_on(small_server, "?resume=true", additional_headers=OWNER) as session:
        cut(session.connection)
    await until_no_streams(small_server)
    assert (await refused(small_server, id_of(session), additional_headers=OWNER))["code"] == "session_not_found"
    async with session_on(small_server, additional_headers=STRANGER) as another:
        assert await another.transcribe(bytes(SECOND)) == ""
