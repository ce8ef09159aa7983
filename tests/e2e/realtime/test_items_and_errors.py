"""RT-56 to RT-60 and RT-65, RT-66, RT-68: items, errors, and what events look like over a whole session."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import uvicorn

from wavescribe.api.server import build_app
from wavescribe.engines.base import (
    DecodeRequest,
    Engine,
    EngineInfo,
    FileOptions,
    FileTranscription,
    Hypothesis,
    Samples,
)
from wavescribe.engines.whisper import load_whisper
from wavescribe.settings import load_settings

pytestmark = pytest.mark.model

RATE = 24_000
DRAFT = "item.input_audio_transcription.draft"
LOGPROBS = "item.input_audio_transcription.logprobs"
SECRET = "CUDA error at /opt/secret/kernel.cu:42"


class FragileEngine:
    """The real engine, which breaks on demand.

    Args:
        engine: the engine.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.broken = False

    @property
    def info(self) -> EngineInfo:
        return self._engine.info

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        if self.broken:
            raise RuntimeError(SECRET)
        return self._engine.decode(requests)

    def transcribe_file(self, samples: Samples, options: FileOptions) -> FileTranscription:
        return self._engine.transcribe_file(samples, options)

    def close(self) -> None:
        self._engine.close()


@dataclass(frozen=True, slots=True)
class FragileServer:
    """A server in this process.

    Attributes:
        websocket: its base URL.
        engine: what may be broken.
    """

    websocket: str
    engine: FragileEngine


@pytest.fixture
def fragile() -> Iterator[FragileServer]:
    engine = FragileEngine(load_whisper("whisper-tiny.en", threads_per_worker=2))
    program = uvicorn.Server(
        uvicorn.Config(build_app(engine, load_settings()), host="127.0.0.1", port=0, log_config=None)
    )
    thread = threading.Thread(target=program.run, name="server")
    thread.start()
    try:
        while not program.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        port = program.servers[0].sockets[0].getsockname()[1]
        yield FragileServer(f"ws://127.0.0.1:{port}", engine)
    finally:
        program.should_exit = True
        thread.join(30)
        engine.close()


async def test_rt_56_a_completed_item_can_be_retrieved_with_its_transcript(
    english_server: Any, talk: Any, hello: Any
) -> None:
    async with talk(english_server, manual=True) as session:
        completed = await session.transcribe(hello)
        await session.send("conversation.item.retrieve", item_id=completed["item_id"])
        retrieved = (await session.until("conversation.item.retrieved"))[-1]["item"]
    assert completed["transcript"]
    assert retrieved["id"] == completed["item_id"]
    assert retrieved["content"][0]["transcript"] == completed["transcript"]


@pytest.mark.parametrize("verb", ["retrieve", "delete"])
async def test_rt_57_an_unknown_item_is_an_error(english_server: Any, talk: Any, verb: str) -> None:
    async with talk(english_server, manual=True) as session:
        await session.send(f"conversation.item.{verb}", item_id="item_unknown", event_id="mine")
        (error,) = await session.before_marker()
    assert error["error"]["param"] == "item_id"
    assert error["error"]["event_id"] == "mine"


async def test_rt_57_a_known_item_is_deleted(english_server: Any, talk: Any, silence: Any) -> None:
    async with talk(english_server, manual=True) as session:
        item_id = (await session.transcribe(silence(0.2)))["item_id"]
        await session.send("conversation.item.delete", item_id=item_id)
        (deleted,) = await session.before_marker()
        await session.send("conversation.item.retrieve", item_id=item_id)
        (error,) = await session.before_marker()
    assert (deleted["type"], deleted["item_id"]) == ("conversation.item.deleted", item_id)
    assert error["error"]["param"] == "item_id"


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("not json", "invalid_event"),
        ('[{"type":"input_audio_buffer.commit"}]', "invalid_event"),
        ('{"event_id":"x"}', "invalid_event"),
        ('{"type":"dance"}', "invalid_value"),
        (b"\0\0\0\0", None),
    ],
    ids=["no json", "array", "no type", "unknown type", "binary"],
)
async def test_rt_58_a_frame_that_is_no_event_is_one_error_and_the_session_goes_on(
    english_server: Any, talk: Any, hello: Any, frame: str | bytes, code: str | None
) -> None:
    async with talk(english_server, manual=True) as session:
        await session.connection.send(frame)
        (error,) = await session.before_marker()
        assert error["error"]["type"] == "invalid_request_error"
        assert code in (None, error["error"]["code"])
        assert "world" in (await session.transcribe(hello))["transcript"].lower()


@pytest.mark.parametrize("kind", ["response.create", "response.cancel", "conversation.item.truncate"])
async def test_rt_59_what_belongs_to_conversations_is_an_error_and_the_session_goes_on(
    english_server: Any, talk: Any, hello: Any, kind: str
) -> None:
    async with talk(english_server, manual=True) as session:
        await session.send(kind, event_id="mine")
        (error,) = await session.before_marker()
        assert error["error"]["event_id"] == "mine"
        assert "world" in (await session.transcribe(hello))["transcript"].lower()


async def test_rt_60_an_item_on_which_the_engine_fails_is_failed_and_the_next_one_works(
    fragile: FragileServer, talk: Any, hello: Any, fox: Any
) -> None:
    async with talk(fragile, manual=True) as session:
        fragile.engine.broken = True
        await session.append(fox)
        await session.commit()
        failed = (await session.until("failed"))[-1]
        fragile.engine.broken = False
        completed = await session.transcribe(hello)
        assert await session.before_marker() == []
    committed = session.of_type(".committed")
    assert failed["item_id"] == committed[0]["item_id"]
    assert set(failed["error"]) >= {"type", "message"}
    assert SECRET not in json.dumps(session.events)
    assert "Traceback" not in json.dumps(session.events)
    assert "world" in completed["transcript"].lower()
    assert completed["item_id"] == committed[1]["item_id"]
    assert len(session.of_type(".completed")) == 1


async def test_rt_60_an_engine_that_fails_before_the_commit_fails_the_item_once(
    fragile: FragileServer, talk: Any, reading: Any, hello: Any
) -> None:
    async with talk(fragile, manual=True) as session:
        await session.append(reading[: 4 * RATE])
        await session.until("delta")
        fragile.engine.broken = True
        await session.append(reading[4 * RATE : 8 * RATE])
        await session.commit()
        await session.until("failed")
        fragile.engine.broken = False
        assert "world" in (await session.transcribe(hello))["transcript"].lower()
    first, second = (event["item_id"] for event in session.of_type(".committed"))
    assert [event["item_id"] for event in session.of_type(".failed")] == [first]
    assert [event["item_id"] for event in session.of_type(".completed")] == [second]


async def test_rt_65_every_event_of_a_full_session_passes_the_stock_client(
    english_server: Any, talk: Any, hello: Any, fox: Any, silence: Any
) -> None:
    """The conversation holds each event to the package's types, a fresh `event_id` and less than 1 MiB."""
    async with talk(english_server) as session:
        await session.update(include=[LOGPROBS], noise_reduction={"type": "near_field"}, transcription={"prompt": "Hi"})
        await session.append(np.concatenate([hello, silence(1)]))
        item_id = (await session.until("completed"))[-1]["item_id"]
        await session.update(turn_detection={"type": "semantic_vad"})
        await session.update(turn_detection=None)
        await session.append(hello)
        await session.send("input_audio_buffer.clear")
        await session.transcribe(fox)
        await session.send("conversation.item.retrieve", item_id=item_id)
        await session.send("conversation.item.delete", item_id=item_id)
        await session.send("conversation.item.create", item={"type": "message", "role": "user", "content": []})
        await session.send("response.create")
        await session.commit()
        await session.before_marker()
    assert {event["type"] for event in session.events} == {
        "session.created",
        "session.updated",
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "input_audio_buffer.cleared",
        "conversation.item.added",
        "conversation.item.done",
        "conversation.item.retrieved",
        "conversation.item.deleted",
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.completed",
        "error",
    }


async def test_rt_66_drafts_do_not_appear_unasked(english_server: Any, talk: Any, reading: Any) -> None:
    async with talk(english_server, manual=True) as session:
        await session.transcribe(reading[: 5 * RATE])
    assert not session.of_type("transcription.text")
    assert all("stash" not in event and "words" not in event for event in session.events)


async def test_rt_66_drafts_that_were_asked_for_leave_the_standard_events_alone(
    english_server: Any, talk: Any, reading: Any, joined: Any
) -> None:
    async with talk(english_server, manual=True) as session:
        usual = await session.transcribe(reading[: 5 * RATE])
        await session.update(include=[DRAFT])
        seen = len(session.events)
        completed = await session.transcribe(reading[: 5 * RATE])
    own = session.events[seen:]
    assert completed["transcript"] == usual["transcript"] == joined(own)
    drafts = [event for event in own if event["type"].endswith("transcription.text")]
    assert any(event["stash"] for event in drafts)
    assert {event["item_id"] for event in drafts} == {completed["item_id"]}
    assert all(completed["transcript"].startswith(event["text"]) for event in drafts)


async def test_rt_68_a_beta_update_is_answered_in_its_shape_and_items_are_created(
    english_server: Any, talk: Any, hello: Any
) -> None:
    async with talk(english_server, strict=False) as session:
        wanted = {
            "input_audio_format": "pcm16",
            "input_audio_transcription": {"model": "whisper-1", "language": "en"},
            "turn_detection": None,
            "input_audio_noise_reduction": {"type": "near_field"},
        }
        await session.send("transcription_session.update", session=wanted)
        updated = (await session.until("transcription_session.updated"))[-1]["session"]
        completed = await session.transcribe(hello)
    assert updated["input_audio_format"] == "pcm16"
    assert updated["input_audio_transcription"] == {"model": "whisper-1", "language": "en", "prompt": ""}
    assert updated["turn_detection"] is None
    assert updated["id"] == session.events[0]["session"]["id"]
    assert [event["item"]["id"] for event in session.of_type("item.created")] == [completed["item_id"]]
    assert not session.of_type("item.added")
    assert not session.of_type("item.done")
    assert "world" in completed["transcript"].lower()
