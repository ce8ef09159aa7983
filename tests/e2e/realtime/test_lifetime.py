"""RT-61 to RT-64: how sessions end."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.model

ENGLISH = ("--model", "whisper-tiny.en")


async def until_streams(count: int, server: Any, gauge: Any) -> None:
    for _ in range(300):
        if await gauge(server, "wavescribe_active_streams") == count:
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"there are not {count} streams")


async def test_rt_61_a_session_that_is_over_is_told_so_and_closed(serve: Any, talk: Any) -> None:
    async with talk(serve(*ENGLISH, "--max-session-seconds", "2")) as session:
        assert session.events[0]["session"]["expires_at"] <= time.time() + 2
        (error,) = await session.rest()
        assert session.connection.close_code == 1001
        assert session.connection.close_reason == error["error"]["message"]
    assert error["error"]["type"] == "invalid_request_error"
    assert error["error"]["code"] == "session_expired"
    assert error["error"]["message"].startswith("Your session hit the maximum duration of ")


async def test_rt_61_what_was_committed_is_finished_before_the_close(serve: Any, talk: Any, reading: Any) -> None:
    async with talk(serve(*ENGLISH, "--max-session-seconds", "2"), manual=True) as session:
        await session.append(np.tile(reading, 3), packet=10 * len(reading))
        await session.commit()
        await session.rest()
        assert session.connection.close_code == 1001
    (committed,) = session.of_type(".committed")
    (completed,) = session.of_type(".completed")
    assert completed["item_id"] == committed["item_id"]
    assert "worst of times" in completed["transcript"].lower()
    assert len(session.of_type("error")) == 1


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
async def test_rt_62_one_session_too_many_is_refused_and_a_freed_place_can_be_taken(
    serve: Any, talk: Any, gauge: Any, reading: Any, busy: bool
) -> None:
    server = serve(*ENGLISH, "--max-sessions", "2")
    async with talk(server) as first:
        async with talk(server, manual=True) as second:
            if busy:
                await second.append(np.tile(reading, 4), packet=10 * len(reading))
                await second.commit()
                await second.until("delta")
            async with talk(server, greeted=False) as third:
                (error,) = await third.rest()
                assert third.connection.close_code == 1013
        await until_streams(1, server, gauge)
        async with talk(server) as fourth:
            assert fourth.events[0]["type"] == "session.created"
        assert await first.before_marker() == []
    assert error["error"]["type"] == "rate_limit_exceeded"


async def test_rt_62_a_place_is_free_as_soon_as_the_close_is_answered(serve: Any, talk: Any, gauge: Any) -> None:
    server = serve(*ENGLISH, "--max-sessions", "1")
    for _ in range(40):
        async with talk(server):
            pass
    await until_streams(0, server, gauge)


async def test_rt_63_a_client_that_vanishes_frees_its_place_and_its_work_is_dropped(
    serve: Any, talk: Any, gauge: Any, reading: Any, hello: Any
) -> None:
    server = serve(*ENGLISH, "--max-sessions", "2")
    async with talk(server, manual=True) as session:
        await session.append(np.tile(reading, 10), packet=10 * len(reading))
        await session.commit()
        await session.until("delta")
        session.connection.transport.abort()
    await until_streams(0, server, gauge)
    steps = await gauge(server, "wavescribe_step_seconds_count")
    async with talk(server, manual=True) as other:
        assert "world" in (await other.transcribe(hello))["transcript"].lower()
    assert await gauge(server, "wavescribe_step_seconds_count") - steps < 10  # 120 s would have been over 100


async def test_rt_64_a_server_that_is_told_to_end_finishes_what_was_committed(
    program: Any, talk: Any, reading: Any
) -> None:
    with program(*ENGLISH) as server:
        await server.until_ready()
        async with talk(server, manual=True) as session, talk(server) as idle:
            await session.append(np.tile(reading, 3), packet=10 * len(reading))
            await session.commit()
            await session.until("delta")
            server.terminate()
            await asyncio.gather(session.rest(), idle.rest())
            assert session.connection.close_code in (1001, 1012)
            assert idle.connection.close_code in (1001, 1012)
        await server.exit_code()
    assert len(session.of_type(".completed")) == 1
