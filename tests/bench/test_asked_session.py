from __future__ import annotations

import json
from typing import Any

import pytest

from wavescribe.bench.asked_session import AskedSession, is_flat

ASKED = AskedSession("en", "", 16_000, None)
DETECTED = AskedSession("en", "", 24_000, 500)
PCM = {"type": "audio/pcm", "rate": 16_000}


def today(**audio_input: Any) -> dict[str, Any]:
    return {"type": "transcription", "audio": {"input": audio_input}}


@pytest.mark.parametrize(
    ("asked", "stated", "expected"),
    [
        (ASKED, today(format=PCM, transcription={"language": "en"}, turn_detection=None), []),
        (ASKED, today(format=PCM, transcription={"language": "en-US"}, turn_detection=None), []),
        (ASKED, today(format=PCM | {"rate": 24_000}), ["audio is taken as 24000 Hz, not as 16000 Hz"]),
        # Without a rate, the API's own is meant.
        (ASKED, today(format={"type": "audio/pcm"}), ["audio is taken as 24000 Hz, not as 16000 Hz"]),
        (ASKED, today(format={"type": "audio/pcmu"}), ["audio is taken as audio/pcmu, not as 16000 Hz"]),
        (ASKED, today(turn_detection={"type": "server_vad"}), ["turn detection is on"]),
        (DETECTED, today(turn_detection={"type": "semantic_vad"}), []),
        (DETECTED, today(turn_detection=None), ["turn detection is off"]),
        (ASKED, today(transcription={"language": "de"}), ["the language is 'de', not 'en'"]),
        (ASKED, today(transcription={"language": None}), []),
        # What is not stated is not known to differ.
        (ASKED, today(), []),
        (ASKED, {}, []),
        (ASKED, {"audio": None, "id": "sess_1"}, []),
        # The flat shape.
        (DETECTED, {"input_audio_format": "pcm16", "turn_detection": {"type": "server_vad"}}, []),
        (ASKED, {"input_audio_format": "pcm16"}, ["audio is taken as 24000 Hz, not as 16000 Hz"]),
        (ASKED, {"input_audio_format": "g711_ulaw"}, ["audio is taken as g711_ulaw, not as 16000 Hz"]),
        (ASKED, {"input_audio_format": "pcm", "sample_rate": 16_000, "turn_detection": None}, []),
        (ASKED, {"input_audio_format": "pcm"}, []),
        (DETECTED, {"turn_detection": None}, ["turn detection is off"]),
        (ASKED, {"input_audio_transcription": {"language": "fr"}}, ["the language is 'fr', not 'en'"]),
    ],
)
def test_a_session_differs_in_what_its_server_states_otherwise(
    asked: AskedSession, stated: dict[str, Any], expected: list[str]
) -> None:
    assert asked.differences(stated) == expected


def test_both_shapes_are_told_apart() -> None:
    assert is_flat({"turn_detection": None})
    assert not is_flat(today(turn_detection=None))
    assert not is_flat({})


def test_the_update_asks_for_all_that_matters() -> None:
    update = json.loads(AskedSession("de", "some-model", 24_000, 700).message(["more"]))
    assert update["session"]["include"] == ["more"]
    assert update["session"]["audio"]["input"] == {
        "format": {"type": "audio/pcm", "rate": 24_000},
        "transcription": {"language": "de", "model": "some-model"},
        "turn_detection": {"type": "server_vad", "silence_duration_ms": 700},
    }
    assert "include" not in json.loads(ASKED.message(()))["session"]
    assert json.loads(ASKED.message(()))["session"]["audio"]["input"]["turn_detection"] is None
