from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from wavescribe.api.realtime.actions import EndSession
from wavescribe.api.realtime.audio_input import AudioInput
from wavescribe.api.realtime.outbox import Outbox
from wavescribe.engines.base import Samples

if TYPE_CHECKING:
    from tests.api.realtime.conftest import Client

Connect = Callable[..., AbstractAsyncContextManager["Client"]]
Json = dict[str, Any]

RATE = 16_000


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_session_greets_answers_and_finishes_what_was_committed(connect: Connect) -> None:
    async with connect() as client:
        await client.append(1.0)
        await client.send("input_audio_buffer.commit")
    assert client.kinds() == ["created", "committed", "added", "done", "delta", "delta", "completed"]
    assert client.stream.fed == RATE
    assert client.session.ending == EndSession()


async def test_reading_never_waits_for_the_stream(connect: Connect) -> None:
    async with connect() as client:
        for _ in range(50):
            await client.append(0.5)
            await client.send("input_audio_buffer.commit")
        await settle()
        assert client.kinds().count("committed") == 50
        assert client.kinds().count("completed") == 0


async def test_large_and_small_frames_are_taken_in_order(connect: Connect) -> None:
    async with connect() as client:
        await client.append(10.0)
        await client.send("input_audio_buffer.commit")
        await client.append(0.1)
        await client.send("input_audio_buffer.commit")
    assert [frame["usage"]["seconds"] for frame in client.of("completed")] == [10.0, 0.1]


@pytest.mark.parametrize("loops", [0, 1, 2, 5, 20])
async def test_a_frame_whose_taking_is_cancelled_is_taken_whole_or_not_at_all(loops: int, connect: Connect) -> None:
    async with connect() as client:
        receiving = asyncio.create_task(client.append(20.0))
        for _ in range(loops):
            await asyncio.sleep(0.002)
        receiving.cancel()
        await asyncio.gather(receiving, return_exceptions=True)
        await client.append(0.5)
        await client.send("input_audio_buffer.commit")
        received = client.session.received_seconds
        assert received in (0.5, 20.5)
        assert client.stream.fed == received * RATE


async def test_audio_after_the_end_is_not_taken(connect: Connect) -> None:
    async with connect() as client:
        client.session.finish(EndSession(1001, "over"))
        client.session.finish(EndSession(1000, "again"))
        await client.append(1.0)
        await client.append(10.0)
    assert client.stream.fed == 0
    assert client.session.ending == EndSession(1001, "over")


async def test_too_much_audio_is_an_error_and_the_end_after_what_was_committed(connect: Connect) -> None:
    async with connect(most_seconds=1.5) as client:
        await client.append(1.0)
        await client.send("input_audio_buffer.commit")
        await client.append(1.0, event_id="mine")
        await client.append(0.1)
    [told] = client.of("error")
    assert (told["error"]["code"], told["error"]["event_id"]) == ("input_audio_buffer_overflow", "mine")
    assert client.service.counted == ["backlog"]
    assert client.kinds()[-1] == "completed"
    assert client.session.ending.code == 1009


async def test_a_turn_that_was_committed_ends_though_no_more_audio_is_taken(connect: Connect) -> None:
    async with connect(most_seconds=1.0) as client:
        await client.append(1.0)  # at 24 kHz the last milliseconds come from the resampler at the commit
        while client.stream.fed < RATE:
            client.stream.feed(np.zeros(1, dtype=np.float32))
        await client.send("input_audio_buffer.commit")
    assert client.of("error") == []
    assert client.kinds()[-1] == "completed"


async def test_an_item_that_is_being_taken_when_the_session_ends_is_not_behind_its_end(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, push = threading.Event(), threading.Event(), AudioInput.push

    def slow(self: AudioInput, samples: Samples, rate: int) -> Any:
        begun.set()
        assert go_on.wait(60)
        return push(self, samples, rate)

    monkeypatch.setattr(AudioInput, "push", slow)
    audio = base64.b64encode(bytes(2 * 24_000 * 30)).decode()
    item = {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": audio}]}
    async with connect() as client:
        receiving = asyncio.create_task(client.send("conversation.item.create", item=item))
        assert await asyncio.to_thread(begun.wait, 60)
        client.session.finish(EndSession(1001, "over"))
        go_on.set()
        await receiving
    assert client.kinds().count("committed") == 1
    assert client.kinds().count("completed") == 1


async def test_a_failure_of_the_stream_is_told_without_what_is_inside(connect: Connect) -> None:
    async with connect() as client:
        client.stream.failure = ValueError("secret")
        await client.append(0.5)
        client.stream.let(1)
        await settle()
        fed = client.stream.fed
        await client.append(0.5)
    assert client.stream.fed == fed
    [told] = client.of("error")
    assert (told["error"]["type"], told["error"]["message"]) == ("server_error", "Internal server error")
    assert client.session.ending.code == 1011


async def test_an_expired_session_is_told_and_finishes_what_was_committed(connect: Connect) -> None:
    async with connect() as client:
        await client.append(0.5)
        await client.send("input_audio_buffer.commit")
        client.session.expire("session_length", "Your session is over.", 1001)
    assert client.of("error")[0]["error"]["code"] == "session_expired"
    assert client.kinds()[-1] == "completed"
    assert client.session.ending == EndSession(1001, "Your session is over.")


async def test_a_client_that_reads_nothing_ends_its_session_and_nothing_escapes(client: Client) -> None:
    client.session.outbox = Outbox(most_characters=2_000)
    work = asyncio.create_task(client.session.run())
    for _ in range(20):
        await client.send("foo")
    assert client.session.ending.code == 1009
    client.session.expire("session_length", "over", 1001)
    client.session.fail("Internal server error", 1011)
    client.stream.let(10)
    await asyncio.wait_for(work, timeout=30)


async def test_text_that_nobody_reads_ends_the_session_too(client: Client) -> None:
    client.session.outbox = Outbox(most_characters=2_000)
    work = asyncio.create_task(client.session.run())
    await client.append(60.0)
    client.stream.let(100)
    await asyncio.wait_for(work, timeout=30)
    assert client.session.ending.code == 1009
    fed = client.stream.fed
    await client.append(1.0)
    assert client.stream.fed == fed


async def test_committed_turns_of_a_session_that_fails_fail_before_it(connect: Connect) -> None:
    async with connect() as client:
        for _ in range(2):
            await client.append(1.0)
            await client.send("input_audio_buffer.commit")
        client.stream.failure = RuntimeError("broken")
        client.stream.let(1)
    committed = [frame["item_id"] for frame in client.of(".committed")]
    assert client.kinds()[-3:] == ["failed", "failed", "error"]
    assert [frame["item_id"] for frame in client.of(".failed")] == committed


async def test_a_session_that_is_given_up_takes_no_more_and_fails_what_was_committed(connect: Connect) -> None:
    async with connect() as client:
        await client.append(1.0)
        await client.send("input_audio_buffer.commit")
        client.session.give_up(EndSession(1012, "restarting"))
        await client.append(1.0)
        await settle()
        assert client.kinds()[-1] == "failed"
        assert (client.stream.fed, client.session.ending) == (RATE, EndSession(1012, "restarting"))
        client.stream.finish()
