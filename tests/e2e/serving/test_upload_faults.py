"""Files that are not what they say, and a server without room for them: one clear answer, and others go on."""

from __future__ import annotations

import functools
import io
import random
import resource
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import httpx
import numpy as np
import pytest

if TYPE_CHECKING:
    from tests.e2e.serving.conftest import Server

pytestmark = pytest.mark.model

PATH = "/v1/audio/transcriptions"
RATE = 16_000
LONGEST = 600
ROOM = 3 * 1024 * 1024


def little_room() -> None:
    """Files that this process writes can only grow to a few megabytes, as on a disk that is nearly full."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, ROOM))


@pytest.fixture
def server(start: Callable[..., Server]) -> Server:
    return start("--max-audio-seconds", str(LONGEST), prepare=little_room)


@pytest.fixture
def fox_file(fox: Path) -> bytes:
    """A wav file that says: the quick brown fox jumps over the lazy dog."""
    return fox.read_bytes()


def send(server: Server, data: bytes, **fields: str) -> httpx.Response:
    files = {"file": ("a.wav", data)}
    return httpx.post(f"{server.http}{PATH}", files=files, data={"model": "whisper-1", **fields}, timeout=90)


def error_of(answer: httpx.Response) -> dict[str, Any]:
    """The error; it is in the API's shape and tells nothing of the server's inside."""
    error: dict[str, Any] = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert answer.headers["x-request-id"]
    assert "Traceback" not in answer.text
    return error


async def test_an_upload_that_there_is_no_room_for_is_one_clear_error(
    server: Server, witness: Any, fox_file: bytes
) -> None:
    async with witness(server):
        pass
    before = server.descriptors
    async with witness(server):
        answer = send(server, b"\0" * 2 * ROOM)
        assert answer.status_code == 503
        assert error_of(answer) == {
            "message": "The server has no room to keep the upload. Try again later.",
            "type": "server_error",
            "param": None,
            "code": "insufficient_storage",
        }
        assert int(answer.headers["retry-after"]) >= 1
        assert "fox" in send(server, fox_file).json()["text"]
    assert "File too large" in server.log
    await server.until_at_rest(before)


@pytest.mark.parametrize("stream", ["false", "true"])
async def test_a_header_that_claims_six_hours_gives_what_is_there(server: Server, fox_file: bytes, stream: str) -> None:
    before = server.descriptors
    data = bytearray(fox_file)
    size = data.index(b"data") + 4
    rate = struct.unpack_from("<I", data, data.index(b"fmt ") + 16)[0]  # bytes per second
    struct.pack_into("<I", data, size, min(6 * 3600 * rate, 0xFFFFFF00))
    struct.pack_into("<I", data, 4, min(6 * 3600 * rate + 36, 0xFFFFFF24))
    answer = send(server, bytes(data), stream=stream)
    assert answer.status_code == 200
    assert "lazy dog" in answer.text.lower()
    await server.until_at_rest(before)


@functools.cache
def quiet(container: str, codec: str, seconds: int, rate: int) -> bytes:
    """Digital silence, encoded block by block."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        sound: Any = output.add_stream(codec, rate=rate)
        sound.codec_context.format = "s16" if codec == "flac" else "flt"
        sound.codec_context.layout = "mono"
        sound.codec_context.open()
        length = sound.codec_context.frame_size or 4096
        block = np.zeros((1, length), dtype=np.int16 if codec == "flac" else np.float32)
        for position in range(0, seconds * rate, length):
            frame = av.AudioFrame.from_ndarray(block, sound.codec_context.format.name, "mono")
            frame.sample_rate, frame.pts, frame.time_base = rate, position, Fraction(1, rate)
            output.mux(sound.encode(frame))
        output.mux(sound.encode(None))
    return file.getvalue()


@pytest.mark.parametrize(("container", "codec", "rate"), [("flac", "flac", 8000), ("ogg", "libopus", 48_000)])
@pytest.mark.parametrize("stream", ["false", "true"])
async def test_hours_of_silence_in_a_small_file_are_refused_at_the_limit(
    server: Server, container: str, codec: str, rate: int, stream: str
) -> None:
    """Two hours; the limit is ten minutes. Neither time nor memory follows what the file claims to be."""
    data = quiet(container, codec, 2 * 3600, rate)
    assert len(data) < 3 * 1024 * 1024
    send(server, quiet(container, codec, 60, rate))
    before, memory = server.descriptors, server.memory_mb(peak=True)
    refused = server.metric('wavescribe_refused_files_total{limit="duration"}')
    answer = send(server, data, stream=stream)
    if stream == "true":
        assert "longer than 600 seconds" in answer.text
    else:
        assert answer.status_code == 400
        assert error_of(answer)["param"] == "file"
        assert "longer than 600 seconds which is the maximum" in error_of(answer)["message"]
    assert server.metric('wavescribe_refused_files_total{limit="duration"}') == refused + 1
    assert server.memory_mb(peak=True) - memory < 200
    await server.until_at_rest(before)


async def test_malformed_opus_is_transcribed_as_far_as_it_goes_or_refused(
    server: Server, witness: Any, encode: Callable[..., bytes], fox: Path
) -> None:
    async with witness(server):
        pass
    before = server.descriptors
    whole = encode(fox, "ogg", "libopus", "flt", 48_000)
    chance = random.Random(4)
    async with witness(server):
        for damaged in (*(scrambled(whole, chance) for _ in range(8)), whole[:2000], whole[:60], whole[500:]):
            answer = send(server, damaged)
            assert answer.status_code in (200, 400), answer.text
            if answer.status_code == 400:
                assert error_of(answer)["param"] == "file"
    assert "fox" in send(server, whole).json()["text"]
    await server.until_at_rest(before)


def scrambled(data: bytes, chance: random.Random) -> bytes:
    """The data with a twentieth of its bytes, past the first page, replaced."""
    damaged = bytearray(data)
    for _ in range(len(data) // 20):
        damaged[chance.randrange(100, len(data))] = chance.randrange(256)
    return bytes(damaged)
