from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from wavescribe.api.authentication.client_secrets import ClientSecrets
from wavescribe.api.authentication.credentials import key_id
from wavescribe.api.authentication.keys import ApiKeys
from wavescribe.api.authentication.middleware import AuthenticationMiddleware
from wavescribe.api.client_secrets_routes import BODY_BYTES, client_secrets_router
from wavescribe.api.errors import install_error_handlers
from wavescribe.api.models import ServedModels
from wavescribe.api.realtime.session_configuration import SessionConfiguration

NOW = 1_790_000_000.5
TODAY, OLDER = "/v1/realtime/client_secrets", "/v1/realtime/transcription_sessions"


@pytest.fixture
def minting() -> ClientSecrets:
    return ClientSecrets(clock=lambda: NOW, capacity=3)


@pytest.fixture
async def client(minting: ClientSecrets) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI(openapi_url=None)
    install_error_handlers(app)
    router = client_secrets_router(
        minting,
        default_model="whisper-base",
        check_model=ServedModels("whisper-base").check,
        languages=("en", "de"),
    )
    app.include_router(router)
    guarded = AuthenticationMiddleware(app, ApiKeys(["sk-test"]), minting)
    transport = httpx.ASGITransport(guarded)
    headers = {"authorization": "Bearer sk-test"}
    async with httpx.AsyncClient(transport=transport, base_url="http://server", headers=headers) as opened:
        yield opened


def bound(minting: ClientSecrets, value: str) -> SessionConfiguration:
    """The configuration that a secret is bound to."""
    secret = minting.find(value)
    assert secret is not None
    assert isinstance(secret.session, SessionConfiguration)
    return secret.session


@pytest.mark.parametrize("content", [b"{}", b"", b'{"expires_after": null, "session": null}', b'{"unknown": 1}'])
async def test_a_secret_needs_nothing_said_and_comes_with_the_whole_session(
    client: httpx.AsyncClient, minting: ClientSecrets, content: bytes
) -> None:
    response = await client.post(TODAY, content=content)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    answer = response.json()
    assert list(answer) == ["value", "expires_at", "session"]
    assert answer["value"].startswith("ek_")
    assert answer["expires_at"] == int(NOW) + 600
    session = answer["session"]
    assert re.fullmatch(r"sess_[A-Za-z0-9]{21}", session.pop("id"))
    assert session.pop("audio")["input"]["transcription"] == {"model": "whisper-base", "language": None, "prompt": ""}
    assert session == {
        "type": "transcription",
        "object": "realtime.transcription_session",
        "expires_at": 0,
        "include": None,
    }
    assert bound(minting, answer["value"]) == SessionConfiguration.of_model("whisper-base")


async def test_a_secret_is_bound_to_the_session_that_was_asked_for_and_to_its_key(
    client: httpx.AsyncClient, minting: ClientSecrets
) -> None:
    session = {
        "type": "transcription",
        "audio": {"input": {"transcription": {"model": "whisper-1", "language": "de"}, "turn_detection": None}},
    }
    answer = (await client.post(TODAY, json={"session": session})).json()
    shown = answer["session"]["audio"]["input"]
    assert shown["transcription"] == {"model": "whisper-1", "language": "de", "prompt": ""}
    assert shown["turn_detection"] is None
    configuration = bound(minting, answer["value"])
    assert configuration.transcription is not None
    assert configuration.transcription.language == "de"
    assert configuration.turn_detection is None
    secret = minting.find(answer["value"])
    assert secret is not None
    assert secret.key_id == key_id("sk-test")


@pytest.mark.parametrize("seconds", [10, 60, 7200])
async def test_a_secret_lives_as_long_as_asked(client: httpx.AsyncClient, seconds: int) -> None:
    body = {"expires_after": {"anchor": "created_at", "seconds": seconds}}
    assert (await client.post(TODAY, json=body)).json()["expires_at"] == int(NOW) + seconds
    older = {"client_secret": {"expires_at": {"anchor": "created_at", "seconds": seconds}}}
    answer = (await client.post(OLDER, json=older)).json()
    assert answer["client_secret"]["expires_at"] == int(NOW) + seconds


SECONDS = "expires_after.seconds"
WRONG: list[tuple[Any, str, str]] = [
    ({"expires_after": {"seconds": 5}}, SECONDS, "invalid_value"),
    ({"expires_after": {"seconds": 9}}, SECONDS, "invalid_value"),
    ({"expires_after": {"seconds": 7201}}, SECONDS, "invalid_value"),
    ({"expires_after": {"seconds": 9999}}, SECONDS, "invalid_value"),
    ({"expires_after": {"seconds": float("nan")}}, SECONDS, "invalid_value"),
    ({"expires_after": {"seconds": 10.5}}, SECONDS, "invalid_type"),
    ({"expires_after": {"seconds": "60"}}, SECONDS, "invalid_type"),
    ({"expires_after": {"seconds": True}}, SECONDS, "invalid_type"),
    ({"expires_after": {"seconds": None}}, SECONDS, "invalid_type"),
    ({"expires_after": 60}, "expires_after", "invalid_type"),
    ({"expires_after": {"anchor": "now"}}, "expires_after.anchor", "invalid_value"),
    ({"session": "transcription"}, "session", "invalid_type"),
    ({"session": {"type": "translation"}}, "session.type", "invalid_value"),
    (
        {"session": {"audio": {"input": {"turn_detection": {"type": "server_vad", "threshold": 2}}}}},
        "session.audio.input.turn_detection.threshold",
        "invalid_value",
    ),
]
OLDER_WRONG: list[tuple[Any, str, str]] = [
    ({"client_secret": {"expires_at": {"seconds": 5}}}, "client_secret.expires_at.seconds", "invalid_value"),
    ({"client_secret": {"expires_at": {"anchor": "now"}}}, "client_secret.expires_at.anchor", "invalid_value"),
    ({"client_secret": "ek_mine"}, "client_secret", "invalid_type"),
    ({"input_audio_format": "mp3"}, "input_audio_format", "invalid_value"),
    ({"turn_detection": {"type": "server_vad", "threshold": 2}}, "turn_detection.threshold", "invalid_value"),
    ({"input_audio_transcription": {"language": "xx"}}, "input_audio_transcription.language", "invalid_value"),
    ({"input_audio_noise_reduction": 1}, "input_audio_noise_reduction", "invalid_type"),
    ({"include": "all"}, "include", "invalid_type"),
]


@pytest.mark.parametrize(
    ("path", "body", "param", "code"),
    [(TODAY, *case) for case in WRONG] + [(OLDER, *case) for case in OLDER_WRONG],
)
async def test_a_wrong_value_is_answered_400_by_its_name_and_mints_nothing(
    client: httpx.AsyncClient, minting: ClientSecrets, path: str, body: Any, param: str, code: str
) -> None:
    response = await client.post(path, content=json.dumps(body))
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, code)
    assert len(minting) == 0


@pytest.mark.parametrize("path", [TODAY, OLDER])
async def test_a_model_that_is_not_served_is_answered_404(client: httpx.AsyncClient, path: str) -> None:
    transcription = {"model": "other"}
    body = {
        "session": {"audio": {"input": {"transcription": transcription}}},
        "input_audio_transcription": transcription,
    }
    response = await client.post(path, json=body)
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "model_not_found"


@pytest.mark.parametrize("path", [TODAY, OLDER])
@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 100_000, b"[]", b"null", b'"text"', b"1" * 5_000])
async def test_a_body_that_is_no_json_object_is_answered_400(
    client: httpx.AsyncClient, minting: ClientSecrets, path: str, content: bytes
) -> None:
    response = await client.post(path, content=content)
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"
    assert len(minting) == 0


@pytest.mark.parametrize("path", [TODAY, OLDER])
async def test_a_body_over_the_limit_is_answered_413(client: httpx.AsyncClient, path: str) -> None:
    fitting = b'{"x":"' + b"a" * (BODY_BYTES - 8) + b'"}'
    assert (await client.post(path, content=fitting)).status_code == 200
    response = await client.post(path, content=fitting + b" ")
    assert response.status_code == 413
    assert f"({BODY_BYTES}) exceeded" in response.json()["error"]["message"]


@pytest.mark.parametrize("content", [b"", b"{}", b'{"client_secret": null}', b'{"client_secret": {}}'])
async def test_the_older_shape_needs_nothing_said_and_has_the_secret_in_it(
    client: httpx.AsyncClient, minting: ClientSecrets, content: bytes
) -> None:
    response = await client.post(OLDER, content=content)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    answer = response.json()
    assert answer["object"] == "realtime.transcription_session"
    assert answer["input_audio_format"] == "pcm16"
    assert set(answer["client_secret"]) == {"value", "expires_at"}
    assert answer["client_secret"]["expires_at"] == int(NOW) + 600
    assert bound(minting, answer["client_secret"]["value"]) == SessionConfiguration.of_model("whisper-base")


async def test_the_older_shape_binds_the_session_that_was_asked_for(
    client: httpx.AsyncClient, minting: ClientSecrets
) -> None:
    asked = {
        "input_audio_format": "g711_ulaw",
        "input_audio_transcription": {"model": "whisper-1", "language": "de"},
        "turn_detection": {"type": "server_vad", "threshold": 0.25},
    }
    answer = (await client.post(OLDER, json=asked)).json()
    assert answer["input_audio_format"] == "g711_ulaw"
    assert answer["turn_detection"]["threshold"] == 0.25
    configuration = bound(minting, answer["client_secret"]["value"])
    assert configuration.format.type == "audio/pcmu"
    assert configuration.transcription is not None
    assert configuration.transcription.language == "de"


async def test_too_many_secrets_are_answered_429(client: httpx.AsyncClient) -> None:
    for _ in range(3):
        assert (await client.post(TODAY)).status_code == 200
    response = await client.post(TODAY)
    assert response.status_code == 429
    assert int(response.headers["retry-after"]) in (599, 600)


@pytest.mark.parametrize("path", [TODAY, OLDER])
async def test_a_secret_mints_no_other(client: httpx.AsyncClient, minting: ClientSecrets, path: str) -> None:
    value = (await client.post(TODAY)).json()["value"]
    response = await client.post(path, json={}, headers={"authorization": f"Bearer {value}"})
    assert response.status_code == 401
    assert len(minting) == 1
