"""RT-29 to RT-42 and RT-45 to RT-47: audio and commits while only the client ends turns."""

from __future__ import annotations

import base64
from contextlib import suppress
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import websockets

pytestmark = pytest.mark.model

RATE = 24_000
MEBIBYTE = 1024 * 1024
LOGPROBS = "item.input_audio_transcription.logprobs"
EMPTY = "input_audio_buffer_commit_empty"


def short(kind: str) -> str:
    return kind.removeprefix("conversation.item.").removeprefix("input_audio_transcription.")


async def test_rt_29_a_commit_is_followed_by_its_events_in_order_under_one_id(
    english_server: Any, talk: Any, hello: Any
) -> None:
    async with talk(english_server, manual=True) as session:
        await session.append(hello)
        await session.commit()
        events = await session.until("completed")
    kinds = [short(event["type"]) for event in events]
    assert kinds[:3] == ["input_audio_buffer.committed", "added", "done"]
    assert set(kinds[3:-1]) == {"delta"}
    assert kinds[-1] == "completed"
    ids = {event.get("item_id") or event["item"]["id"] for event in events}
    assert ids == {events[0]["item_id"]}
    assert events[0]["item_id"].startswith("item_")


async def test_rt_30_the_deltas_of_an_item_join_to_its_transcript(
    english_server: Any, talk: Any, reading: Any, hello: Any, joined: Any
) -> None:
    async with talk(english_server, manual=True) as session:
        for samples in (reading, hello):
            await session.append(samples)
            await session.commit()
        await session.until("completed", 2)
    for completed in session.of_type(".completed"):
        own = [event for event in session.events if event.get("item_id") == completed["item_id"]]
        assert joined(own) == completed["transcript"]
        assert completed["transcript"]
    assert len(session.of_type(".delta")) > 2


async def test_rt_31_a_commit_of_nothing_is_the_known_error(english_server: Any, talk: Any, hello: Any) -> None:
    async with talk(english_server, manual=True) as session:
        await session.commit(event_id="mine")
        (error,) = await session.before_marker()
        assert error["error"]["type"] == "invalid_request_error"
        assert error["error"]["code"] == EMPTY
        assert "buffer too small. Expected at least 100ms" in error["error"]["message"]
        assert error["error"]["event_id"] == "mine"
        assert "world" in (await session.transcribe(hello))["transcript"].lower()


async def test_rt_32_exactly_100_ms_can_be_committed(english_server: Any, talk: Any) -> None:
    async with talk(english_server, manual=True) as session:
        await session.append_bytes(bytes(4_800))
        await session.commit()
        completed = (await session.until("completed"))[-1]
    assert completed["usage"]["seconds"] == pytest.approx(0.1)


async def test_rt_32_99_ms_cannot_be_committed_and_stay_for_a_later_commit(english_server: Any, talk: Any) -> None:
    async with talk(english_server, manual=True) as session:
        await session.append_bytes(bytes(4_752))
        await session.commit()
        (error,) = await session.before_marker()
        assert error["error"]["code"] == EMPTY
        assert "99.00ms" in error["error"]["message"]
        await session.append_bytes(bytes(48))
        await session.commit()
        completed = (await session.until("completed"))[-1]
    assert completed["usage"]["seconds"] == pytest.approx(0.1)


async def test_rt_33_a_second_commit_right_after_the_first_makes_no_item(
    english_server: Any, talk: Any, hello: Any
) -> None:
    async with talk(english_server, manual=True) as session:
        await session.append(hello)
        await session.commit()
        await session.commit(event_id="second")
        error = (await session.until("error"))[-1]
        if not session.of_type(".completed"):
            await session.until("completed")
        await session.before_marker()
    assert (error["error"]["code"], error["error"]["event_id"]) == (EMPTY, "second")
    assert len(session.of_type(".committed")) == len(session.of_type(".completed")) == 1


async def test_rt_34_items_are_chained(english_server: Any, talk: Any, silence: Any) -> None:
    async with talk(english_server, manual=True) as session:
        for _ in range(3):
            await session.append(silence(0.2))
            await session.commit()
        await session.until("completed", 3)
    committed = session.of_type(".committed")
    first, second, third = (event["item_id"] for event in committed)
    assert len({first, second, third}) == 3
    assert [event["previous_item_id"] for event in committed] == [None, first, second]
    assert [event["previous_item_id"] for event in session.of_type("item.added")] == [None, first, second]
    assert [event["item_id"] for event in session.of_type(".completed")] == [first, second, third]


async def test_rt_35_a_cleared_buffer_is_empty(english_server: Any, talk: Any, hello: Any) -> None:
    async with talk(english_server, manual=True) as session:
        await session.append(hello)
        await session.send("input_audio_buffer.clear")
        await session.commit()
        cleared, error = await session.before_marker()
        assert cleared["type"] == "input_audio_buffer.cleared"
        assert error["error"]["code"] == EMPTY
        completed = await session.transcribe(np.zeros(RATE, np.float32))
    assert completed["transcript"] == ""
    assert session.of_type(".committed")[0]["previous_item_id"] is None


async def test_rt_36_a_clear_does_not_touch_what_was_committed(english_server: Any, talk: Any, fox: Any) -> None:
    async with talk(english_server, manual=True) as session:
        await session.append(fox, packet=len(fox))
        await session.commit()
        await session.send("input_audio_buffer.clear")
        completed = (await session.until("completed"))[-1]
    kinds = [event["type"] for event in session.events]
    assert kinds.index("input_audio_buffer.committed") < kinds.index("input_audio_buffer.cleared")
    assert completed["item_id"] == session.of_type(".committed")[0]["item_id"]
    assert "lazy dog" in completed["transcript"].lower()


async def test_rt_37_committed_silence_completes_with_no_text(english_server: Any, talk: Any, silence: Any) -> None:
    async with talk(english_server, manual=True) as session:
        completed = await session.transcribe(silence(2))
        await session.before_marker()
    assert completed["transcript"] == ""
    assert completed["usage"] == {"type": "duration", "seconds": 2.0}
    assert not session.of_type(".delta")
    assert not session.of_type(".failed")


async def test_rt_38_usage_is_the_seconds_that_were_committed(
    english_server: Any, talk: Any, hello: Any, fox: Any
) -> None:
    async with talk(english_server, manual=True) as session:
        for samples in (hello, fox[: 10 * 2_401]):
            usage = (await session.transcribe(samples, packet=1_237))["usage"]
            assert usage["type"] == "duration"
            assert abs(usage["seconds"] - len(samples) / RATE) < 0.02


@pytest.mark.parametrize(
    "audio",
    ["!!not base64!!", "AAA", base64.b64encode(bytes(4_801)).decode()],
    ids=["no base64", "half of base64", "odd"],
)
async def test_rt_39_audio_that_cannot_be_read_is_an_error_and_leaves_the_buffer_alone(
    english_server: Any, talk: Any, hello: Any, audio: str
) -> None:
    async with talk(english_server, manual=True) as session:
        await session.append(hello)
        await session.send("input_audio_buffer.append", audio=audio, event_id="wrong")
        (error,) = await session.before_marker()
        await session.commit()
        completed = (await session.until("completed"))[-1]
    assert (error["error"]["code"], error["error"]["param"]) == ("invalid_value", "audio")
    assert error["error"]["event_id"] == "wrong"
    assert abs(completed["usage"]["seconds"] - len(hello) / RATE) < 0.02
    assert "world" in completed["transcript"].lower()


async def test_rt_40_empty_audio_does_nothing(english_server: Any, talk: Any) -> None:
    async with talk(english_server, manual=True) as session:
        await session.send("input_audio_buffer.append", audio="")
        assert await session.before_marker() == []
        await session.commit()
        assert (await session.until("error"))[-1]["error"]["code"] == EMPTY


@pytest.mark.parametrize("packet", [24, 1_009, 7_919, 120_000])
async def test_rt_41_packets_of_any_size_give_the_same_text(
    english_server: Any, talk: Any, fox: Any, packet: int
) -> None:
    async with talk(english_server, manual=True) as session:
        usual = await session.transcribe(fox)
        other = await session.transcribe(fox, packet=packet)
    assert "lazy dog" in usual["transcript"].lower()
    assert other["transcript"] == usual["transcript"]


async def test_rt_42_15_mib_of_audio_fit_in_one_append(english_server: Any, talk: Any) -> None:
    async with talk(english_server, manual=True) as session:
        await session.append_bytes(bytes(15 * MEBIBYTE))
        await session.commit()
        completed = (await session.until("completed"))[-1]
    assert completed["usage"]["seconds"] == pytest.approx(15 * MEBIBYTE / 2 / RATE, abs=0.02)


async def test_rt_42_16_mib_of_audio_are_an_error(english_server: Any, talk: Any, hello: Any) -> None:
    async with talk(english_server, manual=True) as session:
        await session.append_bytes(bytes(16 * MEBIBYTE))
        (error,) = await session.before_marker()
        assert (error["error"]["code"], error["error"]["param"]) == ("invalid_value", "audio")
        assert "world" in (await session.transcribe(hello))["transcript"].lower()


async def test_rt_42_a_message_beyond_any_limit_closes_its_own_connection_only(
    english_server: Any, talk: Any, hello: Any
) -> None:
    async with talk(english_server, manual=True) as other:
        async with talk(english_server, manual=True) as session:
            with suppress(websockets.ConnectionClosed):  # it may be closed before all is sent
                await session.append_bytes(bytes(24 * MEBIBYTE))
            assert await session.rest() == []
            assert session.connection.close_code == 1009
        assert "world" in (await other.transcribe(hello))["transcript"].lower()


async def test_rt_45_text_comes_before_the_commit_under_the_id_that_the_commit_announces(
    english_server: Any, talk: Any, reading: Any
) -> None:
    async with talk(english_server, manual=True) as session:
        await session.append(reading[: 6 * RATE])
        early = (await session.until("delta"))[-1]
        assert not session.of_type(".committed")
        await session.commit()
        completed = (await session.until("completed"))[-1]
    assert early["item_id"] == session.of_type(".committed")[0]["item_id"] == completed["item_id"]
    assert completed["transcript"].startswith(early["delta"])


async def test_rt_46_text_that_was_sent_is_never_taken_back(
    english_server: Any, talk: Any, reading: Any, joined: Any
) -> None:
    """More audio is sent only once some text of the last is settled, so that later words are not known yet."""
    shown = []
    async with talk(english_server, manual=True) as session:
        for first in range(0, len(reading), 4 * RATE):
            await session.append(reading[first : first + 4 * RATE])
            await session.until("delta")
            shown.append(joined(session.events))
        await session.commit()
        completed = (await session.until("completed"))[-1]
    assert len(set(shown)) == 3
    assert all(later.startswith(earlier) for earlier, later in pairwise([*shown, completed["transcript"]]))


async def test_rt_47_log_probabilities_come_when_they_are_asked_for_and_only_then(
    english_server: Any, talk: Any, hello: Any
) -> None:
    async with talk(english_server, manual=True) as session:
        without = await session.transcribe(hello)
        assert all(event.get("logprobs") is None for event in [*session.of_type(".delta"), without])
        await session.update(include=[LOGPROBS])
        completed = await session.transcribe(hello)
        await session.update(include=None)
        assert (await session.transcribe(hello)).get("logprobs") is None
    assert completed["logprobs"]
    for entry in completed["logprobs"]:
        assert set(entry) == {"token", "logprob", "bytes"}
        assert entry["logprob"] <= 0
        assert bytes(entry["bytes"]).decode() == entry["token"]
