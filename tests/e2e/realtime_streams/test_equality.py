"""The same audio gives the same text to the byte: over every protocol, in any packets, at any pace, in any company."""

from __future__ import annotations

import asyncio
import io
import json
import wave
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

pytestmark = [pytest.mark.model, pytest.mark.slow]

RATE = 16_000
PACKETS = {"1 ms": 32, "a prime number of samples": 2 * 1_009, "another prime": 2 * 7, "all at once": 2**30}
CLIPS = [
    ("en", "quick_brown_fox"),
    ("en", "counting"),
    ("en", "hello_world"),
    ("es", "pangrama"),
    ("fr", "pangrama"),
    ("it", "pangrama"),
    ("pl", "pangrama"),
    ("pt", "pangrama"),
]


def wav(pcm: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, RATE, 0, "NONE", "not compressed"))
        writer.writeframes(pcm)
    return file.getvalue()


async def over_http(server: Any, pcm: bytes) -> str:
    """The text of the streamed answer, which is the join of its deltas."""
    async with httpx.AsyncClient(timeout=120) as http:
        answer = await http.post(
            f"{server.http}/v1/audio/transcriptions",
            files={"file": ("audio.wav", wav(pcm))},
            data={"model": "whisper-1", "stream": "true", "language": "en"},
        )
    frames = [json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line]
    assert frames[-1]["type"] == "transcript.text.done"
    assert "".join(frame["delta"] for frame in frames[:-1]) == frames[-1]["text"]
    return str(frames[-1]["text"])


async def over_transcription_stream(server: Any, pcm: bytes) -> str:
    async with connect(f"{server.websocket}/v1/audio/transcriptions/stream") as connection:
        await connection.send(json.dumps({"type": "session.start", "language": "en"}))
        for first in range(0, len(pcm), 6_400):
            await connection.send(pcm[first : first + 6_400])
        await connection.send(json.dumps({"type": "session.end"}))
        messages = [json.loads(frame) async for frame in connection]
    assert messages[-1]["type"] == "transcript.final"
    return str(messages[-1]["text"])


@pytest.fixture(scope="module")
async def of_the_fox(server: Any, session_on: Any, pcm: Any, fox: Path) -> str:
    """The transcript of the short clip in packets of 100 ms."""
    async with session_on(server) as session:
        transcript = await session.transcribe(pcm(fox))
    assert "fox" in transcript
    return str(transcript)


async def test_three_protocols_give_the_same_transcript_to_the_byte(
    server: Any, session_on: Any, pcm: Any, two_cities: Path
) -> None:
    audio = pcm(two_cities, seconds=16.01)
    async with session_on(server) as session:
        transcript = await session.transcribe(audio)
    assert "best of times" in transcript.lower()
    assert len(session.of_type(".delta")) > 3
    assert await over_http(server, audio) == transcript
    assert await over_transcription_stream(server, audio) == transcript


@pytest.mark.parametrize("packet", PACKETS.values(), ids=PACKETS)
async def test_rt_41_packets_do_not_change_a_byte(
    server: Any, session_on: Any, pcm: Any, fox: Path, of_the_fox: str, packet: int
) -> None:
    async with session_on(server) as session:
        assert await session.transcribe(pcm(fox), packet=packet) == of_the_fox


async def test_the_pace_does_not_change_a_byte(
    server: Any, session_on: Any, pcm: Any, fox: Path, of_the_fox: str
) -> None:
    audio = pcm(fox)
    async with session_on(server) as session:
        for first in range(0, len(audio), 1_280):
            await session.append(audio[first : first + 1_280])
            await asyncio.sleep(0.04)
        await session.commit()
        assert (await session.until(".completed"))["transcript"] == session.deltas() == of_the_fox


async def test_rt_67_eight_sessions_at_once_each_get_what_they_get_alone(
    server: Any, session_on: Any, pcm: Any, clips: Path
) -> None:
    async def transcribe(language: str, name: str) -> str:
        async with session_on(server, language=language) as session:
            return str(await session.transcribe(pcm(clips / language / f"{name}.wav")))

    alone = [await transcribe(*clip) for clip in CLIPS]
    assert len(set(alone)) == len(CLIPS)
    assert await asyncio.gather(*(transcribe(*clip) for clip in CLIPS)) == alone
