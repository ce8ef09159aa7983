"""RT-01 to RT-14: queries, subprotocols, keys and client secrets, and the first event."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import httpx
import pytest
import websockets
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

pytestmark = pytest.mark.model

KEY = "sk-test"
BEARER = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture(scope="module")
def guarded(serve: Any) -> Any:
    """A multilingual server with a key."""
    return serve("--api-key", KEY)


async def mint(server: Any, **body: Any) -> dict[str, Any]:
    async with httpx.AsyncClient(headers=BEARER) as http:
        answer = await http.post(f"{server.http}/v1/realtime/client_secrets", json=body)
    assert answer.status_code == 200
    minted: dict[str, Any] = answer.json()
    return minted


def offering(key: str) -> list[Subprotocol]:
    return [Subprotocol(name) for name in ("realtime", f"openai-insecure-api-key.{key}", "openai-agents-sdk.1")]


async def refused(server: Any, **options: Any) -> dict[str, Any]:
    """The body of the 401 that a connection is refused with."""
    with pytest.raises(websockets.InvalidStatus) as caught:
        await connect(f"{server.websocket}/v1/realtime?intent=transcription", **options)
    response = caught.value.response
    assert response.status_code == 401
    error: dict[str, Any] = json.loads(response.body or b"")["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error


async def test_rt_01_the_first_frame_of_a_connection_with_a_key_is_session_created(guarded: Any, talk: Any) -> None:
    async with talk(guarded, additional_headers=BEARER, greeted=False) as session:
        frame = await session.connection.recv()
        assert isinstance(frame, str)
        assert json.loads(frame)["type"] == "session.created"


@pytest.mark.parametrize("model", ["whisper-tiny.en", "whisper-1"])
async def test_rt_02_a_model_alone_opens_a_transcription_session(english_server: Any, talk: Any, model: str) -> None:
    async with talk(english_server, f"?model={model}") as session:
        created = session.events[0]["session"]
    assert created["type"] == "transcription"
    assert created["audio"]["input"]["transcription"]["model"] == model


async def test_rt_03_intent_and_model_together_set_the_model(english_server: Any, talk: Any) -> None:
    async with talk(english_server, "?intent=transcription&model=gpt-4o-mini-transcribe") as session:
        created = session.events[0]["session"]
    assert created["audio"]["input"]["transcription"]["model"] == "gpt-4o-mini-transcribe"


async def test_rt_04_no_query_opens_a_session_on_the_default_model(english_server: Any, talk: Any) -> None:
    async with talk(english_server, "") as session:
        created = session.events[0]["session"]
    assert created["type"] == "transcription"
    assert created["audio"]["input"]["transcription"]["model"] == "whisper-tiny.en"


async def test_rt_05_without_an_offered_subprotocol_none_is_answered(english_server: Any, talk: Any) -> None:
    async with talk(english_server) as session:
        assert "Sec-WebSocket-Protocol" not in session.connection.response.headers


async def test_rt_06_a_key_among_the_subprotocols_is_answered_with_realtime(guarded: Any, talk: Any) -> None:
    async with talk(guarded, subprotocols=offering(KEY)) as session:
        assert session.connection.response.headers["Sec-WebSocket-Protocol"] == "realtime"


async def test_rt_07_the_order_of_subprotocols_does_not_matter(guarded: Any, talk: Any) -> None:
    async with talk(guarded, subprotocols=offering(KEY)[::-1]) as session:
        assert session.connection.response.headers["Sec-WebSocket-Protocol"] == "realtime"


@pytest.mark.parametrize(
    "credentials",
    [{"additional_headers": {"Authorization": "Bearer sk-wrong"}}, {"subprotocols": offering("sk-wrong")}],
    ids=["bearer", "subprotocol"],
)
async def test_rt_08_a_wrong_key_is_refused_before_the_upgrade(guarded: Any, credentials: Any) -> None:
    assert (await refused(guarded, **credentials))["code"] == "invalid_api_key"


async def test_rt_09_no_key_is_refused_where_keys_are_asked_for(guarded: Any) -> None:
    assert (await refused(guarded))["type"] == "invalid_request_error"


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer anything"}], ids=["no key", "some key"])
async def test_rt_09_any_key_or_none_is_accepted_where_none_is_asked_for(
    english_server: Any, talk: Any, headers: dict[str, str]
) -> None:
    async with talk(english_server, additional_headers=headers) as session:
        assert session.events[0]["type"] == "session.created"


async def test_rt_10_a_client_secret_opens_sessions_until_it_expires_and_they_outlive_it(
    guarded: Any, talk: Any, hello: Any
) -> None:
    minted = await mint(guarded, expires_after={"anchor": "created_at", "seconds": 10})
    secret = minted["value"]
    assert secret.startswith("ek_")
    async with (
        talk(guarded, subprotocols=offering(secret)) as in_browser,
        talk(guarded, additional_headers={"Authorization": f"Bearer {secret}"}, manual=True) as session,
    ):
        assert in_browser.connection.response.headers["Sec-WebSocket-Protocol"] == "realtime"
        await asyncio.sleep(minted["expires_at"] - time.time() + 1)
        assert (await refused(guarded, subprotocols=offering(secret)))["code"] == "invalid_api_key"
        await refused(guarded, additional_headers={"Authorization": f"Bearer {secret}"})
        assert "world" in (await session.transcribe(hello))["transcript"].lower()


async def test_rt_11_a_client_secret_brings_its_configuration(guarded: Any, talk: Any) -> None:
    wanted = {"type": "transcription", "audio": {"input": {"transcription": {"language": "de"}}}}
    secret = (await mint(guarded, session=wanted))["value"]
    async with talk(guarded, additional_headers={"Authorization": f"Bearer {secret}"}) as session:
        assert session.events[0]["session"]["audio"]["input"]["transcription"]["language"] == "de"


async def test_rt_12_an_unknown_query_key_is_ignored(english_server: Any, talk: Any) -> None:
    async with talk(english_server, "?intent=transcription&colour=green") as session:
        assert session.events[0]["type"] == "session.created"


async def test_rt_13_a_model_that_is_not_served_is_an_error_and_closes(english_server: Any, talk: Any) -> None:
    async with talk(english_server, "?model=qwen-9000", greeted=False) as session:
        (event,) = await session.rest()
        assert session.connection.close_code == 4000
        assert session.connection.close_reason == "invalid_request_error.model_not_found"
    assert event["type"] == "error"
    assert event["error"]["code"] == "model_not_found"


async def test_rt_14_session_created_has_every_key_and_passes_the_stock_client(english_server: Any, talk: Any) -> None:
    async with talk(english_server) as session:  # which holds every event to the types of the package
        created = session.events[0]["session"]
    assert created["id"].startswith("sess_")
    assert created["object"] == "realtime.transcription_session"
    assert isinstance(created["expires_at"], int)
    assert created["expires_at"] > time.time()
    assert created["include"] is None
    assert set(created["audio"]["input"]) == {"format", "transcription", "noise_reduction", "turn_detection"}
    assert created["audio"]["input"]["format"] == {"type": "audio/pcm", "rate": 24_000}
