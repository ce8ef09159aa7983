from __future__ import annotations

import json
import random
from itertools import islice

import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection, serve

from wavescribe.client.backoff import waits
from wavescribe.client.endpoint import realtime_url
from wavescribe.client.events import Event
from wavescribe.client.pcm_input import AudioInput, as_pcm16
from wavescribe.client.session_options import SessionOptions
from wavescribe.client.transcription_client import TranscriptionClient
from wavescribe.errors import AudioFormatError, ConfigurationError, ServerUnreachableError


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost:8000", "ws://localhost:8000/v1/realtime"),
        ("https://host/", "wss://host/v1/realtime"),
        ("https://host/asr/v1/", "wss://host/asr/v1/realtime"),
        ("ws://host:1/v1/realtime", "ws://host:1/v1/realtime"),
        ("wss://host/realtime?x=1", "wss://host/realtime"),
    ],
)
def test_the_endpoint_is_found_from_the_address_of_the_server(url: str, expected: str) -> None:
    assert realtime_url(url) == expected


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://host", "", "http://"])
def test_what_is_no_address_of_a_server_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(ConfigurationError, match="http://localhost:8000"):
        realtime_url(url)


@pytest.mark.parametrize(
    "audio",
    [
        b"\x00\x00\x00\x40",
        bytearray(b"\x00\x00\x00\x40"),
        np.array([0, 16_384], dtype=np.int16),
        np.array([0, 0.5], dtype=np.float32),
        np.array([0, 0.5], dtype=np.float64),
    ],
)
def test_audio_in_any_form_becomes_the_same_pcm(audio: AudioInput) -> None:
    assert as_pcm16(audio) == b"\x00\x00\x00\x40"


@pytest.mark.parametrize(
    ("audio", "said"),
    [
        (b"\x00", "even number of bytes"),
        (np.zeros((2, 2), dtype=np.float32), r"shape \(2, 2\)"),
        (np.zeros(2, dtype=np.int32), "int32"),
        (np.array([np.nan], dtype=np.float32), "not finite"),
    ],
)
def test_what_is_no_mono_audio_is_refused(audio: AudioInput, said: str) -> None:
    with pytest.raises(AudioFormatError, match=said):
        as_pcm16(audio)


def test_the_first_try_is_at_once_and_the_waits_grow_to_a_bound() -> None:
    first, *rest = islice(waits(random.Random(1)), 12)
    assert first == 0
    assert 0.05 <= rest[0] <= 0.1
    assert all(2.5 <= wait <= 5 for wait in rest[-4:])


async def test_a_server_that_is_not_there_is_told_at_once_with_its_address(unused_port: int) -> None:
    with pytest.raises(ServerUnreachableError, match=f"cannot connect to ws://127.0.0.1:{unused_port}/v1/realtime: "):
        async with TranscriptionClient(f"http://127.0.0.1:{unused_port}", SessionOptions()):
            pass


async def events_of(client: TranscriptionClient) -> list[Event]:
    async with client:
        return [event async for event in client]


async def test_a_server_that_ends_every_connection_is_tried_ever_more_rarely_and_then_given_up() -> None:
    connections = 0

    async def greet_and_leave(connection: ServerConnection) -> None:
        nonlocal connections
        connections += 1
        greeting = {"type": "session.created", "event_id": "event_1", "session": {"id": "sess_1"}}
        await connection.send(json.dumps(greeting))
        connection.transport.abort()

    async with serve(greet_and_leave, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        client = TranscriptionClient(f"http://127.0.0.1:{port}", SessionOptions(), reconnect_seconds=1.0)
        with pytest.raises(ServerUnreachableError, match=r"did not come back in 1 s: .* ends every connection"):
            await events_of(client)
    assert 3 <= connections <= 12
