"""RT-15 to RT-28: what `session.update` accepts, echoes and changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.model

LOGPROBS = "item.input_audio_transcription.logprobs"
TURN_DETECTION = "session.audio.input.turn_detection"


def updating(**audio_input: Any) -> dict[str, Any]:
    return {"type": "transcription", "audio": {"input": audio_input}}


async def test_rt_15_an_update_before_anything_is_read_is_answered_after_session_created(
    english_server: Any, talk: Any
) -> None:
    async with talk(english_server, greeted=False) as session:
        await session.send("session.update", session=updating(turn_detection=None))
        events = await session.until("session.updated")
    assert [event["type"] for event in events] == ["session.created", "session.updated"]


async def test_rt_16_a_change_of_the_language_keeps_every_other_value(english_server: Any, talk: Any) -> None:
    async with talk(english_server) as session:
        before = await session.update(
            transcription={"prompt": "Foxes.", "model": "whisper-1"},
            noise_reduction={"type": "far_field"},
            turn_detection={"type": "server_vad", "silence_duration_ms": 700},
            include=[LOGPROBS],
        )
        after = await session.update(transcription={"language": "en"})
    assert before["audio"]["input"]["transcription"]["language"] is None
    assert after["audio"]["input"]["transcription"].pop("language") == "en"
    before["audio"]["input"]["transcription"].pop("language")
    assert after == before


async def test_rt_17_turn_detection_null_is_echoed_and_nothing_is_committed_by_itself(
    english_server: Any, talk: Any, hello: Any, silence: Any
) -> None:
    async with talk(english_server) as session:
        updated = await session.update(turn_detection=None)
        assert updated["audio"]["input"]["turn_detection"] is None
        await session.transcribe(np.concatenate([hello, silence(1), hello, silence(1)]))
        await session.before_marker()
    assert not session.of_type("speech_started")
    assert not session.of_type("speech_stopped")
    assert len(session.of_type("committed")) == 1


async def test_rt_18_server_vad_without_values_has_the_defaults(english_server: Any, talk: Any) -> None:
    async with talk(english_server) as session:
        await session.update(turn_detection={"type": "server_vad", "threshold": 0.9, "silence_duration_ms": 900})
        await session.update(turn_detection=None)
        updated = await session.update(turn_detection={"type": "server_vad"})
    expected = {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500}
    assert updated["audio"]["input"]["turn_detection"] == expected


async def test_rt_19_semantic_vad_is_echoed_and_commits_utterances(
    english_server: Any, talk: Any, fox: Any, silence: Any
) -> None:
    wanted = {"type": "semantic_vad", "eagerness": "auto"}
    async with talk(english_server) as session:
        updated = await session.update(turn_detection=wanted)
        assert updated["audio"]["input"]["turn_detection"] == wanted
        await session.append(np.concatenate([fox, silence(2.5)]))
        completed = (await session.until("completed"))[-1]
    assert "lazy dog" in completed["transcript"].lower()


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"threshold": 3}, f"{TURN_DETECTION}.threshold"),
        ({"silence_duration_ms": "x"}, f"{TURN_DETECTION}.silence_duration_ms"),
    ],
    ids=["range", "type"],
)
async def test_rt_20_a_wrong_value_is_one_error_that_names_it_and_changes_nothing(
    english_server: Any, talk: Any, wrong: dict[str, Any], param: str
) -> None:
    async with talk(english_server) as session:
        before = await session.update()
        detection = {"type": "server_vad", "prefix_padding_ms": 100, **wrong}
        changes = updating(transcription={"language": "en"}, turn_detection=detection)
        await session.send("session.update", session=changes)
        (error,) = await session.before_marker()
        after = await session.update()
    assert error["error"]["type"] == "invalid_request_error"
    assert error["error"]["param"] == param
    assert after == before


@pytest.mark.parametrize("model", ["gpt-realtime-whisper", "gpt-live-transcribe"])
async def test_rt_21_models_whose_clients_commit_have_no_turn_detection(
    english_server: Any, talk: Any, model: str
) -> None:
    async with talk(english_server) as session:
        assert session.events[0]["session"]["audio"]["input"]["turn_detection"] is not None
        updated = await session.update(transcription={"model": model})
    assert updated["audio"]["input"]["transcription"]["model"] == model
    assert updated["audio"]["input"]["turn_detection"] is None


async def test_rt_22_every_harmless_wish_is_accepted_and_echoed(english_server: Any, talk: Any) -> None:
    transcription = {
        "model": "whisper-tiny.en",
        "language": None,
        "prompt": "Foxes and dogs.",
        "keywords": ["fox", "dog"],
        "languages": ["en", "de"],
        "delay": "low",
    }
    noise_reduction = {"type": "near_field", "strength": 0.5}
    async with talk(english_server) as session:
        updated = await session.update(transcription=transcription, noise_reduction=noise_reduction, include=[LOGPROBS])
    assert updated["audio"]["input"]["transcription"] == transcription
    assert updated["audio"]["input"]["noise_reduction"] == noise_reduction
    assert updated["include"] == [LOGPROBS]


async def test_rt_23_a_conversation_s_configuration_is_accepted(english_server: Any, talk: Any) -> None:
    wanted = {
        "type": "realtime",
        "model": "gpt-realtime-2.1",
        "instructions": "Be kind.",
        "output_modalities": ["audio"],
        "audio": {
            "input": {"format": {"type": "audio/pcm", "rate": 24_000}, "transcription": {"language": "en"}},
            "output": {"voice": "marin", "format": {"type": "audio/pcm", "rate": 24_000}},
        },
        "tools": [],
        "tool_choice": "auto",
    }
    async with talk(english_server) as session:
        await session.send("session.update", session=wanted)
        (updated,) = await session.until("session.updated")
        await session.send("session.update", session={"type": "realtime", "tracing": "auto"})
        (again,) = await session.until("session.updated")
    assert updated["session"]["type"] == "transcription"
    assert updated["session"]["audio"]["input"]["transcription"]["language"] == "en"
    assert again["session"] == updated["session"]


async def test_rt_24_a_bad_update_s_event_id_comes_back_in_its_error_and_a_good_one_s_nowhere(
    english_server: Any, talk: Any
) -> None:
    async with talk(english_server) as session:
        bad = updating(turn_detection={"type": "magic"})
        await session.send("session.update", event_id="mine-1", session=bad)
        (error,) = await session.until("error")
        await session.send("session.update", event_id="mine-2", session=updating(turn_detection=None))
        (updated,) = await session.until("session.updated")
    assert error["error"]["event_id"] == "mine-1"
    assert updated["event_id"] != "mine-2"
    assert "error" not in updated


@pytest.mark.parametrize(
    ("law", "container", "codec"), [("audio/pcmu", "mulaw", "pcm_mulaw"), ("audio/pcma", "alaw", "pcm_alaw")]
)
async def test_rt_25_g711_gives_the_text_of_pcm(
    english_server: Any,
    talk: Any,
    fox: Any,
    clips: Any,
    encode: Any,
    normalise: Any,
    law: str,
    container: str,
    codec: str,
) -> None:
    data = encode(clips / "en" / "quick_brown_fox.wav", container, codec, "s16", 8_000)
    async with talk(english_server, manual=True) as session:
        as_pcm = await session.transcribe(fox)
        updated = await session.update(format={"type": law})
        assert updated["audio"]["input"]["format"] == {"type": law}
        for packet in packets(data, 801):
            await session.append_bytes(packet)
        await session.commit()
        as_g711 = (await session.until("completed"))[-1]
    assert normalise(as_g711["transcript"]) == normalise(as_pcm["transcript"])
    assert abs(as_g711["usage"]["seconds"] - len(data) / 8_000) < 0.02


def packets(data: bytes, size: int) -> list[bytes]:
    return [data[first : first + size] for first in range(0, len(data), size)]


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
async def test_rt_26_other_rates_are_echoed_and_give_the_same_text(
    english_server: Any, talk: Any, fox: Any, clips: Any, encode: Any, normalise: Any, rate: int
) -> None:
    data = encode(clips / "en" / "quick_brown_fox.wav", "s16le", "pcm_s16le", "s16", rate)
    async with talk(english_server, manual=True) as session:
        usual = await session.transcribe(fox)
        updated = await session.update(format={"type": "audio/pcm", "rate": rate})
        assert updated["audio"]["input"]["format"] == {"type": "audio/pcm", "rate": rate}
        for packet in packets(data, 3_202):
            await session.append_bytes(packet)
        await session.commit()
        other = (await session.until("completed"))[-1]
    assert normalise(other["transcript"]) == normalise(usual["transcript"])
    assert abs(other["usage"]["seconds"] - len(data) / 2 / rate) < 0.02


async def test_rt_26_a_rate_that_no_microphone_has_is_an_error(english_server: Any, talk: Any) -> None:
    async with talk(english_server) as session:
        wrong = updating(format={"type": "audio/pcm", "rate": 12_345})
        await session.send("session.update", session=wrong)
        (error,) = await session.before_marker()
        unchanged = await session.update()
    assert error["error"]["code"] == "invalid_value"
    assert error["error"]["param"] == "session.audio.input.format.rate"
    assert unchanged["audio"]["input"]["format"]["rate"] == 24_000


async def test_rt_27_audio_without_any_update_is_transcribed_with_the_defaults(
    english_server: Any, talk: Any, fox: Any, silence: Any
) -> None:
    async with talk(english_server, greeted=False) as session:
        await session.append(np.concatenate([fox, silence(1)]))
        events = await session.until("completed")
    assert events[0]["type"] == "session.created"
    assert "lazy dog" in events[-1]["transcript"].lower()


async def test_rt_28_each_item_has_the_language_it_was_committed_with(
    server: Any, talk: Any, clip: Callable[[str], Any]
) -> None:
    """All is sent before anything is read, so that the model is at work on the first when the language changes."""
    async with talk(server, manual=True) as session:
        for language, name in [("en", "en/quick_brown_fox"), ("es", "es/conteo"), ("en", "en/counting")]:
            await session.send("session.update", session=updating(transcription={"language": language}))
            await session.append(clip(name))
            await session.commit()
        await session.until("completed", 3)
    completed = session.of_type(".completed")
    assert [event["languages"] for event in completed] == [[{"code": code}] for code in ("en", "es", "en")]
    texts = [event["transcript"].lower() for event in completed]
    assert "fox" in texts[0]
    assert "cinco" in texts[1] or "5" in texts[1]
    assert "five" in texts[2] or "5" in texts[2]
