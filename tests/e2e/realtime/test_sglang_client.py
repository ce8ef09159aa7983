"""A client of SGLang's realtime endpoint against the running program with `--compat sglang`."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from wavescribe.audio.decoding import decode_audio
from wavescribe.audio.pcm import encode_pcm16

pytestmark = pytest.mark.model

RATE = 16_000
MODEL = "whisper-tiny.en"
QUERY = f"?model={MODEL}"


@pytest.fixture(scope="module")
def sglang(serve: Any) -> Any:
    return serve("--model", MODEL, "--compat", "sglang")


@pytest.fixture(scope="module")
def fox_16k(clips: Any) -> Any:
    return decode_audio(clips / "en" / "quick_brown_fox.wav", sample_rate=RATE, max_seconds=60)


def configuration(**changes: Any) -> dict[str, Any]:
    audio_input = {
        "format": {"type": "audio/pcm", "rate": RATE},
        "transcription": {"model": MODEL, "language": None},
        "noise_reduction": None,
        "turn_detection": None,
        **changes,
    }
    return {"type": "transcription", "audio": {"input": audio_input}}


async def configured(session: Any, rate: int = RATE) -> dict[str, Any]:
    changes = configuration(format={"type": "audio/pcm", "rate": rate})
    await session.send("session.update", session=changes)
    updated: dict[str, Any] = (await session.until("session.updated"))[-1]["session"]
    return updated


async def commit(session: Any, samples: Any, packet: int) -> dict[str, Any]:
    """Send samples in packets, commit, and read to the transcript."""
    for first in range(0, len(samples), packet):
        data = encode_pcm16(samples[first : first + packet])
        await session.send("input_audio_buffer.append", audio=base64.b64encode(data).decode())
    await session.commit()
    completed: dict[str, Any] = (await session.until("completed"))[-1]
    return completed


async def test_the_sample_client_gets_its_transcript(sglang: Any, talk: Any, fox_16k: Any, joined: Any) -> None:
    async with talk(sglang, QUERY) as session:
        created = session.events[0]["session"]
        assert created["id"].startswith("sess_")
        assert created["audio"]["input"]["turn_detection"] is None
        updated = await configured(session)
        assert updated["audio"]["input"]["format"] == {"type": "audio/pcm", "rate": RATE}
        assert updated["audio"]["input"]["turn_detection"] is None
        completed = await commit(session, fox_16k, RATE // 2)
    assert "lazy dog" in completed["transcript"].lower()
    assert joined(session.events) == completed["transcript"]
    assert completed["usage"]["type"] == "duration"
    assert abs(completed["usage"]["seconds"] - len(fox_16k) / RATE) < 0.02


async def test_the_model_of_the_query_does_not_matter(sglang: Any, talk: Any) -> None:
    async with talk(sglang, "?model=qwen3-asr") as session:
        assert session.events[0]["type"] == "session.created"


async def test_a_commit_is_answered_by_committed_and_created(sglang: Any, talk: Any, fox_16k: Any) -> None:
    async with talk(sglang, QUERY) as session:
        await configured(session)
        first = await commit(session, fox_16k, RATE // 2)
        second = await commit(session, fox_16k[:RATE], RATE // 2)
    kinds = [event["type"] for event in session.events]
    assert "conversation.item.added" not in kinds
    assert "conversation.item.done" not in kinds
    assert kinds[kinds.index("input_audio_buffer.committed") + 1] == "conversation.item.created"
    committed, created = session.of_type(".committed"), session.of_type("item.created")
    ids = [first["item_id"], second["item_id"]]
    assert len(set(ids)) == 2
    assert [event["item_id"] for event in committed] == [event["item"]["id"] for event in created] == ids
    assert [event["previous_item_id"] for event in committed] == [None, ids[0]]
    assert created[0]["item"]["content"][0]["type"] == "input_audio"


async def test_text_comes_while_audio_is_still_being_sent(sglang: Any, talk: Any, two_cities: Any) -> None:
    samples = decode_audio(two_cities, sample_rate=RATE, max_seconds=60)
    async with talk(sglang, QUERY) as session:
        await configured(session)
        for first in range(0, 6 * RATE, RATE // 2):
            data = encode_pcm16(samples[first : first + RATE // 2])
            await session.send("input_audio_buffer.append", audio=base64.b64encode(data).decode())
        early = (await session.until("delta"))[-1]
        await session.commit()
        completed = (await session.until("completed"))[-1]
    assert early["item_id"] == completed["item_id"]


@pytest.mark.parametrize("rate", [24_000, 48_000])
async def test_the_rates_of_the_dialect_give_the_same_text(
    sglang: Any, talk: Any, clips: Any, fox_16k: Any, normalise: Any, rate: int
) -> None:
    samples = decode_audio(clips / "en" / "quick_brown_fox.wav", sample_rate=rate, max_seconds=60)
    async with talk(sglang, QUERY) as session:
        await configured(session)
        usual = await commit(session, fox_16k, RATE // 2)
        await configured(session, rate)
        other = await commit(session, samples, rate // 2)
    assert normalise(other["transcript"]) == normalise(usual["transcript"])


async def test_22050_is_refused(sglang: Any, talk: Any) -> None:
    async with talk(sglang, QUERY) as session:
        changes = configuration(format={"type": "audio/pcm", "rate": 22_050})
        await session.send("session.update", session=changes, event_id="mine")
        (error,) = await session.before_marker()
    assert error["error"]["code"] == "invalid_value"
    assert error["error"]["param"] == "session.audio.input.format.rate"
    assert error["error"]["event_id"] == "mine"


@pytest.mark.parametrize(
    ("session_object", "param"),
    [
        (configuration(transcription=MODEL), "session.audio.input.transcription"),
        ({"type": "transcription", "audio": {"input": 5}}, "session.audio.input"),
        ({"type": "transcription", "audio": "loud"}, "session.audio"),
    ],
    ids=["transcription", "input", "audio"],
)
async def test_a_section_that_is_no_object_is_an_invalid_value(
    sglang: Any, talk: Any, session_object: dict[str, Any], param: str
) -> None:
    async with talk(sglang, QUERY) as session:
        await session.send("session.update", session=session_object)
        (error,) = await session.before_marker()
    assert (error["error"]["code"], error["error"]["param"]) == ("invalid_value", param)


async def test_audio_that_is_no_string_is_an_invalid_value(sglang: Any, talk: Any) -> None:
    async with talk(sglang, QUERY) as session:
        await configured(session)
        await session.send("input_audio_buffer.append", audio=5)
        (error,) = await session.before_marker()
    assert (error["error"]["code"], error["error"]["param"]) == ("invalid_value", "audio")


async def test_one_session_too_many_is_told_the_dialect_s_code(serve: Any, talk: Any) -> None:
    server = serve("--model", MODEL, "--compat", "sglang", "--asr-max-concurrent-sessions", "1")
    async with talk(server, QUERY), talk(server, QUERY, greeted=False) as second:
        (error,) = await second.rest()
    assert error["error"]["type"] == "rate_limit_exceeded"
    assert error["error"]["code"] == "too_many_sessions"
    assert error["error"]["message"] == "Maximum concurrent sessions reached (1)."
