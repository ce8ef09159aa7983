"""Engines that are killed, hang, raise or die on a request: no other stream notices, no committed turn is lost."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.e2e.serving.conftest import Server

pytestmark = [pytest.mark.model, pytest.mark.slow]

STALL = ("--stall-seconds", "4")
RESTARTS = "wavescribe_engine_restarts"


@pytest.fixture
def server(start: Callable[..., Server]) -> Server:
    return start(*STALL, breakable=True)


async def strike(server: Server, blow: signal.Signals, whom: str) -> int:
    """Send a signal to all engines or to one, in the middle of its work; returns how many."""
    await server.until(lambda: any(map(is_busy, server.engines)), "an engine is at work")
    struck = server.engines if whom == "all" else [pid for pid in server.engines if is_busy(pid)][:1]
    for pid in struck:
        os.kill(pid, blow)
    return len(struck)


@pytest.mark.parametrize("whom", ["one", "all"])
async def test_a_stream_goes_on_when_engines_are_killed(
    server: Server, witness: Any, open_session: Any, speech: Any, whom: str
) -> None:
    async with witness(server):
        pass
    before, restarts = server.descriptors, server.metric(RESTARTS)
    async with witness(server), open_session(server) as other:
        text = asyncio.create_task(other.transcribe(speech(20)))
        struck = await strike(server, signal.SIGKILL, whom)
        assert "best of times" in (await text).lower()
        await server.until(lambda: server.metric(RESTARTS) == restarts + struck, "they are replaced")
    await server.until_at_rest(before)


@pytest.mark.parametrize("whom", ["one", "all"])
async def test_a_stream_goes_on_when_engines_hang(
    server: Server, witness: Any, open_session: Any, speech: Any, whom: str
) -> None:
    async with witness(server):
        pass
    before, restarts = server.descriptors, server.metric(RESTARTS)
    async with witness(server), open_session(server) as other:
        text = asyncio.create_task(other.transcribe(speech(20)))
        struck = await strike(server, signal.SIGSTOP, whom)
        if whom == "all":
            await server.until(lambda: server.readiness() in ("engine stalled", "engine lost"), "not ready")
            await server.until(lambda: server.metric(RESTARTS) == restarts + struck, "they are replaced")
        assert "best of times" in (await text).lower()
    await wake(server)
    await server.until_at_rest(before)


async def wake(server: Server) -> None:
    """Let engines go on that were stopped and had nothing to do."""
    for pid in server.engines:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("fault", ["raise!", "die!", "hang!"])
async def test_a_request_that_breaks_the_engine_fails_its_own_turn_alone(
    server: Server, witness: Any, open_session: Any, speech: Any, fault: str
) -> None:
    async with witness(server):
        pass
    before = server.descriptors
    async with witness(server), open_session(server, prompt=fault) as broken:
        await broken.append(speech(3))
        await broken.commit()
        committed = await broken.until(".committed")
        failed = await broken.until(".failed")
        assert failed["item_id"] == committed["item_id"]
        assert "secret" not in str(failed)
        await broken.configure()
        assert "best of times" in (await broken.transcribe(speech(4))).lower()
    await server.until_at_rest(before)
    assert server.metric("wavescribe_turns_failed_total") >= 1
    assert server.metric("wavescribe_steps_failed_total") >= 1


async def test_a_file_goes_on_when_its_engine_is_killed(server: Server, two_cities: Path) -> None:
    before = server.descriptors
    recording = await asyncio.to_thread(two_cities.read_bytes)
    alone = await transcribe(server, recording)
    restarts = server.metric(RESTARTS)
    file = asyncio.create_task(transcribe(server, recording))
    await strike(server, signal.SIGKILL, "all")
    assert await file == alone
    assert server.metric(RESTARTS) == restarts + 2
    await server.until_at_rest(before)


async def transcribe(server: Server, recording: bytes) -> str:
    async with httpx.AsyncClient(timeout=150) as http:
        answer = await http.post(
            f"{server.http}/v1/audio/transcriptions",
            files={"file": recording},
            data={"model": "whisper-1"},
        )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["text"])


def is_busy(pid: int) -> bool:
    """Whether a process computes just now."""
    return any(
        path.read_text().rpartition(")")[2].split()[0] == "R" for path in Path(f"/proc/{pid}/task").glob("*/stat")
    )


async def test_engines_end_with_their_server(start: Callable[..., Server]) -> None:
    server = start(*STALL, anew=True)
    engines = server.engines
    assert len(engines) == 2
    server.process.kill()
    server.process.wait()
    for _ in range(600):
        if not any(map(is_there, engines)):
            return
        await asyncio.sleep(0.1)
    pytest.fail("an engine outlived its server")


def is_there(pid: int) -> bool:
    """Whether a process runs; one that has ended may wait for somebody to ask how."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
