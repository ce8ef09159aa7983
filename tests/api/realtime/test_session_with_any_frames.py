from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

import pytest

from wavescribe.api.realtime.client_events import CLIENT_EVENTS, REFUSED_EVENTS
from wavescribe.api.realtime.dialect import Style
from wavescribe.api.realtime.session_configuration import DRAFT, LOGPROBS, WORDS

if TYPE_CHECKING:
    from tests.api.realtime.conftest import Client

Connect = Callable[..., AbstractAsyncContextManager["Client"]]
Json = dict[str, Any]

RATE = 16_000


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


JUNK: list[Any] = [None, True, 0, -1, 1e308, "", "x", "\ud800", [], {}, [[]], {"type": "x"}, "item_x", 10**400]


def update(rng: random.Random) -> Json:
    detection = rng.choice([None, None, {"type": "server_vad"}, {"type": "semantic_vad"}])
    sections: Json = {
        "turn_detection": detection,
        "transcription": rng.choice([None, {}, {"language": "de"}, {"model": "whisper-1"}, {"language": ""}]),
        "format": rng.choice([{"type": "audio/pcm", "rate": rate} for rate in (8_000, 16_000, 24_000, 44_100)]),
        "noise_reduction": rng.choice([None, {"type": "near_field"}]),
    }
    given = {name: sections[name] for name in rng.sample(sorted(sections), rng.randint(0, 2))}
    session: Json = {"type": "transcription", "audio": {"input": given}}
    if rng.random() < 0.3:
        session["include"] = rng.choice([None, [LOGPROBS, WORDS], [DRAFT, WORDS], ["x"]])
    return {"type": "session.update", "session": session}


def valid(rng: random.Random, client: Client) -> Json:
    """An event as a client sends it."""
    ids = [frame["item_id"] for frame in client.frames[-40:] if "item_id" in frame] or ["item_x"]
    kind = rng.choices(["append", "commit", "clear", "update", "beta", "create", "retrieve", "delete"], WEIGHTS)[0]
    match kind:
        case "append":
            return {"type": "input_audio_buffer.append", "audio": "A" * rng.choice([0, 640, 6_400, 19_200, 76_800])}
        case "update":
            return update(rng)
        case "beta":
            return {"type": "transcription_session.update", "session": {"input_audio_format": "pcm16"}}
        case "create":
            audio = {"type": "input_audio", "audio": "A" * rng.choice([0, 4, 6_400, 16_000])}
            item: Json = {"type": "message", "content": [rng.choice([audio, {"type": "input_text", "text": "é"}])]}
            return {"type": "conversation.item.create", "item": item | rng.choice([{}, {"id": f"i{rng.random()}"}])}
        case "retrieve" | "delete":
            return {"type": f"conversation.item.{kind}", "item_id": rng.choice(ids)}
        case _:
            return {"type": f"input_audio_buffer.{kind}", "event_id": f"mine {rng.random()}"}


WEIGHTS = [40, 15, 8, 12, 1, 6, 4, 3]


def mutated(rng: random.Random, value: Any) -> Any:
    """The same JSON with something of it replaced or left out."""
    if isinstance(value, dict) and value and rng.random() < 0.8:
        name = rng.choice(sorted(value))
        rest = {key: member for key, member in value.items() if key != name}
        return rest if rng.random() < 0.2 else {**value, name: mutated(rng, value[name])}
    if isinstance(value, list) and value and rng.random() < 0.7:
        return [mutated(rng, value[0]), *value[1:]]
    if isinstance(value, str) and value and rng.random() < 0.5:
        place = rng.randrange(len(value))
        return value[:place] + rng.choice(["", "\ud83d", "=", "é"]) + value[place + 1 :]
    return rng.choice(JUNK)


def any_frame(rng: random.Random, client: Client) -> str | bytes:
    chance = rng.random()
    if chance < 0.6:
        return json.dumps(valid(rng, client))
    if chance < 0.85:
        return json.dumps(mutated(rng, valid(rng, client)))
    if chance < 0.9:
        return json.dumps({"type": rng.choice([*CLIENT_EVENTS, *REFUSED_EVENTS]), "event_id": rng.choice(JUNK)})
    if chance < 0.95:
        text = json.dumps(valid(rng, client))
        return text[: rng.randrange(len(text) + 1)]
    return rng.randbytes(rng.randrange(50)) if chance < 0.98 else json.dumps(rng.choice(JUNK))


def assert_whole(client: Client) -> None:
    """What a client may rely on, whatever it sent."""
    assert len({frame["event_id"] for frame in client.frames}) == len(client.frames)
    assert not [frame for frame in client.of("error") if frame["error"]["code"] == "internal_error"]
    ends = Counter(frame["item_id"] for frame in client.frames if frame["type"].endswith(("completed", "failed")))
    assert ends == Counter(transcribed(client.frames))
    assert_text_joins(client.frames)


def transcribed(frames: list[Json]) -> list[str]:
    """Ids of the items that were committed while transcription was on; checks the chain on the way."""
    transcribing, ids, last = True, [], None
    for frame in frames:
        if "session" in frame:
            session = frame["session"]
            part = session["audio"]["input"] if "audio" in session else session
            transcribing = part.get("transcription", part.get("input_audio_transcription")) is not None
        elif frame["type"] == "input_audio_buffer.committed":
            assert frame["previous_item_id"] == last
            ids += [frame["item_id"]] if transcribing else []
        elif frame["type"].endswith(("item.added", "item.created")):
            assert frame["previous_item_id"] == last
            last = frame["item"]["id"]
    return ids


def assert_text_joins(frames: list[Json]) -> None:
    """Deltas of one item at a time; they join to its transcript; nothing is said of an item that is through."""
    text, item_id, through = "", None, set()
    for frame in frames:
        kind = frame["type"].removeprefix("conversation.item.input_audio_transcription.")
        if kind in ("delta", "completed", "failed"):
            if frame["item_id"] != item_id:
                text, item_id = "", frame["item_id"]
            assert item_id not in through
            text += frame.get("delta", "")
            if kind != "delta":
                through.add(item_id)
                assert kind == "failed" or frame["transcript"] == text


async def works_still(client: Client) -> None:
    audio_format = {"type": "audio/pcm", "rate": 24_000}
    session = {"audio": {"input": {"turn_detection": None, "transcription": {}, "format": audio_format}}}
    await client.send("session.update", session=session)
    await client.send("input_audio_buffer.clear")
    client.stream.let(1_000)
    await settle()
    for _ in range(2):  # one turn of two may be one of those that fail
        await client.append(1.0)
        await client.send("input_audio_buffer.commit")
    await settle()
    ids = [frame["item_id"] for frame in client.of("committed")[-2:]]
    completed = {frame["item_id"]: frame for frame in client.of("completed")}
    found = [completed[item_id] for item_id in ids if item_id in completed]
    assert found
    assert all(frame["usage"]["seconds"] == pytest.approx(1.0, abs=0.02) and frame["transcript"] for frame in found)


@pytest.mark.parametrize("style", ["openai", "sglang", "beta"])
@pytest.mark.parametrize("detecting", [False, True])
async def test_whatever_is_sent_every_item_is_answered_once_and_the_session_goes_on(
    style: Style, detecting: bool, connect: Connect
) -> None:
    rng = random.Random(f"{style} {detecting}")
    for _ in range(28):
        async with connect(style, detecting=detecting) as client:
            for _ in range(60):
                await client.session.receive(any_frame(rng, client))
                client.stream.let(rng.choice([0, 0, 1, 3]))
                if rng.random() < 0.3:
                    await settle()
            await works_still(client)
        assert_whole(client)
