"""`stream=true`: HTTP-10, 11, 13, 14 and 15 of the OpenAI API's checklist, and equality with the WebSocket."""

from __future__ import annotations

import asyncio
import json
import time
import wave
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.audio import TranscriptionStreamEvent, TranscriptionTextDeltaEvent, TranscriptionTextDoneEvent
from pydantic import TypeAdapter
from websockets.asyncio.client import connect

from wavescribe.audio.decoding import decode_audio
from wavescribe.audio.pcm import encode_pcm16

pytestmark = pytest.mark.model


def frames(server: Any, path: Path, **fields: str) -> list[str]:
    """The data of every server-sent event."""
    with path.open("rb") as file:
        answer = httpx.post(
            f"{server.http}/v1/audio/transcriptions",
            files={"file": file},
            data={"model": "whisper-1", "stream": "true", **fields},
            timeout=120,
        )
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-cache"
    return [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: ")]


def gauge(server: Any, name: str) -> float:
    lines = httpx.get(f"{server.http}/metrics").text.splitlines()
    return float(next(line for line in lines if line.startswith(f"{name} ")).split()[1])


def test_events_are_deltas_and_a_last_done_whose_text_they_join_to(client: OpenAI, two_cities: Path) -> None:
    with (
        two_cities.open("rb") as file,
        client.audio.transcriptions.create(file=file, model="whisper-1", language="en", stream=True) as stream,
    ):
        events = list(stream)
    *deltas, done = events
    assert isinstance(done, TranscriptionTextDoneEvent)
    assert len(deltas) > 10
    assert all(isinstance(event, TranscriptionTextDeltaEvent) for event in deltas)
    assert "".join(event.delta for event in deltas if event.type == "transcript.text.delta") == done.text
    assert "best of times" in done.text


def test_deltas_have_their_words_with_times_where_they_are_asked_for(server: Any, fox: Path) -> None:
    *deltas, done = [json.loads(data) for data in frames(server, fox, **{"timestamp_granularities[]": "word"})]
    words = [word for delta in deltas for word in delta["words"]]
    assert [word["word"] for word in words] == done["text"].split()
    times = [moment for word in words for moment in (word["start"], word["end"])]
    assert times == sorted(times)
    assert 2 < times[-1] < 3
    assert all("words" not in json.loads(data) for data in frames(server, fox))


async def test_the_asynchronous_client_reads_the_same(server: Any, fox: Path) -> None:
    async with AsyncOpenAI(base_url=f"{server.http}/v1", api_key="x", max_retries=0) as client:
        with fox.open("rb") as file:
            stream = await client.audio.transcriptions.create(file=file, model="whisper-1", stream=True)
        types = [event.type async for event in stream]
    assert types[-1] == "transcript.text.done"
    assert set(types[:-1]) == {"transcript.text.delta"}


def test_every_event_passes_the_strict_types_of_the_sdk(server: Any, fox: Path) -> None:
    strict: TypeAdapter[Any] = TypeAdapter(TranscriptionStreamEvent)
    for data in frames(server, fox):
        strict.validate_python(json.loads(data))


def test_text_comes_while_the_file_is_still_worked_on(server: Any, two_cities: Path) -> None:
    before = gauge(server, "wavescribe_step_seconds_count")
    with (
        two_cities.open("rb") as file,
        httpx.stream(
            "POST",
            f"{server.http}/v1/audio/transcriptions",
            files={"file": file},
            data={"stream": "true", "language": "en"},
            timeout=120,
        ) as answer,
    ):
        lines = answer.iter_lines()
        next(line for line in lines if "transcript.text.delta" in line)
        at_first = gauge(server, "wavescribe_step_seconds_count") - before
        assert sum("transcript.text" in line for line in lines) > 5
    assert at_first < (gauge(server, "wavescribe_step_seconds_count") - before) / 2


def test_the_older_form_is_chunks_and_a_last_done_mark(server: Any, fox: Path) -> None:
    *chunks, last, mark = frames(server, fox, stream_format="chunks")
    assert mark == "[DONE]"
    bodies = [json.loads(chunk) for chunk in chunks]
    assert {body["object"] for body in bodies} == {"transcription.chunk"}
    text = "".join(body["choices"][0]["delta"]["content"] for body in bodies)
    assert "fox" in text
    assert json.loads(last)["choices"] == [{"delta": {}, "finish_reason": "stop"}]


def test_the_default_form_has_no_done_mark_and_no_chunks(server: Any, fox: Path) -> None:
    assert not any("[DONE]" in data or "transcription.chunk" in data for data in frames(server, fox))


async def test_the_web_socket_and_the_events_give_the_same_text_to_the_byte(
    server: Any, two_cities: Path, tmp_path: Path
) -> None:
    pcm = encode_pcm16(decode_audio(two_cities, max_seconds=60)[: 20 * 16_000])
    with wave.open(str(tmp_path / "same.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", "not compressed"))
        file.writeframes(pcm)
    data = await asyncio.to_thread(frames, server, tmp_path / "same.wav", language="en")
    async with connect(f"{server.websocket}/v1/audio/transcriptions/stream") as connection:
        await connection.send(json.dumps({"type": "session.start", "language": "en"}))
        for start in range(0, len(pcm), 8_000):
            await connection.send(pcm[start : start + 8_000])
        await connection.send(json.dumps({"type": "session.end"}))
        messages = [json.loads(frame) async for frame in connection]
    assert json.loads(data[-1])["text"] == messages[-1]["text"]


def test_a_file_that_is_no_audio_is_an_ordinary_error(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.audio.transcriptions.create(file=("a.wav", b"text" * 500), model="whisper-1", stream=True)
    assert caught.value.param == "file"


def test_too_little_audio_is_an_ordinary_error(client: OpenAI, encode: Any) -> None:
    short = encode(np.zeros(800, np.float32), "wav", "pcm_s16le", "s16", 16_000)
    with pytest.raises(openai.BadRequestError) as caught:
        client.audio.transcriptions.create(file=("a.wav", short), model="whisper-1", stream=True)
    assert caught.value.code == "audio_too_short"


def test_an_error_while_text_flows_reaches_the_sdk_as_one(serve: Any, two_cities: Path) -> None:
    server = serve("--model", "whisper-tiny.en", "--max-audio-seconds", "20")
    with server.client() as client, two_cities.open("rb") as file:
        stream = client.audio.transcriptions.create(file=file, model="whisper-1", stream=True)
        received: list[str] = []
        with pytest.raises(openai.APIError, match="longer than 20 seconds"):
            received.extend(event.type for event in stream)
    assert "transcript.text.done" not in received


def test_a_client_that_goes_away_stops_the_work_and_frees_its_place(serve: Any, two_cities: Path) -> None:
    server = serve("--model", "whisper-tiny.en", "--max-file-jobs", "1")
    with (
        two_cities.open("rb") as file,
        httpx.stream(
            "POST", f"{server.http}/v1/audio/transcriptions", files={"file": file}, data={"stream": "true"}, timeout=60
        ) as answer,
    ):
        next(line for line in answer.iter_lines() if "delta" in line)
    for _ in range(100):
        steps = gauge(server, "wavescribe_step_seconds_count")
        time.sleep(0.5)
        if gauge(server, "wavescribe_step_seconds_count") == steps:
            break
    assert steps < 40
    assert frames(server, two_cities.parent / "beckett.wav")[-1]


@pytest.mark.parametrize("strategy", ["cumulative", "sliced", "segmented"])
def test_a_streamed_file_may_choose_its_strategy(server: Any, fox: Path, strategy: str) -> None:
    *deltas, done = [json.loads(frame) for frame in frames(server, fox, strategy=strategy, delay="low", language="en")]
    assert "quick brown fox" in done["text"].lower()
    # The recipes hold five words back, and hear two seconds before their first one; a segment settles as a whole.
    assert len(deltas) <= 2


def test_an_unknown_strategy_is_named(server: Any, fox: Path) -> None:
    with fox.open("rb") as file:
        answer = httpx.post(
            f"{server.http}/v1/audio/transcriptions",
            files={"file": file},
            data={"stream": "true", "strategy": "quick"},
        )
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "strategy"
    assert "windowed" in answer.json()["error"]["message"]
