"""When a stream of the realtime client is over, and what is then a failure."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from wavescribe.bench.heard import hear
from wavescribe.bench.realtime_client import PacedStream, Target
from wavescribe.bench.stream_plan import COMMIT, TimedMessage

PREFIX = "conversation.item.input_audio_transcription"


async def test_a_turn_without_a_name_is_followed(recorded: Callable[..., Any], messages: list[TimedMessage]) -> None:
    async def script(peer: Any) -> None:
        await peer.configure()
        await peer.until("input_audio_buffer.commit")
        await peer.until("input_audio_buffer.commit")
        await peer.until("input_audio_buffer.clear")
        await peer.send("input_audio_buffer.cleared")
        for _ in range(2):
            await peer.send("input_audio_buffer.committed")
        for transcript in ("one", "two"):
            await peer.send(f"{PREFIX}.completed", transcript=transcript)

    record = await recorded(script, [*messages, TimedMessage(0.1, COMMIT, ends_turn=True)])
    assert record.failures == []
    assert record.sent_seconds == 0.1
    assert hear(record.events).turns == ("one", "two")


async def test_an_error_event_is_a_failure_but_an_empty_last_turn_is_none(recorded: Callable[..., Any]) -> None:
    async def script(peer: Any) -> None:
        await peer.configure()
        await peer.until("input_audio_buffer.commit")
        await peer.send("error", error={"code": "input_audio_buffer_commit_empty", "message": "empty"})
        await peer.send("error", error={"code": "server_error", "message": "broken"})
        await peer.until("input_audio_buffer.clear")
        await peer.send("input_audio_buffer.cleared")

    record = await recorded(script)
    assert record.failures == ["server_error: broken"]


async def test_a_turn_that_never_ends_is_a_failure_after_patience(recorded: Callable[..., Any]) -> None:
    async def script(peer: Any) -> None:
        await peer.configure()
        await peer.until("input_audio_buffer.commit")
        await peer.send("input_audio_buffer.committed", item_id="a")
        await peer.connection.wait_closed()

    record = await recorded(script, patience=0.3)
    assert record.failures == ["1 turns without an end 0.3 s after the last event"]


async def test_a_server_that_does_not_answer_the_clear_is_left_when_its_turns_are_through(
    recorded: Callable[..., Any],
) -> None:
    async def script(peer: Any) -> None:
        await peer.configure()
        await peer.turn("a", "text")
        await peer.connection.wait_closed()

    record = await recorded(script, patience=0.3)
    assert record.failures == []
    assert len(record.events) == 3


async def test_a_clear_that_is_answered_before_the_commit_ends_no_stream(recorded: Callable[..., Any]) -> None:
    async def script(peer: Any) -> None:
        await peer.configure()
        await peer.until("input_audio_buffer.clear")
        await peer.send("input_audio_buffer.cleared")
        await peer.send("input_audio_buffer.committed", item_id="a")
        await peer.send(f"{PREFIX}.completed", item_id="a", transcript="late")

    record = await recorded(script)
    assert record.failures == []
    assert hear(record.events).text == "late"


async def test_a_commit_that_is_never_answered_is_a_failure_whatever_else_is(recorded: Callable[..., Any]) -> None:
    async def script(peer: Any) -> None:
        await peer.configure()
        await peer.until("input_audio_buffer.clear")
        await peer.send("input_audio_buffer.cleared")
        await peer.connection.wait_closed()

    record = await recorded(script, patience=0.3)
    assert record.failures == ["1 commits without an answer 0.3 s after the last event"]


async def test_the_first_answer_to_a_commit_may_take_as_long_as_any_other(
    scripted: Callable[..., Any], messages: list[TimedMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def script(peer: Any) -> None:
        await peer.configure()
        await peer.until("input_audio_buffer.clear")
        await asyncio.sleep(0.4)  # longer than a server that owes nothing has
        await peer.send("input_audio_buffer.committed", item_id="a")
        await peer.send(f"{PREFIX}.completed", item_id="a", transcript="late")
        await peer.send("input_audio_buffer.cleared")

    async with scripted(script) as url:
        stream = PacedStream(Target(url), messages, patience_seconds=30.0)
        await stream.open()
        monkeypatch.setattr("wavescribe.bench.realtime_client.ANSWER_SECONDS", 0.1)
        await stream.run(time.monotonic() + 0.02)
    assert stream.record.failures == []
    assert hear(stream.record.events).text == "late"


async def test_a_turn_that_was_never_announced_answers_its_commit(recorded: Callable[..., Any]) -> None:
    async def script(peer: Any) -> None:
        await peer.configure()
        await peer.until("input_audio_buffer.commit")
        await peer.send(f"{PREFIX}.completed", item_id="a", transcript="one")
        await peer.until("input_audio_buffer.clear")
        await peer.send("input_audio_buffer.cleared")

    record = await recorded(script)
    assert (record.failures, hear(record.events).text) == ([], "one")


async def test_a_server_that_ends_turns_itself_may_pass_over_a_last_commit_of_silence(
    recorded: Callable[..., Any],
) -> None:
    async def script(peer: Any) -> None:
        await peer.configure()
        await peer.until("input_audio_buffer.append")
        await peer.send("input_audio_buffer.committed", item_id="a")
        await peer.send(f"{PREFIX}.completed", item_id="a", transcript="one")
        await peer.until("input_audio_buffer.clear")
        await peer.send("input_audio_buffer.cleared")
        await peer.connection.wait_closed()

    record = await recorded(script, patience=0.3, turns="server")
    assert (record.failures, hear(record.events).text) == ([], "one")


@pytest.mark.parametrize("event_id", ["that of the clear", None])
async def test_an_error_that_answers_the_clear_is_no_failure(
    recorded: Callable[..., Any], event_id: str | None
) -> None:
    async def script(peer: Any) -> None:
        await peer.configure()
        await peer.turn("a", "one")
        asked = await peer.until("input_audio_buffer.clear")
        known = {"event_id": asked["event_id"]} if event_id else {}
        await peer.send("error", error={"code": "unknown_event", "message": "clear", **known})
        await peer.connection.wait_closed()

    record = await recorded(script)
    assert (record.failures, hear(record.events).text) == ([], "one")


@pytest.mark.parametrize(
    "error", [{"type": "server_error"}, {"code": "server_error"}, {"code": "invalid_value", "event_id": "another"}]
)
async def test_an_error_after_the_clear_that_is_not_its_answer_is_a_failure(
    recorded: Callable[..., Any], error: dict[str, str]
) -> None:
    async def script(peer: Any) -> None:
        await peer.configure()
        await peer.turn("a", "one")
        await peer.until("input_audio_buffer.clear")
        await peer.send("error", error={"message": "broken", **error})
        await peer.send("input_audio_buffer.cleared")

    record = await recorded(script)
    assert [failure.endswith(": broken") for failure in record.failures] == [True]


async def test_only_one_error_is_the_answer_to_the_clear(recorded: Callable[..., Any]) -> None:
    async def script(peer: Any) -> None:
        await peer.configure()
        await peer.until("input_audio_buffer.commit")
        await peer.send("input_audio_buffer.committed", item_id="a")
        await peer.until("input_audio_buffer.clear")
        for _ in range(2):
            await peer.send("error", error={"code": "unknown_event", "message": "what"})
        await peer.send(f"{PREFIX}.completed", item_id="a", transcript="one")

    record = await recorded(script)
    assert record.failures == ["unknown_event: what"]


async def test_an_empty_commit_is_known_by_its_message_where_it_has_no_code(recorded: Callable[..., Any]) -> None:
    async def script(peer: Any) -> None:
        await peer.configure()
        await peer.until("input_audio_buffer.commit")
        message = "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio"
        await peer.send("error", error={"type": "invalid_request_error", "message": message})
        await peer.until("input_audio_buffer.clear")
        await peer.send("input_audio_buffer.cleared")

    record = await recorded(script)
    assert record.failures == []
