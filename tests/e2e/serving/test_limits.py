"""Every limit of the running server: its error, its close code or status, and its metric."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from wavescribe.audio.decoding import decode_audio
from wavescribe.audio.pcm import encode_pcm16

if TYPE_CHECKING:
    from tests.e2e.serving.conftest import Server

pytestmark = pytest.mark.model

STREAM = "/v1/audio/transcriptions/stream"
LIMITS = (
    *("--api-key", "first", "--api-key", "second", "--max-sessions-per-key", "1"),
    *("--max-message-bytes", "200000", "--idle-seconds", "3", "--max-buffer-seconds", "5"),
    *("--max-upload-bytes", "200000", "--max-audio-seconds", "5"),
)


@pytest.fixture
def server(start: Callable[..., Server]) -> Server:
    """A server with limits that a test reaches at once."""
    return start(*LIMITS)


def cut(server: Server, limit: str) -> float:
    return server.metric(f'wavescribe_cut_streams_total{{limit="{limit}"}}')


def refused(server: Server, reason: str) -> float:
    return server.metric(f'wavescribe_refused_streams_total{{reason="{reason}"}}')


def realtime(server: Server, key: str = "first") -> connect:
    return connect(f"{server.websocket}/v1/realtime", additional_headers={"Authorization": f"Bearer {key}"})


def stream(server: Server, key: str = "first") -> connect:
    return connect(f"{server.websocket}{STREAM}", additional_headers={"Authorization": f"Bearer {key}"})


async def begin(connection: ClientConnection) -> dict[str, Any]:
    """Start a session of the stream protocol; returns the first answer."""
    await connection.send(json.dumps({"type": "session.start", "language": "en"}))
    return await answer(connection)


async def answer(connection: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(60):
        message: dict[str, Any] = json.loads(await connection.recv())
    return message


async def close_code(connection: ClientConnection) -> int | None:
    async with asyncio.timeout(60):
        await connection.wait_closed()
    return connection.close_code


async def test_a_key_has_its_sessions_and_others_have_theirs(server: Server) -> None:
    before = refused(server, "key")
    async with realtime(server) as mine:
        assert (await answer(mine))["type"] == "session.created"
        async with realtime(server) as second:
            error = (await answer(second))["error"]
            assert (error["type"], error["code"]) == ("rate_limit_exceeded", "too_many_sessions")
            assert error["message"] == "Maximum concurrent sessions of one key reached (1)."
            assert await close_code(second) == 1013
        async with stream(server) as third:
            error = await begin(third)
            assert (error["type"], error["code"]) == ("error", "too_many_sessions")
            assert await close_code(third) == 1013
        assert refused(server, "key") == before + 2
        async with realtime(server, "second") as other:
            assert (await answer(other))["type"] == "session.created"
    await server.until(lambda: server.metric("wavescribe_active_streams") == 0, "all are gone")
    async with stream(server) as again:
        assert (await begin(again))["type"] == "session.started"


async def test_a_realtime_session_that_sends_nothing_is_ended(server: Server) -> None:
    before = cut(server, "idle")
    async with realtime(server) as idle:
        assert (await answer(idle))["type"] == "session.created"
        error = (await answer(idle))["error"]
        assert error["message"] == "Nothing was received from you for 3 seconds."
        assert await close_code(idle) == 1001
    assert cut(server, "idle") == before + 1


async def test_a_stream_that_sends_nothing_is_ended(server: Server) -> None:
    before = cut(server, "idle")
    async with stream(server) as idle:
        await begin(idle)
        error = await answer(idle)
        assert (error["code"], error["message"]) == ("idle_timeout", "Nothing was received from you for 3s")
        assert await close_code(idle) == 1001
    assert cut(server, "idle") == before + 1


async def test_a_stream_that_is_being_finished_is_not_cut_for_silence_and_takes_no_more_audio(
    start: Callable[..., Server], two_cities: Path
) -> None:
    server = start("--idle-seconds", "0.3")
    speech = encode_pcm16(decode_audio(two_cities, sample_rate=16_000, max_seconds=60))
    received = server.metric("wavescribe_audio_seconds_total")
    async with connect(f"{server.websocket}{STREAM}") as connection:
        await begin(connection)
        for first in range(0, len(speech), 64_000):
            await connection.send(speech[first : first + 64_000])
        await connection.send(json.dumps({"type": "session.end"}))
        await connection.send(speech[:64_000])
        events = [json.loads(frame) async for frame in connection]
    assert connection.close_code == 1000
    assert "epoch of belief" in events[-1]["text"].lower()
    assert cut(server, "idle") == 0
    assert server.metric("wavescribe_audio_seconds_total") - received == pytest.approx(len(speech) / 32_000, abs=0.1)


@pytest.mark.parametrize("connecting", [realtime, stream])
async def test_a_message_over_the_limit_closes_its_connection(
    server: Server, connecting: Callable[[Server], connect]
) -> None:
    before = cut(server, "message")
    async with connecting(server) as connection:
        await connection.send("x" * 200_001)
        assert await close_code(connection) == 1009
    await server.until(lambda: cut(server, "message") == before + 1, "it is counted")


async def test_a_backlog_over_the_limit_is_an_explicit_overflow(server: Server, speech: Any) -> None:
    before = cut(server, "backlog")
    async with stream(server) as connection:
        await begin(connection)
        for _ in range(3):
            await connection.send(speech(5))
        error = await answer(connection)
        while error["type"] != "error":
            error = await answer(connection)
        assert error["code"] == "buffer_overflow"
        assert error["message"].startswith("Accumulated audio exceeded 5s; ")
        assert await close_code(connection) == 1009
    assert cut(server, "backlog") == before + 1


@pytest.mark.parametrize(
    ("data", "status", "limit", "message"),
    [(b"\0" * 300_000, 413, "bytes", "limit (200000) exceeded"), (None, 400, "duration", "longer than 5 seconds")],
    ids=["bytes", "duration"],
)
def test_a_file_over_a_limit_is_refused(
    server: Server,
    encode: Callable[..., bytes],
    two_cities: Path,
    data: bytes | None,
    status: int,
    limit: str,
    message: str,
) -> None:
    name = f'wavescribe_refused_files_total{{limit="{limit}"}}'
    before = server.metric(name)
    content = data or encode(two_cities, "ogg", "libopus", "flt", 48_000)[:150_000]
    got = httpx.post(
        f"{server.http}/v1/audio/transcriptions",
        files={"file": content},
        data={"model": "whisper-1"},
        headers={"Authorization": "Bearer first"},
        timeout=60,
    )
    assert got.status_code == status
    assert message in got.json()["error"]["message"]
    assert server.metric(name) == before + 1


async def test_a_stream_too_many_is_refused_on_both_protocols(start: Callable[..., Server]) -> None:
    server = start("--max-sessions", "1", "--max-file-jobs", "1")
    async with realtime(server) as mine:
        await answer(mine)
        async with realtime(server) as second, stream(server) as third:
            assert (await answer(second))["error"]["message"] == "Maximum concurrent sessions reached (1)."
            assert (await begin(third))["message"] == "Maximum concurrent sessions reached (1)."
            assert await close_code(second) == await close_code(third) == 1013
    assert refused(server, "sessions") == 2


async def test_a_file_too_many_is_refused_with_the_time_to_wait(
    start: Callable[..., Server], encode: Callable[..., bytes], two_cities: Path
) -> None:
    server = start("--max-sessions", "1", "--max-file-jobs", "1")
    file = {"file": encode(two_cities, "wav", "pcm_s16le", "s16", 16_000) * 1}
    url, form = f"{server.http}/v1/audio/transcriptions", {"model": "whisper-1"}
    async with httpx.AsyncClient(timeout=90) as http:
        # Of files sent at the same time, one is taken.
        answers = await asyncio.gather(*(http.post(url, files=file, data=form) for _ in range(3)))
    assert sorted(got.status_code for got in answers) == [200, 429, 429]
    full = next(got for got in answers if got.status_code == 429)
    assert int(full.headers["retry-after"]) >= 1
    assert full.json()["error"]["code"] == "rate_limit_exceeded"
    assert server.metric('wavescribe_refused_files_total{limit="jobs"}') == 2


async def test_streams_are_refused_by_lag_and_those_that_are_in_keep_their_text(
    start: Callable[..., Server], witness: Any
) -> None:
    """Text is never earlier than the sound that it waits for: at half a second every machine is full."""
    server = start("--max-lag-seconds", "0.5")
    async with witness(server):
        async with realtime(server) as second:
            error = (await answer(second))["error"]
            assert error["message"].startswith("This machine transcribes as much live speech as it can")
            assert await close_code(second) == 1013
        async with stream(server) as third:
            assert (await begin(third))["code"] == "too_many_sessions"
    assert refused(server, "lag") == 2
    await server.until(lambda: server.metric("wavescribe_active_streams") == 0, "the first has left")
    async with realtime(server) as later:
        assert (await answer(later))["type"] == "session.created"


async def test_a_stream_lives_no_longer_than_a_session_may(start: Callable[..., Server], speech: Any) -> None:
    server = start("--max-session-seconds", "3")
    async with stream(server) as talking:
        await begin(talking)
        await talking.send(speech(2))
        error = await answer(talking)
        while error["type"] != "error":
            error = await answer(talking)
        assert error["code"] == "session_expired"
        assert error["message"] == "Your session hit the maximum duration of 0.05 minutes"
        final = await answer(talking)
        while final["type"] != "transcript.final":
            final = await answer(talking)
        assert "best" in final["text"].lower()
        assert await close_code(talking) == 1001
    assert cut(server, "session_length") == 1


async def test_session_limits_of_keys_do_not_bind_a_server_without_keys(start: Callable[..., Server]) -> None:
    server = start("--max-sessions-per-key", "1")
    async with realtime(server) as first, realtime(server) as second:
        assert (await answer(first))["type"] == (await answer(second))["type"] == "session.created"
