from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from wavescribe.bench.realtime_client import PacedStream, Target
from wavescribe.bench.stream_plan import COMMIT, TimedMessage

APPEND = '{"type": "input_audio_buffer.append", "audio": ""}'


async def test_every_event_is_kept_with_its_arrival(recorded: Callable[..., Any]) -> None:
    async def script(peer: Any) -> None:
        await peer.configure()
        await peer.turn("a", "one", " two")
        await peer.until("input_audio_buffer.clear")
        await peer.send("input_audio_buffer.cleared")

    record = await recorded(script)
    kinds = [event["type"].rsplit(".", 1)[-1] for _, event in record.events]
    assert kinds == ["committed", "delta", "delta", "completed", "cleared"]
    assert (record.failures, record.refused) == ([], "")
    # The commit was due 0.1 s after the first sample, and nothing came before it.
    assert all(arrival >= 0.1 for arrival, _ in record.events)


async def test_messages_leave_at_their_time_and_their_slip_is_told(
    scripted: Callable[..., Any], run: Callable[..., Any]
) -> None:
    arrivals: list[float] = []

    async def script(peer: Any) -> None:
        await peer.configure()
        for _ in range(2):
            await peer.until("input_audio_buffer.append")
            arrivals.append(time.monotonic())
        await peer.turn("a")
        await peer.until("input_audio_buffer.clear")
        await peer.send("input_audio_buffer.cleared")

    messages = [TimedMessage(0.2, APPEND), TimedMessage(0.5, APPEND), TimedMessage(0.5, COMMIT, ends_turn=True)]
    async with scripted(script) as url:
        before = time.monotonic()
        record = await run(url, messages)
    assert arrivals[0] - before >= 0.2
    assert arrivals[1] - before >= 0.5
    assert len(record.slips) == 3
    assert all(slip >= 0 for slip in record.slips)


async def test_what_is_sent_late_does_not_make_the_next_late(
    scripted: Callable[..., Any],
) -> None:
    async def script(peer: Any) -> None:
        await peer.configure()
        await peer.turn("a")
        await peer.until("input_audio_buffer.clear")
        await peer.send("input_audio_buffer.cleared")

    stream_end = 0.3
    async with scripted(script) as url:
        said = [TimedMessage(0.1, APPEND), TimedMessage(stream_end, COMMIT, ends_turn=True)]
        stream = PacedStream(Target(url), said)
        await stream.open()
        # The stream began 0.2 s ago: the first message is late, the second has time to be on time.
        await stream.run(time.monotonic() - 0.2)
    first, second = stream.record.slips
    assert first >= 0.1
    assert second < first


async def test_an_error_for_a_greeting_is_a_refusal(recorded: Callable[..., Any]) -> None:
    async def script(peer: Any) -> None:
        await peer.send("error", error={"code": "too_many_sessions", "message": "full"})
        await peer.connection.close(1013)

    record = await recorded(script)
    assert record.refused == "too_many_sessions: full"
    assert record.sent_seconds == 0
    assert (record.failures, record.events, record.slips) == ([], [], [])


async def test_another_error_for_a_greeting_is_a_failure(recorded: Callable[..., Any]) -> None:
    async def script(peer: Any) -> None:
        await peer.send("error", error={"code": "invalid_api_key", "message": "no such key"})
        await peer.connection.close(1008)

    record = await recorded(script)
    assert record.refused == ""
    assert record.failures == ["no session: invalid_api_key: no such key"]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ({"error": "no model", "code": "model_not_found"}, "model_not_found: no model"),
        ({"error": "no model"}, "error: no model"),
        ({"message": "no model", "code": "not_found"}, "not_found: no model"),
    ],
)
async def test_an_error_that_is_a_text_is_told_as_one_that_is_an_object(
    recorded: Callable[..., Any], error: dict[str, Any], told: str
) -> None:
    async def greet(peer: Any) -> None:
        await peer.send("error", **error)
        await peer.connection.close(1008)

    async def refuse(peer: Any) -> None:
        await peer.send("session.created")
        for _ in range(2):  # asked for additions, and without them
            await peer.until("session.update")
            await peer.send("error", **error)
        await peer.connection.wait_closed()

    async def interrupt(peer: Any) -> None:
        await peer.configure()
        await peer.until("input_audio_buffer.append")
        await peer.send("error", **error)
        await peer.turn("a")
        await peer.until("input_audio_buffer.clear")
        await peer.send("input_audio_buffer.cleared")

    assert (await recorded(greet)).failures == [f"no session: {told}"]
    assert (await recorded(refuse)).failures == [f"session.update: {told}"]
    assert (await recorded(interrupt)).failures == [told]


@pytest.mark.parametrize("frame", ["hello", "[1]", '{"delta": "one"}', '{"type": 3}'])
async def test_what_is_no_event_is_a_failure(recorded: Callable[..., Any], frame: str) -> None:
    async def script(peer: Any) -> None:
        await peer.configure()
        await peer.until("input_audio_buffer.append")
        await peer.connection.send(frame)
        await peer.connection.wait_closed()

    record = await recorded(script)
    assert [failure.startswith("the server sent what is no event") for failure in record.failures] == [True]


async def test_a_close_to_try_again_later_is_a_refusal(recorded: Callable[..., Any]) -> None:
    async def script(peer: Any) -> None:
        await peer.connection.close(1013)

    record = await recorded(script)
    assert record.refused == "closed with 1013"


@pytest.mark.parametrize(
    ("status", "refused"),
    [(HTTPStatus.SERVICE_UNAVAILABLE, True), (HTTPStatus.TOO_MANY_REQUESTS, True), (HTTPStatus.NOT_FOUND, False)],
)
async def test_only_http_statuses_of_a_full_server_are_refusals(
    run: Callable[..., Any], status: HTTPStatus, refused: bool
) -> None:
    def answer(connection: ServerConnection, request: Request) -> Response:
        return connection.respond(status, "no")

    async def nobody(connection: ServerConnection) -> None:
        raise AssertionError("the connection was to be refused")

    async with serve(nobody, "127.0.0.1", 0, process_request=answer) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        record = await run(f"ws://127.0.0.1:{port}")
    assert bool(record.refused) is refused
    assert bool(record.failures) is not refused


async def test_a_lost_connection_is_a_failure(recorded: Callable[..., Any]) -> None:
    async def script(peer: Any) -> None:
        await peer.configure()
        await peer.until("input_audio_buffer.append")
        await peer.connection.close(1011)

    record = await recorded(script)
    assert [failure.startswith("connection lost") for failure in record.failures] == [True]


async def test_a_server_that_is_not_there_is_a_failure(run: Callable[..., Any]) -> None:
    record = await run("ws://127.0.0.1:9")
    assert [failure.startswith("no session: ") for failure in record.failures] == [True]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://host:1", "ws://host:1/v1/realtime"),
        ("https://host/", "wss://host/v1/realtime"),
        ("wss://host/other?intent=transcription", "wss://host/other?intent=transcription"),
        ("ws://host?model=m", "ws://host/v1/realtime?model=m"),
    ],
)
def test_a_url_without_a_path_means_the_realtime_api(url: str, expected: str) -> None:
    assert Target(url).websocket_url == expected


def test_only_the_path_of_file_transcription_takes_files() -> None:
    assert Target("http://host/v1/audio/transcriptions").takes_files
    assert not Target("http://host/v1/realtime").takes_files
