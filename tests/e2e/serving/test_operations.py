"""The log, the watchdog, what idle connections cost, and the end on SIGTERM."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest
from websockets import ConnectionClosed
from websockets.asyncio.client import ClientConnection, connect

if TYPE_CHECKING:
    from tests.e2e.serving.conftest import Server

pytestmark = pytest.mark.model

STREAM = "/v1/audio/transcriptions/stream"
JSON_LOG = ("--log-format", "json", "--log-level", "debug", "--mute-seconds", "4")
IDLE_LOG = ("--log-format", "json", "--idle-seconds", "2")
IDLE_CONNECTIONS = 200
SPEECH = "best of times"


def entries(server: Server) -> list[dict[str, Any]]:
    """The log; every line of it is JSON, those of the engines' processes too."""
    return [json.loads(line) for line in server.log.splitlines()]


@pytest.fixture
def logging_server(start: Callable[..., Server]) -> Server:
    return start(*JSON_LOG, breakable=True)


def send(server: Server, recording: Path) -> httpx.Response:
    return httpx.post(
        f"{server.http}/v1/audio/transcriptions",
        files={"file": recording.read_bytes()},
        data={"model": "whisper-1"},
        headers={"x-request-id": "mine-1"},
        timeout=90,
    )


async def test_the_log_is_json_with_ids_and_without_what_was_said(
    logging_server: Server, open_session: Any, speech: Any, fox: Path
) -> None:
    server = logging_server
    async with open_session(server, prompt="A secret prompt.") as session:
        assert SPEECH in (await session.transcribe(speech(4))).lower()
        session_id = session.events[0]["session"]["id"]
        await session.send("dance")
        await session.until("error")
    assert "fox" in (await asyncio.to_thread(send, server, fox)).json()["text"]
    log = entries(server)
    assert all({"time", "level", "logger", "message"} <= set(entry) for entry in log)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", log[0]["time"])
    assert any(entry.get("request_id") == "mine-1" for entry in log)
    assert any(entry.get("session_id") == session_id for entry in log)
    said = server.log.lower()
    assert not [text for text in (SPEECH, "worst", "lazy", "brown fox", "secret prompt") if text in said]


async def test_speech_without_text_is_reported_with_its_session(
    logging_server: Server, open_session: Any, speech: Any
) -> None:
    server = logging_server
    before = server.metric("wavescribe_mute_streams_total")
    async with open_session(server, prompt="mute!") as session:
        assert await session.transcribe(speech(8)) == ""
        session_id = session.events[0]["session"]["id"]
    assert server.metric("wavescribe_mute_streams_total") == before + 1
    [warning] = [entry for entry in entries(server) if "of speech gave no text" in entry["message"]]
    assert warning["level"] == "warning"
    assert warning["session_id"] == session_id


async def test_transcripts_are_logged_when_that_is_asked_for(
    start: Callable[..., Server], open_session: Any, speech: Any
) -> None:
    server = start("--log-format", "json", "--log-transcripts")
    async with open_session(server) as session:
        text = await session.transcribe(speech(4))
        session_id = session.events[0]["session"]["id"]
    [entry] = [entry for entry in entries(server) if entry["logger"] == "wavescribe.transcripts"]
    assert (entry["message"], entry["session_id"]) == (text, session_id)


def test_the_log_has_the_address_that_is_connected_whatever_the_headers_say(start: Callable[..., Server]) -> None:
    server = start(*IDLE_LOG)
    forged = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}
    assert httpx.get(f"{server.http}/health?forged", headers=forged).status_code == 200
    [entry] = [entry for entry in entries(server) if "/health?forged" in entry["message"]]
    assert entry["message"].startswith("127.0.0.1:")
    assert "203.0.113.7" not in server.log


async def test_the_end_of_each_stream_is_logged_with_its_reason(start: Callable[..., Server]) -> None:
    server = start(*IDLE_LOG)

    async def ending(*frames: dict[str, str], leave: bool = False) -> str:
        """What is logged at the end of a stream whose client sends these frames, then nothing, or leaves."""
        async with connect(f"{server.websocket}{STREAM}") as stream:
            await stream.send(json.dumps({"type": "session.start", "language": "en"}))
            session_id = json.loads(await stream.recv())["session_id"]
            for frame in frames:
                await stream.send(json.dumps(frame))
            if not leave:
                await frames_of(stream)

        def over() -> list[str]:
            return [
                entry["message"].partition(" of audio: ")[2]
                for entry in entries(server)
                if entry.get("session_id") == session_id and entry["message"].startswith("session over after")
            ]

        await server.until(lambda: bool(over()), "the session is over")
        [reason] = over()
        return reason

    assert await ending({"type": "session.end"}) == "finished"
    assert await ending() == "idle_timeout"
    assert await ending(leave=True) == "the client left"


async def test_metrics_show_what_a_stream_and_a_file_did(
    start: Callable[..., Server], open_session: Any, speech: Any, fox: Path
) -> None:
    server = start()
    async with open_session(server) as session:
        assert server.metric("wavescribe_active_streams") == 1
        await session.transcribe(speech(6))
    await asyncio.to_thread(send, server, fox)
    counted = [
        *("lag_seconds_count", "step_seconds_count", "batch_size_count", "real_time_factor_count"),
        *("first_text_seconds_count", "final_seconds_count", "words_total", "audio_seconds_total", "tasks"),
    ]
    assert [name for name in counted if not server.metric(f"wavescribe_{name}") > 0] == []
    assert server.metric('wavescribe_files_total{outcome="completed"}') == 1
    assert server.metric("wavescribe_engine_processes") == 2
    assert server.metric("wavescribe_queued_steps") == 0


@pytest.mark.slow
async def test_connections_that_send_nothing_cost_no_cpu_and_little_memory(
    start: Callable[..., Server], open_session: Any, speech: Any
) -> None:
    server = start("--max-sessions", str(IDLE_CONNECTIONS + 1))
    async with open_session(server) as session:
        await session.transcribe(speech(4))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(connect(f"{server.websocket}/v1/realtime"))
        memory = server.memory_mb()
        for _ in range(IDLE_CONNECTIONS):
            await stack.enter_async_context(connect(f"{server.websocket}/v1/realtime", ping_interval=None))
        await server.until(lambda: server.metric("wavescribe_active_streams") > IDLE_CONNECTIONS, "all are there")
        assert (server.memory_mb() - memory) / IDLE_CONNECTIONS < 1
        cpu = server.cpu_seconds
        await asyncio.sleep(5)
        assert server.cpu_seconds - cpu < 0.25


@pytest.mark.slow
async def test_at_sigterm_what_was_begun_is_finished_and_everybody_is_told(
    start: Callable[..., Server], open_session: Any, speech: Any, two_cities: Path
) -> None:
    server = start("--drain-seconds", "80", "--log-format", "json", anew=True)
    recording = await asyncio.to_thread(two_cities.read_bytes)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=90))
        file = asyncio.create_task(upload(http, server, recording))
        speaking = [await stack.enter_async_context(open_session(server)) for _ in range(4)]
        idle = await stack.enter_async_context(open_session(server))
        stream = await stack.enter_async_context(connect(f"{server.websocket}{STREAM}"))
        await stream.send(json.dumps({"type": "session.start", "language": "en"}))
        await stream.send(speech(10))
        for session in speaking:
            await session.append(speech(20))
            await session.commit()
        await speaking[0].until(".delta")
        assert server.metric('wavescribe_files_total{outcome="completed"}') == 0  # the file is under way, too
        server.process.send_signal(signal.SIGTERM)
        await server.until(lambda: server.readiness() == "draining", "it drains")
        await refused_while_draining(server, http)
        closing = [session.until_closed() for session in (*speaking, idle)]
        frames, answered, *codes = await asyncio.gather(frames_of(stream), file, *closing)
    assert codes == [1012] * 5
    assert stream.close_code == 1012
    assert frames[-1]["type"] == "transcript.final"
    assert SPEECH in frames[-1]["text"].lower()
    texts = {session.of_type(".completed")[0]["transcript"] for session in speaking}
    assert len(texts) == 1
    assert "best of times" in texts.pop().lower()
    assert answered.status_code == 200
    assert "best of times" in answered.json()["text"].lower()
    assert await asyncio.to_thread(server.process.wait, 60) in (0, -signal.SIGTERM)
    assert "Traceback" not in server.log


async def frames_of(stream: ClientConnection) -> list[dict[str, Any]]:
    """The frames up to the close, whatever its code."""
    frames: list[dict[str, Any]] = []
    with suppress(ConnectionClosed):
        while True:
            frames.append(json.loads(await stream.recv()))
    return frames


async def upload(http: httpx.AsyncClient, server: Server, recording: bytes) -> httpx.Response:
    url = f"{server.http}/v1/audio/transcriptions"
    return await http.post(url, files={"file": recording}, data={"model": "whisper-1"})


async def refused_while_draining(server: Server, http: httpx.AsyncClient) -> None:
    async with connect(f"{server.websocket}/v1/realtime") as late:
        assert json.loads(await late.recv())["error"]["code"] == "draining"
        await late.wait_closed()
        assert late.close_code == 1012
    answer = await http.post(
        f"{server.http}/v1/audio/transcriptions", files={"file": b"RIFF"}, data={"model": "whisper-1"}
    )
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "draining"
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.slow
async def test_streams_that_do_not_end_in_time_are_cut_at_the_deadline_and_told(
    start: Callable[..., Server], open_session: Any, speech: Any
) -> None:
    server = start("--drain-seconds", "1", "--log-format", "json", "--stall-seconds", "900", anew=True, breakable=True)
    engines = server.engines
    async with AsyncExitStack() as stack:
        hanging = [await stack.enter_async_context(open_session(server, prompt="hang!")) for _ in range(3)]
        stream = await stack.enter_async_context(connect(f"{server.websocket}{STREAM}"))
        for session in hanging:
            await session.append(speech(4))
            await session.commit()
            await session.until(".committed")
        await server.until(lambda: server.metric("wavescribe_queued_steps") == 1, "both engines hang")
        await stream.send(json.dumps({"type": "session.start", "language": "en"}))
        await stream.send(speech(4))
        await stream.send(json.dumps({"type": "session.end"}))
        await server.until(lambda: server.metric("wavescribe_audio_seconds_total") == 16, "all audio is there")
        server.process.send_signal(signal.SIGTERM)
        assert [await session.until_closed() for session in hanging] == [1012] * 3
        for session in hanging:
            [committed], [failed] = session.of_type(".committed"), session.of_type(".failed")
            assert (failed["item_id"], failed["error"]["code"]) == (committed["item_id"], "session_ended")
        frames = await frames_of(stream)
        assert (frames[-1]["type"], frames[-1]["code"], stream.close_code) == ("error", "draining", 1012)
    assert await asyncio.to_thread(server.process.wait, 60) == -signal.SIGTERM
    assert any("were still open after 1 s" in entry["message"] for entry in entries(server))
    assert not set(map(str, engines)) & set(os.listdir("/proc"))


@pytest.mark.slow
async def test_a_clock_that_jumps_by_days_changes_nothing(
    start: Callable[..., Server], witness: Any, tmp_path: Path
) -> None:
    clock = tmp_path / "clock"
    server = start("--max-session-seconds", "600", breakable=True, CLOCK_FILE=str(clock))
    async with witness(server):
        pass
    before = server.descriptors
    for days in (3, -3):
        async with witness(server) as stream:
            clock.write_text(str(days))
            assert stream.connection.close_code is None
        assert np.isfinite(server.metric("wavescribe_lag_seconds_sum"))
        await server.until_at_rest(before)
    clock.unlink()
