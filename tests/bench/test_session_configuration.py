"""What the realtime client makes of what servers answer to its configuration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from wavescribe.bench.heard import hear

GREETING = {
    "input_audio_format": "pcm16",
    "input_audio_transcription": {"model": "some-model", "language": None},
    "turn_detection": {"type": "server_vad"},
}


async def test_a_server_that_does_not_know_the_additions_is_asked_for_none(recorded: Callable[..., Any]) -> None:
    asked: list[Any] = []

    async def script(peer: Any) -> None:
        await peer.send("session.created")
        asked.append(await peer.until("session.update"))
        await peer.send("error", error={"code": "invalid_value", "message": "include"})
        asked.append(await peer.until("session.update"))
        await peer.send("session.updated")
        await peer.turn("a", "text")
        await peer.until("input_audio_buffer.clear")
        await peer.send("input_audio_buffer.cleared")

    record = await recorded(script)
    assert record.failures == []
    assert "include" in asked[0]["session"]
    assert "include" not in asked[1]["session"]


async def test_a_server_that_answers_without_doing_what_was_asked_is_a_failure(recorded: Callable[..., Any]) -> None:
    """It takes any update, changes nothing, and hears 16 kHz one and a half times too fast."""

    async def script(peer: Any) -> None:
        await peer.send("session.created", session=GREETING)
        for _ in range(2):
            await peer.until("session.update")
            await peer.send("session.updated", session=GREETING)
        await peer.connection.wait_closed()

    record = await recorded(script, rate=16_000)
    assert record.failures == [
        "the session is not what was asked for: audio is taken as 24000 Hz, not as 16000 Hz; turn detection is on"
    ]
    assert record.sent_seconds == 0


@pytest.mark.parametrize(
    ("greeting", "update", "updated"),
    [
        ("session.created", "session.update", "session.updated"),
        ("transcription_session.created", "transcription_session.update", "transcription_session.updated"),
    ],
)
async def test_a_server_of_the_flat_shape_is_asked_in_it(
    recorded: Callable[..., Any], greeting: str, update: str, updated: str
) -> None:
    asked: list[Any] = []

    async def script(peer: Any) -> None:
        await peer.send(greeting, session=GREETING)
        await peer.until("session.update")
        if greeting == "session.created":
            await peer.send("session.updated", session=GREETING)
        else:
            await peer.send("error", error={"code": "unknown_parameter", "message": "audio"})
            await peer.until("session.update")
            await peer.send("error", error={"code": "unknown_parameter", "message": "audio"})
        asked.append(await peer.until(update))
        await peer.send(updated, session={**GREETING, **asked[0]["session"]})
        await peer.turn("a", "text")
        await peer.until("input_audio_buffer.clear")
        await peer.send("input_audio_buffer.cleared")

    record = await recorded(script, rate=24_000)
    assert (record.failures, hear(record.events).text) == ([], "text")
    # Some servers refuse an update without a model, and one with a format.
    transcription = {"language": "en", "model": "some-model"}
    assert asked[0]["session"] == {"input_audio_transcription": transcription, "turn_detection": None}


async def test_other_events_before_the_answer_to_the_configuration_are_passed_over(
    recorded: Callable[..., Any],
) -> None:
    async def script(peer: Any) -> None:
        await peer.send("session.created")
        await peer.until("session.update")
        await peer.send("conversation.created")
        session = {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 48_000}}}}
        await peer.send("session.updated", session=session)
        await peer.connection.wait_closed()

    record = await recorded(script, rate=24_000)
    assert record.failures == ["the session is not what was asked for: audio is taken as 48000 Hz, not as 24000 Hz"]


async def test_a_server_that_does_not_answer_the_configuration_is_a_failure(
    recorded: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wavescribe.bench.realtime_client.ANSWER_SECONDS", 0.2)

    async def script(peer: Any) -> None:
        await peer.send("session.created")
        await peer.until("session.update")
        await peer.send("conversation.created")
        await peer.connection.wait_closed()

    record = await recorded(script)
    told = "no session: TimeoutError: no session.updated or transcription_session.updated or error within 0.2 s"
    assert record.failures == [told]
