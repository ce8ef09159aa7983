"""RT-48 to RT-55: turns that the server detects."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import jiwer
import numpy as np
import pytest

pytestmark = pytest.mark.model

RATE = 24_000
TURN = ("speech_started", "speech_stopped", "committed")


def turn_events(session: Any) -> list[dict[str, Any]]:
    return [event for event in session.events if event["type"].endswith(TURN)]


def boundaries(session: Any) -> list[int]:
    """Milliseconds of all starts and stops, in the order they were told."""
    told = [event for event in session.events if event["type"].endswith(("speech_started", "speech_stopped"))]
    return [event["audio_start_ms"] if "audio_start_ms" in event else event["audio_end_ms"] for event in told]


async def test_rt_48_two_utterances_are_two_turns_without_a_commit(
    english_server: Any, talk: Any, hello: Any, fox: Any, silence: Any
) -> None:
    async with talk(english_server) as session:
        await session.append(np.concatenate([hello, silence(1), fox, silence(1)]))
        await session.until("completed", 2)
        assert await session.before_marker() == []
    kinds = [event["type"].removeprefix("input_audio_buffer.") for event in turn_events(session)]
    assert kinds == [*TURN, *TURN]
    texts = [event["transcript"].lower() for event in session.of_type(".completed")]
    assert "world" in texts[0]
    assert "lazy dog" in texts[1]


async def test_rt_49_all_events_of_a_turn_have_its_id(
    english_server: Any, talk: Any, hello: Any, fox: Any, silence: Any
) -> None:
    async with talk(english_server) as session:
        await session.append(np.concatenate([hello, silence(1), fox, silence(1)]))
        await session.until("completed", 2)
    ids = {kind: [event["item_id"] for event in session.of_type(kind)] for kind in (*TURN, ".completed")}
    assert len(set(ids["committed"])) == 2
    assert all(listed == ids["committed"] for listed in ids.values())
    assert [event["item"]["id"] for event in session.of_type("item.done")] == ids["committed"]
    assert {event["item_id"] for event in session.of_type(".delta")} == set(ids["committed"])


async def test_rt_50_starts_and_stops_are_where_the_speech_is_on_the_session_s_clock(
    english_server: Any, talk: Any, hello: Any, fox: Any, silence: Any
) -> None:
    """The clips' speech is from 60 to 2400 ms and from 80 to 750 ms."""
    second = 3_000 + 1_000 * len(fox) / RATE + 1_000
    async with talk(english_server) as session:
        await session.append(np.concatenate([silence(3), fox, silence(1), hello, silence(1)]))
        await session.until("completed", 2)
    starts = [event["audio_start_ms"] for event in session.of_type("speech_started")]
    stops = [event["audio_end_ms"] for event in session.of_type("speech_stopped")]
    assert abs(starts[0] - (3_060 - 300)) <= 150
    assert abs(starts[1] - (second + 80 - 300)) <= 150
    assert stops[0] >= 3_000 + 2_400
    assert stops[1] >= second + 750
    assert all(earlier <= later for earlier, later in pairwise(boundaries(session)))


async def test_rt_50_no_start_is_before_the_session(english_server: Any, talk: Any, fox: Any, silence: Any) -> None:
    async with talk(english_server) as session:
        await session.append(np.concatenate([fox, silence(1)]))
        started = (await session.until("input_audio_buffer.speech_started"))[-1]
    assert 0 <= started["audio_start_ms"] <= 150


@pytest.mark.parametrize("loudness", [0.0, 0.003], ids=["digital silence", "low noise"])
async def test_rt_51_silence_and_low_noise_are_no_turn(
    english_server: Any, talk: Any, fox: Any, silence: Any, loudness: float
) -> None:
    """The first event is that of the speech that follows."""
    noise = (loudness * np.random.default_rng(7).standard_normal(8 * RATE)).astype(np.float32)
    async with talk(english_server) as session:
        await session.append(np.concatenate([noise, fox, silence(1)]))
        await session.until("completed")
    first = session.events[1]
    assert first["type"] == "input_audio_buffer.speech_started"
    assert first["audio_start_ms"] > 7_000
    assert len(turn_events(session)) == 3


@pytest.mark.parametrize(("silence_ms", "items"), [(200, 2), (1_000, 1)])
async def test_rt_52_a_pause_of_600_ms_ends_a_turn_only_where_less_was_asked_for(
    english_server: Any, talk: Any, hello: Any, silence: Any, silence_ms: int, items: int
) -> None:
    speech = hello[: round(0.8 * RATE)]
    async with talk(english_server) as session:
        await session.update(turn_detection={"type": "server_vad", "silence_duration_ms": silence_ms})
        await session.append(np.concatenate([speech, silence(0.47), speech, silence(1.5)]))
        await session.until("completed", items)
        assert await session.before_marker() == []
    assert len(session.of_type(".committed")) == items


async def test_rt_53_a_commit_during_speech_takes_the_turn_and_detection_goes_on_under_a_new_id(
    english_server: Any, talk: Any, reading: Any, silence: Any
) -> None:
    async with talk(english_server) as session:
        await session.append(reading[: 3 * RATE])
        started = (await session.until("input_audio_buffer.speech_started"))[-1]
        await session.commit()
        committed = (await session.until("input_audio_buffer.committed"))[-1]
        assert committed["item_id"] == started["item_id"]
        await session.append(np.concatenate([reading[3 * RATE : 6 * RATE], silence(1)]))
        if not session.of_type(".completed"):
            await session.until("completed")
        await session.until("completed")
    first, second = session.of_type("speech_started")[:2]
    assert second["item_id"] != first["item_id"]
    assert second["audio_start_ms"] >= 3_000
    next_committed = session.of_type(".committed")[1]
    assert next_committed["item_id"] == second["item_id"]
    assert next_committed["previous_item_id"] == first["item_id"]
    assert [event["item_id"] for event in session.of_type(".completed")] == [first["item_id"], second["item_id"]]
    assert session.of_type(".completed")[0]["usage"]["seconds"] == pytest.approx(
        3 - started["audio_start_ms"] / 1_000, abs=0.05
    )


async def test_rt_54_turns_are_the_same_at_any_pace(english_server: Any, talk: Any, hello: Any, silence: Any) -> None:
    samples = np.concatenate([silence(0.5), hello, silence(0.8)])
    async with talk(english_server) as fast:
        await fast.append(samples, packet=len(samples))
        await fast.until("completed")
    async with talk(english_server) as paced:
        for first in range(0, len(samples), RATE // 25):
            await paced.append(samples[first : first + RATE // 25])
            await asyncio.sleep(1 / 25)
        await paced.until("completed")
    assert boundaries(paced) == boundaries(fast)
    assert len(boundaries(fast)) == 2


async def test_rt_55_speech_without_end_is_cut_into_turns_and_no_word_is_lost(
    server: Any, serve: Any, talk: Any, reading: Any, silence: Any, normalise: Any
) -> None:
    async with talk(server, manual=True) as session:
        whole = (await session.transcribe(reading))["transcript"]
    patient = {"type": "server_vad", "silence_duration_ms": 2_000}
    async with talk(serve("--max-turn-seconds", "5")) as session:
        await session.update(turn_detection=patient)
        await session.append(np.concatenate([reading, silence(3)]))
        while not any(event["audio_end_ms"] > 12_000 for event in session.of_type("speech_stopped")):
            await session.until("input_audio_buffer.speech_stopped")
        await session.until("completed")
    completed = session.of_type(".completed")
    assert len(completed) >= 3
    assert all(event["usage"]["seconds"] <= 5.1 for event in completed)
    assert [event["item_id"] for event in session.of_type(".committed")] == [event["item_id"] for event in completed]
    assert (
        session.of_type("speech_started")[1]["audio_start_ms"] == session.of_type("speech_stopped")[0]["audio_end_ms"]
    )
    cut = " ".join(event["transcript"] for event in completed)
    assert jiwer.wer(normalise(whole), normalise(cut)) <= 0.1
