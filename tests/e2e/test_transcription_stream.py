"""`WS /v1/audio/transcriptions/stream` of the running program, over real sockets."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import websockets
from websockets.asyncio.client import ClientConnection, connect
from whisper_normalizer.english import EnglishTextNormalizer

from wavescribe.audio.decoding import decode_audio
from wavescribe.audio.pcm import encode_pcm16
from wavescribe.engines.base import Samples

pytestmark = pytest.mark.model

PATH = "/v1/audio/transcriptions/stream"


def clip(name: str) -> Samples:
    package = importlib.util.find_spec("pytest_audioeval")
    assert package is not None
    assert package.submodule_search_locations is not None
    folder = Path(package.submodule_search_locations[0]) / "samples" / "audio"
    return decode_audio(folder / f"{name}.wav", sample_rate=16_000, max_seconds=60)


def words(text: str) -> list[str]:
    normalised: str = EnglishTextNormalizer()(text)
    return normalised.split()


async def start(connection: ClientConnection, **fields: Any) -> dict[str, Any]:
    await connection.send(json.dumps({"type": "session.start", **fields}))
    answer: dict[str, Any] = json.loads(await connection.recv())
    return answer


async def finish(connection: ClientConnection) -> list[dict[str, Any]]:
    """End the session and read to the close."""
    await connection.send(json.dumps({"type": "session.end"}))
    return [json.loads(frame) async for frame in connection]


async def transcribe(url: str, samples: Samples, packet: int, language: str | None = "en") -> list[dict[str, Any]]:
    async with connect(url + PATH) as connection:
        await start(connection, language=language)
        for first in range(0, len(samples), packet):
            await connection.send(encode_pcm16(samples[first : first + packet]))
        return await finish(connection)


def gauge(server: Any, name: str) -> float:
    with urllib.request.urlopen(f"{server.http}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return float(next(line for line in lines if line.startswith(f"{name} ")).split()[1])


async def until_no_streams(server: Any) -> None:
    for _ in range(100):
        if await asyncio.to_thread(gauge, server, "wavescribe_active_streams") == 0:
            return
        await asyncio.sleep(0.1)
    pytest.fail("a stream stayed open")


async def test_a_clip_is_transcribed_with_the_frames_of_the_protocol(server: Any) -> None:
    samples = clip("en/quick_brown_fox")
    async with connect(server.websocket + PATH) as connection:
        started = await start(connection, model="qwen3-asr", language="en")
        assert started["type"] == "session.started"
        assert started["session_id"].startswith("sess_")
        assert len(started["session_id"]) == len("sess_") + 12
        assert started["model"] == "qwen3-asr"
        await connection.send(encode_pcm16(samples))
        messages = await finish(connection)
        assert connection.close_code == 1000
    *deltas, final = messages
    assert {message["type"] for message in deltas} == {"transcript.delta"}
    assert all(message["delta"] == message["delta"].strip() for message in deltas)
    assert final["type"] == "transcript.final"
    assert words(final["text"]) == ["the", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog"]
    assert words(" ".join(message["delta"] for message in deltas)) == words(final["text"])
    assert final["duration_sec"] == round(len(samples) / 16_000, 2)
    assert final["model"] == "qwen3-asr"


async def test_text_arrives_while_audio_is_still_being_sent(server: Any) -> None:
    samples = np.concatenate([clip("en/counting"), np.zeros(16_000, np.float32), clip("en/quick_brown_fox")])
    async with connect(server.websocket + PATH) as connection:
        await start(connection, language="en")
        await connection.send(encode_pcm16(samples[: 4 * 16_000]))
        first = json.loads(await connection.recv())
        assert first["type"] == "transcript.delta"
        await connection.send(encode_pcm16(samples[4 * 16_000 :]))
        final = (await finish(connection))[-1]
    assert "fox" in final["text"]


@pytest.mark.parametrize("packet", [16, 320, 4_801, 160_000])
async def test_packets_do_not_change_a_byte(server: Any, packet: int) -> None:
    samples = np.concatenate([clip("en/counting"), np.zeros(12_000, np.float32), clip("en/hello_world")])
    reference = await transcribe(server.websocket, samples, 16_000)
    assert await transcribe(server.websocket, samples, packet) == reference


async def test_streams_beside_each_other_keep_their_own_text(server: Any) -> None:
    names = ["en/counting", "en/quick_brown_fox", "en/hello_world"]
    alone = [await transcribe(server.websocket, clip(name), 3_200) for name in names]
    together = await asyncio.gather(*(transcribe(server.websocket, clip(name), 3_200) for name in names))
    assert together == alone


async def test_chinese_settles_without_spaces(server: Any) -> None:
    final = (await transcribe(server.websocket, clip("zh/jishu"), 3_200, "zh"))[-1]
    assert "890" in final["text"]
    assert final["text"].count("890") == 1  # a long number in one word is heard once, and no loop
    assert " " not in final["text"].replace(", ", "")


async def test_the_language_is_detected_when_it_is_not_given(server: Any) -> None:
    final = (await transcribe(server.websocket, clip("es/conteo"), 3_200, None))[-1]
    assert "cinco" in final["text"].lower() or "5" in final["text"]


async def test_a_language_is_given_by_its_name_or_tag_too(server: Any) -> None:
    reference = await transcribe(server.websocket, clip("es/conteo"), 3_200, "es")
    for language in ("Spanish", "ES-mx"):
        assert await transcribe(server.websocket, clip("es/conteo"), 3_200, language) == reference


async def test_silence_gives_an_empty_final_text(server: Any) -> None:
    messages = await transcribe(server.websocket, np.zeros(32_000, np.float32), 1_600)
    assert messages == [{"type": "transcript.final", "text": "", "duration_sec": 2.0, "model": None}]


async def test_a_session_without_audio_ends_with_an_empty_text(server: Any) -> None:
    async with connect(server.websocket + PATH) as connection:
        await start(connection)
        assert (await finish(connection))[-1]["text"] == ""


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("not json", "invalid_json"),
        ("[1]", "invalid_payload"),
        ('{"type":"session.start","language":5}', "invalid_payload"),
        ('{"type":"session.start","language":"xx"}', "invalid_payload"),
        ('{"type":"session.start","language":"\\ud800"}', "invalid_payload"),
        ('{"type":"dance"}', "unknown_message"),
        (b"\0\0", "invalid_state"),
        ('{"type":"session.start","audio_format":"mp3"}', "invalid_audio_format"),
    ],
)
async def test_a_bad_frame_is_answered_with_its_code_and_the_session_goes_on(
    server: Any, frame: str | bytes, code: str
) -> None:
    async with connect(server.websocket + PATH) as connection:
        await connection.send(frame)
        error = json.loads(await connection.recv())
        assert error["type"] == "error"
        assert error["code"] == code
        assert set(error) == {"type", "code", "message"}
        assert (await start(connection))["type"] == "session.started"


async def test_an_odd_frame_is_refused_and_the_audio_before_it_kept(server: Any) -> None:
    samples = clip("en/hello_world")
    async with connect(server.websocket + PATH) as connection:
        await start(connection, language="en")
        await connection.send(encode_pcm16(samples))
        await connection.send(b"\0\0\0")
        messages = await finish(connection)
    assert [message["code"] for message in messages if message["type"] == "error"] == ["invalid_audio_format"]
    assert "hello" in messages[-1]["text"].lower()


async def test_a_second_start_is_refused(server: Any) -> None:
    async with connect(server.websocket + PATH) as connection:
        await start(connection)
        assert (await start(connection))["code"] == "invalid_state"


async def test_an_end_before_the_start_closes_the_connection(server: Any) -> None:
    async with connect(server.websocket + PATH) as connection:
        messages = await finish(connection)
        assert [message["code"] for message in messages] == ["invalid_state"]
        assert connection.close_code == 1000


async def test_more_audio_than_the_buffer_takes_is_an_error_and_closes(serve: Any) -> None:
    server = serve("--model", "whisper-tiny.en", "--max-buffer-seconds", "2", "--max-sessions", "2")
    async with connect(server.websocket + PATH) as connection:
        await start(connection)
        await connection.send(encode_pcm16(np.zeros(40_000, np.float32)))
        error = json.loads(await connection.recv())
        assert error["code"] == "buffer_overflow"
        assert "Accumulated audio exceeded 2s" in error["message"]
        with pytest.raises(websockets.ConnectionClosed):
            await connection.recv()
        assert connection.close_code == 1009
    async with (
        connect(server.websocket + PATH) as one,
        connect(server.websocket + PATH) as two,
        connect(server.websocket + PATH) as three,
    ):
        assert (await start(one))["type"] == (await start(two))["type"] == "session.started"
        assert (await start(three))["code"] == "too_many_sessions"
        with pytest.raises(websockets.ConnectionClosed):
            await three.recv()
        assert three.close_code == 1013
    await until_no_streams(server)


async def test_a_client_that_vanishes_frees_its_place(server: Any) -> None:
    connection = await connect(server.websocket + PATH)
    await start(connection, language="en")
    await connection.send(encode_pcm16(np.tile(clip("en/counting"), 10)))
    connection.transport.abort()
    await until_no_streams(server)


async def test_the_socket_is_read_while_the_model_works(server: Any) -> None:
    """A ping behind 40 s of audio is answered long before that audio is decoded."""
    samples = clip("en/quick_brown_fox")
    async with connect(server.websocket + PATH) as connection:
        await start(connection, language="en")
        before = await asyncio.to_thread(gauge, server, "wavescribe_step_seconds_count")
        for _ in range(15):
            await connection.send(encode_pcm16(samples))
        await (await connection.ping())
        at_pong = await asyncio.to_thread(gauge, server, "wavescribe_step_seconds_count") - before
        final = (await finish(connection))[-1]
        in_all = await asyncio.to_thread(gauge, server, "wavescribe_step_seconds_count") - before
    assert final["text"].lower().count("fox") == 15
    assert at_pong < in_all / 2
