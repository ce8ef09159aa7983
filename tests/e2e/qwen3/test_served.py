"""The program with a small Qwen3-ASR checkpoint, and stock clients. The text is nonsense; what it equals is known."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI
from openai.types.realtime import (
    ConversationItemInputAudioTranscriptionCompletedEvent,
    ConversationItemInputAudioTranscriptionDeltaEvent,
    RealtimeErrorEvent,
)

from wavescribe.audio.decoding import decode_audio
from wavescribe.audio.pcm import encode_pcm16
from wavescribe.engines.base import FileOptions, Samples
from wavescribe.engines.qwen3.engine import Qwen3AsrEngine

RATE = 24_000
PATIENCE_SECONDS = 90
MANUAL: Any = {
    "type": "transcription",
    "audio": {"input": {"turn_detection": None, "transcription": {"model": "whisper-1", "language": "en"}}},
}


@pytest.fixture(scope="module")
def running(serve: Callable[..., Any], model: Path, aligner: Path) -> Any:
    """The program; one thread, as the engine that it is compared with has."""
    threads = ("--workers", "1", "--threads-per-worker", "1")
    return serve("--model", str(model), "--aligner", str(aligner), "--cache-bytes", str(2**26), *threads)


def test_a_file_has_the_text_segments_and_aligned_words_of_the_engine(
    running: Any, offline: Qwen3AsrEngine, two_cities: Path
) -> None:
    with running.client() as client, two_cities.open("rb") as file:
        found = client.audio.transcriptions.create(
            model="whisper-1",
            file=file,
            language="en",
            response_format="verbose_json",
            timestamp_granularities=["word", "segment"],
        )
    samples = decode_audio(two_cities, sample_rate=16_000, max_seconds=60)
    expected = list(offline.transcribe_file(samples, FileOptions(language="en", word_times=True)).segments)
    assert len(expected) >= 2
    assert [(each.text, each.tokens) for each in found.segments or []] == [
        (each.text, list(each.tokens)) for each in expected
    ]
    words = [word for segment in expected for word in segment.words]
    assert len(words) > 100
    assert [(each.word, each.start, each.end) for each in found.words or []] == [
        (word.text.strip(), round(word.start, 3), round(word.end, 3)) for word in words
    ]


def test_a_plain_answer_is_the_text_of_the_engine(running: Any, offline: Qwen3AsrEngine, fox: Path) -> None:
    with running.client() as client, fox.open("rb") as file:
        found = client.audio.transcriptions.create(model="whisper-1", file=file, language="en")
    samples = decode_audio(fox, sample_rate=16_000, max_seconds=60)
    segments = offline.transcribe_file(samples, FileOptions(language="en")).segments
    assert found.text == "".join(segment.text for segment in segments).strip()
    assert found.text


async def spoken(server: Any, samples: Samples) -> tuple[list[str], str]:
    """The deltas and the transcript of one turn, from a session of the stock client."""
    deltas: list[str] = []
    async with (
        AsyncOpenAI(base_url=f"{server.http}/v1", api_key="x", max_retries=0) as client,
        client.realtime.connect(extra_query={"intent": "transcription"}) as connection,
    ):
        await connection.session.update(session=MANUAL)
        for first in range(0, len(samples), RATE // 10):
            packet = base64.b64encode(encode_pcm16(samples[first : first + RATE // 10])).decode()
            await connection.input_audio_buffer.append(audio=packet)
        await connection.input_audio_buffer.commit()
        async for event in connection:
            assert not isinstance(event, RealtimeErrorEvent), event
            if isinstance(event, ConversationItemInputAudioTranscriptionDeltaEvent):
                deltas.append(event.delta or "")
            if isinstance(event, ConversationItemInputAudioTranscriptionCompletedEvent):
                return deltas, event.transcript
    raise AssertionError("the turn never ended")


async def test_realtime_sessions_stream_deltas_that_join_to_the_transcript(running: Any, two_cities: Path) -> None:
    samples = decode_audio(two_cities, sample_rate=RATE, max_seconds=60)[: 12 * RATE]
    async with asyncio.timeout(PATIENCE_SECONDS):
        sessions = await asyncio.gather(*(spoken(running, samples) for _ in range(3)))
    for deltas, transcript in sessions:
        assert "".join(deltas) == transcript
        assert transcript
    assert len({transcript for _, transcript in sessions}) == 1, "a stream beside others is as it is alone"
