"""Hundreds of clients that send what no client should, beside one that does nothing wrong."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets import ConnectionClosed
from websockets.asyncio.client import ClientConnection, connect

pytestmark = [
    pytest.mark.model,
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the memory of a process from /proc"),
]

Chance = random.Random
Frame = str | bytes

SECOND = 32_000
CLIENTS = 250
AT_ONCE = 8
INTERNAL_ERROR = 1_011
PATIENCE_SECONDS = 60
LARGEST_MESSAGE = 24 * 1024 * 1024

PATHS = ["/v1/realtime"] * 4 + ["/v1/audio/transcriptions/stream", "/api-ws/v1/realtime"]
QUERIES = [
    "",
    "?intent=transcription",
    "?resume=1",
    "?model=whisper-1",
    "?model=%00%ff",
    "?session_id=",
    "?session_id=sess_x&after=y",
    "?call_id=1",
    "?resume=maybe&resume=true",
]
VALUES: list[Any] = [None, True, -1, 0, 1e308, 2**70, float("nan"), "", "en", "x" * 300, "\ud800", "\0", [], [[]], {}]
KINDS = [
    "input_audio_buffer.append",
    "input_audio_buffer.commit",
    "input_audio_buffer.clear",
    "conversation.item.create",
    "conversation.item.retrieve",
    "conversation.item.delete",
    "session.update",
    "session.finish",
    "transcription_session.update",
    "response.create",
    "session.start",
    "session.end",
]


def valid_session(chance: Chance) -> list[dict[str, Any]]:
    """What a client of the realtime API, or of another protocol, may say in all decency."""
    audio = base64.b64encode(chance.randbytes(2 * chance.randint(1, 8_000))).decode()
    detection = chance.choice([None, {"type": "server_vad", "silence_duration_ms": 200}])
    audio_input = {
        "format": {"type": "audio/pcm", "rate": chance.choice([8_000, 16_000, 24_000])},
        "transcription": {"language": chance.choice(["en", None]), "prompt": "Ada"},
        "turn_detection": detection,
    }
    part = {"type": "input_audio", "audio": audio}
    return [
        {"type": "session.update", "session": {"type": "transcription", "audio": {"input": audio_input}}},
        {"type": "session.start", "language": "en"},
        *[{"type": "input_audio_buffer.append", "audio": audio}] * chance.randint(0, 3),
        {"type": "input_audio_buffer.commit", "event_id": "mine"},
        {"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": [part]}},
        {"type": "input_audio_buffer.clear"},
        {"type": chance.choice(["session.end", "session.finish", "conversation.item.retrieve"])},
    ]


def mutated(message: Any, chance: Chance) -> Any:
    """The message with something in it changed, dropped, doubled or added."""
    if chance.random() < 0.3 or not isinstance(message, (dict, list)) or not message:
        return chance.choice([*VALUES, message])
    if isinstance(message, list):
        place = chance.randrange(len(message))
        return [*message[:place], mutated(message[place], chance), *message[place:]]
    name = chance.choice(list(message))
    changed = {**message, name: mutated(message[name], chance)}
    if chance.random() < 0.2:
        del changed[name]
    if chance.random() < 0.2:
        changed[chance.choice(["type", "event_id", "audio", "session", "item", "item_id"])] = chance.choice(VALUES)
    return changed


def any_json(chance: Chance, depth: int = 3) -> Any:
    if not depth or chance.random() < 0.3:
        return chance.choice(VALUES)
    if chance.random() < 0.3:
        return [any_json(chance, depth - 1) for _ in range(chance.randint(0, 4))]
    names = ["type", "session", "item", "item_id", "audio", "input", "content", "format", "transcription", "", "x"]
    drawn = {chance.choice(names): any_json(chance, depth - 1) for _ in range(chance.randint(0, 5))}
    return {**drawn, "type": chance.choice(KINDS)} if chance.random() < 0.7 else drawn


def broken_text(chance: Chance) -> str:
    text = json.dumps(chance.choice(valid_session(chance)))
    place = chance.randrange(len(text))
    return chance.choice([text[:place], text[:place] + "\0" + text[place:], "", "null", "[" * 5_000, "9" * 5_000])


def large(chance: Chance) -> str:
    """Hundreds of kilobytes, or now and then more than the server takes."""
    size = LARGEST_MESSAGE if chance.random() < 0.02 else chance.randint(70_000, 400_000)
    return json.dumps({"type": chance.choice(KINDS), chance.choice(["audio", "session", "event_id"]): "A" * size})


GENERATORS: list[tuple[int, Callable[[Chance], Frame]]] = [
    (10, lambda chance: json.dumps(mutated(chance.choice(valid_session(chance)), chance))),
    (5, lambda chance: json.dumps(chance.choice(valid_session(chance)))),
    (4, lambda chance: json.dumps(any_json(chance))),
    (2, broken_text),
    (2, lambda chance: chance.randbytes(chance.choice([0, 1, 2, 3_200, 3_201]))),
    (1, large),
]


def frames(chance: Chance) -> list[Frame]:
    if chance.random() < 0.2:
        return [json.dumps(message) for message in valid_session(chance)]
    weights, makers = zip(*GENERATORS, strict=True)
    return [maker(chance) for maker in chance.choices(makers, weights, k=chance.randint(1, 15))]


async def misbehave(server: Any, chance: Chance) -> None:
    """One connection: frames, and then an end in good order, in silence, or while the answers come."""
    url = server.websocket + chance.choice(PATHS) + chance.choice(QUERIES)
    async with asyncio.timeout(PATIENCE_SECONDS), connect(url, max_size=None) as connection:
        try:
            for frame in frames(chance):
                await connection.send(frame)
            await end(connection, chance)
        except ConnectionClosed:
            assert connection.close_code != INTERNAL_ERROR


async def end(connection: ClientConnection, chance: Chance) -> None:
    match chance.choice(["abort", "close", "leave", "answers"]):
        case "abort":
            connection.transport.abort()
        case "close":
            await connection.close(chance.choice([1_000, 1_001, 3_000, 4_999]))
        case "answers":
            # Everything that was sent before a ping has been read when its pong comes.
            await (await connection.ping())
        case _:
            pass


async def misbehave_many(server: Any, seeds: range) -> None:
    """So many clients, a few at a time."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(seed: int) -> None:
        async with turn:
            try:
                await misbehave(server, random.Random(seed))
            except Exception as error:
                error.add_note(f"the client of seed {seed}")
                raise

    async with asyncio.TaskGroup() as group:
        for seed in seeds:
            group.create_task(one(seed))


@pytest.fixture(scope="module")
def fuzzed(program: Any) -> Iterator[Any]:
    """A server of this module's own, that forgets lost sessions soon."""
    with program("--model", "whisper-tiny.en", "--resume-seconds", "1", "--max-sessions", "64") as running:
        asyncio.run(running.until_ready())
        yield running


async def test_what_no_client_should_send_breaks_nothing(
    fuzzed: Any, session_on: Any, pcm: Any, two_cities: Path, until_no_streams: Any
) -> None:
    audio = pcm(two_cities, seconds=12)
    async with session_on(fuzzed) as alone:
        transcript = await alone.transcribe(audio)
    await misbehave_many(fuzzed, range(CLIENTS))
    await until_no_streams(fuzzed)
    level = fuzzed.memory()
    async with session_on(fuzzed) as healthy, asyncio.TaskGroup() as group:
        others = group.create_task(misbehave_many(fuzzed, range(CLIENTS, 2 * CLIENTS)))
        for first in range(0, len(audio), SECOND // 4):
            await healthy.append(audio[first : first + SECOND // 4])
            await asyncio.sleep(0 if others.done() else 0.1)
        await others
        await healthy.commit()
        assert (await healthy.until(".completed"))["transcript"] == healthy.deltas() == transcript
    await until_no_streams(fuzzed)
    assert fuzzed.memory() - level < 100
    assert raised(fuzzed.log()) == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        pytest.param("/v1/audio/transcriptions/stream", [], id="stream"),
        pytest.param(
            "/v1/audio/transcriptions/stream",
            [{"type": "session.start"}, {"type": "session.end"}],
            id="ended stream",
        ),
        pytest.param("/v1/audio/transcriptions/stream", [{"type": "session.end"}], id="refused stream"),
        pytest.param("/v1/realtime", [{"type": "dance"}] * 5, id="realtime"),
        pytest.param("/v1/realtime?call_id=1", [], id="refused realtime"),
        pytest.param("/api-ws/v1/realtime", [{"type": "session.finish"}], id="dashscope"),
    ],
)
async def test_a_client_that_leaves_while_it_is_answered_raises_nothing(
    fuzzed: Any, until_no_streams: Any, path: str, said: list[dict[str, str]]
) -> None:
    before = len(fuzzed.log())

    async def leave(seconds: float) -> None:
        async with connect(fuzzed.websocket + path) as connection:
            for message in said:
                await connection.send(json.dumps(message))
            await asyncio.sleep(seconds)
            connection.transport.abort()

    for milliseconds in range(20):
        await asyncio.gather(*(leave(milliseconds / 4_000) for _ in range(8)))
    await until_no_streams(fuzzed)
    assert raised(fuzzed.log()[before:]) == []


async def test_a_text_frame_that_is_no_utf_8_closes_its_connection_only(fuzzed: Any, session_on: Any) -> None:
    async with session_on(fuzzed) as healthy:
        async with connect(f"{fuzzed.websocket}/v1/realtime") as connection:
            await connection.send(b"\xff\xfe", text=True)
            await connection.wait_closed()
            assert connection.close_code == 1_007
        assert await healthy.transcribe(bytes(SECOND)) == ""


def raised(log: str) -> list[str]:
    """The lines of a log that tell of an error."""
    return [line for line in log.splitlines() if " ERROR " in line or line.startswith("Traceback")]
