"""The stock clients against the running program: the OpenAI package itself, and the sequences that others send."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.realtime import (
    ConversationItemInputAudioTranscriptionCompletedEvent,
    ConversationItemInputAudioTranscriptionDeltaEvent,
    InputAudioBufferCommittedEvent,
    RealtimeErrorEvent,
    SessionCreatedEvent,
    SessionUpdatedEvent,
)

from wavescribe.audio.pcm import encode_pcm16

pytestmark = pytest.mark.model

RATE = 24_000
Completed = ConversationItemInputAudioTranscriptionCompletedEvent
MANUAL: Any = {"type": "transcription", "audio": {"input": {"turn_detection": None}}}


def encoded(samples: Any) -> str:
    return base64.b64encode(encode_pcm16(samples)).decode()


@asynccontextmanager
async def asynchronous(server: Any) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{server.http}/v1", api_key="x", max_retries=0) as client:
        yield client


async def until_completed(connection: Any, times: int = 1) -> list[Any]:
    """The typed events up to the last of so many `completed`."""
    events: list[Any] = []
    async with asyncio.timeout(60):
        async for event in connection:
            events.append(event)
            assert not isinstance(event, RealtimeErrorEvent), event
            if sum(isinstance(known, Completed) for known in events) == times:
                break
    return events


async def test_the_asynchronous_client_transcribes_a_commit(english_server: Any, fox: Any) -> None:
    async with (
        asynchronous(english_server) as client,
        client.realtime.connect(extra_query={"intent": "transcription"}) as connection,
    ):
        assert isinstance(await connection.recv(), SessionCreatedEvent)
        await connection.session.update(session=MANUAL)
        for first in range(0, len(fox), RATE // 10):
            await connection.input_audio_buffer.append(audio=encoded(fox[first : first + RATE // 10]))
        await connection.input_audio_buffer.commit()
        events = await until_completed(connection)
    deltas = [event for event in events if isinstance(event, ConversationItemInputAudioTranscriptionDeltaEvent)]
    (committed,) = [event for event in events if isinstance(event, InputAudioBufferCommittedEvent)]
    assert isinstance(events[0], SessionUpdatedEvent)
    assert "lazy dog" in events[-1].transcript.lower()
    assert "".join(event.delta or "" for event in deltas) == events[-1].transcript
    assert {event.item_id for event in [*deltas, events[-1]]} == {committed.item_id}
    assert abs(events[-1].usage.seconds - len(fox) / RATE) < 0.02


def test_the_synchronous_client_transcribes_a_detected_turn(english_server: Any, hello: Any, silence: Any) -> None:
    with (
        OpenAI(base_url=f"{english_server.http}/v1", api_key="x", max_retries=0) as client,
        client.realtime.connect(model="whisper-1") as connection,
    ):
        connection.input_audio_buffer.append(audio=encoded(np.concatenate([hello, silence(1)])))
        events = []
        for event in connection:
            events.append(event)
            if isinstance(event, Completed):
                break
    assert isinstance(events[0], SessionCreatedEvent)
    assert "world" in events[-1].transcript.lower()  # type: ignore[union-attr]
    assert not [event for event in events if isinstance(event, RealtimeErrorEvent)]


def test_the_synchronous_client_goes_on_after_an_error(english_server: Any, hello: Any) -> None:
    with (
        OpenAI(base_url=f"{english_server.http}/v1", api_key="x", max_retries=0) as client,
        client.realtime.connect(extra_query={"intent": "transcription"}) as connection,
    ):
        connection.session.update(session=MANUAL)
        connection.input_audio_buffer.commit(event_id="empty")
        created, updated, error = (connection.recv() for _ in range(3))
        assert isinstance(created, SessionCreatedEvent)
        assert isinstance(updated, SessionUpdatedEvent)
        assert isinstance(error, RealtimeErrorEvent)
        assert (error.error.code, error.error.event_id) == ("input_audio_buffer_commit_empty", "empty")
        connection.input_audio_buffer.append(audio=encoded(hello))
        connection.input_audio_buffer.commit()
        last = next(event for event in connection if isinstance(event, Completed))
    assert "world" in last.transcript.lower()


async def test_the_beta_client_transcribes_a_commit(english_server: Any, hello: Any) -> None:
    """It connects by `?model=` with the header `OpenAI-Beta`, and updates in the beta's shape."""
    client = AsyncOpenAI(
        base_url=f"{english_server.http}/v1", websocket_base_url=f"{english_server.websocket}/v1", api_key="x"
    )
    async with client, client.beta.realtime.connect(model="whisper-1") as connection:
        await connection.transcription_session.update(session={"turn_detection": None})  # type: ignore[typeddict-item]
        await connection.input_audio_buffer.append(audio=encoded(hello))
        await connection.input_audio_buffer.commit()
        async with asyncio.timeout(60):
            events: list[Any] = []
            while not events or not events[-1].type.endswith(".completed"):
                events.append(await connection.recv())
    kinds = [event.type for event in events]
    assert "transcription_session.updated" in kinds
    assert "conversation.item.created" in kinds
    assert "error" not in kinds
    assert "world" in events[-1].transcript.lower()


async def test_a_stream_ended_by_commit_and_clear_gets_all_that_it_waits_for(
    english_server: Any, talk: Any, fox: Any, silence: Any
) -> None:
    """As openai-agents ends one, with semantic_vad: `cleared`, and a `completed` of each committed item."""
    async with talk(english_server) as session:
        await session.update(turn_detection={"type": "semantic_vad"})
        await session.append(np.concatenate([fox, silence(0.2)]))
        await session.commit(event_id="last")
        await session.send("input_audio_buffer.clear")
        kinds = [event["type"] for event in await session.until("input_audio_buffer.cleared")]
        if "conversation.item.input_audio_transcription.completed" not in kinds:
            await session.until("completed")
    committed = [event["item_id"] for event in session.of_type(".committed")]
    completed = session.of_type(".completed")
    assert [event["item_id"] for event in completed] == committed
    assert "lazy dog" in " ".join(event["transcript"] for event in completed).lower()


async def test_a_stream_of_silence_ended_by_commit_and_clear_is_no_endless_wait(
    english_server: Any, talk: Any, silence: Any
) -> None:
    async with talk(english_server) as session:
        await session.update(turn_detection={"type": "semantic_vad"})
        await session.append(silence(1))
        await session.commit(event_id="last")
        await session.send("input_audio_buffer.clear")
        await session.until("input_audio_buffer.cleared")
        while len(session.of_type(".completed")) < len(session.of_type(".committed")):
            await session.until("completed")
    assert all(event["transcript"] == "" for event in session.of_type(".completed"))


async def test_an_update_and_audio_sent_before_the_greeting_is_read_are_taken(
    english_server: Any, talk: Any, fox: Any, silence: Any
) -> None:
    """As LiveKit starts: both queries, an update at once, then 50 ms packets with its own turn detection."""
    detection = {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 600, "silence_duration_ms": 350}
    async with talk(english_server, "?intent=transcription&model=gpt-4o-mini-transcribe", greeted=False) as session:
        update = {
            "audio": {
                "input": {
                    "format": {"type": "audio/pcm", "rate": RATE},
                    "transcription": {"model": "gpt-4o-mini-transcribe", "prompt": "", "language": "en"},
                    "turn_detection": detection,
                }
            },
            "type": "transcription",
        }
        await session.send("session.update", session=update)
        await session.append(np.concatenate([fox, silence(1)]), packet=1_200)
        events = await session.until("completed")
    assert [event["type"] for event in events[:2]] == ["session.created", "session.updated"]
    assert "lazy dog" in events[-1]["transcript"].lower()
    assert events[-1]["usage"]["type"] == "duration"


async def test_an_item_is_retrieved_after_its_transcript_by_a_conversation_s_client(
    english_server: Any, talk: Any, hello: Any, silence: Any
) -> None:
    """As agents-js works: a configuration of type realtime, tracing, and `retrieve` after each `completed`."""
    wanted = {"type": "realtime", "model": "gpt-realtime-2.1", "output_modalities": ["audio"], "audio": {"input": {}}}
    async with talk(english_server, "?model=whisper-1") as session:
        await session.send("session.update", session=wanted)
        await session.send("session.update", session={"type": "realtime", "tracing": "auto"})
        await session.append(np.concatenate([hello, silence(1)]))
        completed = (await session.until("completed"))[-1]
        await session.send("conversation.item.retrieve", item_id=completed["item_id"])
        item = (await session.until("conversation.item.retrieved"))[-1]["item"]
    assert item["content"] == [{"type": "input_audio", "transcript": completed["transcript"]}]
