from __future__ import annotations

import json
from typing import Any

import pytest
import websockets
from openai import AsyncOpenAI, AuthenticationError, PermissionDeniedError
from openai.types.realtime import RealtimeTranscriptionSessionCreateResponse


async def test_the_sdk_mints_a_secret_with_which_a_browser_would_connect(guarded: Any) -> None:
    async with AsyncOpenAI(base_url=f"{guarded.http}/v1", api_key="sk-first", max_retries=0) as client:
        minted = await client.realtime.client_secrets.create(
            expires_after={"anchor": "created_at", "seconds": 60},
            session={"type": "transcription", "audio": {"input": {"transcription": {"language": "de"}}}},
        )
    assert minted.expires_at == int(guarded.clock.now) + 60
    assert isinstance(minted.session, RealtimeTranscriptionSessionCreateResponse)
    RealtimeTranscriptionSessionCreateResponse.model_validate(minted.session.model_dump(), strict=True)
    offered = [websockets.Subprotocol(name) for name in ("realtime", f"openai-insecure-api-key.{minted.value}")]
    async with websockets.connect(f"{guarded.ws}/v1/realtime", subprotocols=offered) as socket:
        told = json.loads(await socket.recv())
    assert told["kind"] == "secret"
    assert "language='de'" in told["session"]


async def test_the_sdk_mints_a_secret_in_the_older_shape(guarded: Any) -> None:
    async with AsyncOpenAI(base_url=f"{guarded.http}/v1", api_key="sk-first", max_retries=0) as client:
        session = await client.beta.realtime.transcription_sessions.create(input_audio_format="pcm16")
    assert session.input_audio_format == "pcm16"
    assert guarded.secrets.find(session.client_secret.value) is not None


async def test_the_sdk_raises_its_authentication_error_for_a_wrong_key(guarded: Any) -> None:
    async with AsyncOpenAI(base_url=f"{guarded.http}/v1", api_key="sk-wrong", max_retries=0) as client:
        with pytest.raises(AuthenticationError) as caught:
            await client.audio.transcriptions.create(model="whisper-1", file=("speech.wav", bytes(4_000_000)))
        assert caught.value.code == "invalid_api_key"
        assert "sk-wrong" not in str(caught.value)
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with client.realtime.connect(extra_query={"intent": "transcription"}):
                pytest.fail("the WebSocket was opened")
    body = refused.value.response.body
    assert body is not None
    assert json.loads(body)["error"]["code"] == "invalid_api_key"


async def test_the_sdk_connects_with_a_right_key_and_with_any_where_none_is_needed(
    guarded: Any, unguarded: Any
) -> None:
    for place, key, kind in ((guarded, "sk-second", "key"), (unguarded, "x", "none")):
        async with (
            AsyncOpenAI(base_url=f"{place.http}/v1", api_key=key, max_retries=0) as client,
            client.realtime.connect(extra_query={"intent": "transcription"}) as connection,
        ):
            assert json.loads(await connection.recv_bytes())["kind"] == kind


async def test_the_sdk_raises_its_permission_error_for_another_origin(guarded: Any) -> None:
    origin = {"Origin": "https://evil.example"}
    async with AsyncOpenAI(
        base_url=f"{guarded.http}/v1", api_key="sk-first", max_retries=0, default_headers=origin
    ) as client:
        with pytest.raises(PermissionDeniedError) as caught:
            await client.models.list()
    assert caught.value.code == "origin_not_allowed"
