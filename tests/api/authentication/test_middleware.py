from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import websockets
from starlette.types import Message, Receive, Scope, Send
from websockets.asyncio.client import ClientConnection

from wavescribe.api.authentication.client_secrets import ClientSecrets
from wavescribe.api.authentication.credentials import key_id
from wavescribe.api.authentication.keys import ApiKeys
from wavescribe.api.authentication.middleware import AuthenticationMiddleware
from wavescribe.settings import Settings

WRONG = {"message": "Incorrect API key provided.", "type": "invalid_request_error", "param": None}
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,x-stainless-os"}


async def ask(url: str, method: str = "GET", *, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.request(method, url, headers=headers, **more)


@asynccontextmanager
async def connected(
    url: str, *, headers: dict[str, str] | None = None, offered: Sequence[str] = (), origin: str | None = None
) -> AsyncIterator[tuple[ClientConnection, dict[str, Any]]]:
    """A WebSocket, and what the route told about its credential."""
    subprotocols = [websockets.Subprotocol(name) for name in offered] or None
    async with websockets.connect(
        url,
        additional_headers=headers,
        subprotocols=subprotocols,
        origin=None if origin is None else websockets.Origin(origin),
    ) as socket:
        yield socket, json.loads(await socket.recv())


async def refused(url: str, **more: Any) -> websockets.Response:
    """The response that came in place of the upgrade."""
    with pytest.raises(websockets.InvalidStatus) as caught:
        async with connected(url, **more):
            pytest.fail("the WebSocket was opened")
    return caught.value.response


def error_of(body: bytes | None) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(body or b"")
    assert list(parsed) == ["error"]
    assert set(parsed["error"]) == {"message", "type", "param", "code"}
    error: dict[str, Any] = parsed["error"]
    return error


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


@pytest.mark.parametrize(
    "headers", [bearer("sk-first"), bearer("sk-second"), {"api-key": "sk-first"}, {"api-key": "sk-second"}]
)
async def test_a_right_key_reaches_the_route_which_learns_its_name(guarded: Any, headers: dict[str, str]) -> None:
    key = headers.get("api-key", headers.get("authorization", "").removeprefix("Bearer "))
    told = (await ask(f"{guarded.http}/v1/models", headers=headers)).json()
    assert told == {"kind": "key", "key_id": key_id(key), "read": 0}


@pytest.mark.parametrize("path", ["/v1/models", "/v1", "/v1/unknown", "/api-ws/v1/inference", "/realtime"])
async def test_a_wrong_key_is_answered_401_before_the_route(guarded: Any, path: str) -> None:
    response = await ask(f"{guarded.http}{path}", headers=bearer("sk-wrong"))
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert error_of(response.content) == {**WRONG, "code": "invalid_api_key"}
    assert guarded.reached == []


async def test_a_missing_key_is_answered_401_without_a_code(guarded: Any) -> None:
    response = await ask(f"{guarded.http}/v1/models")
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    error = error_of(response.content)
    assert error["code"] is None
    assert error["type"] == "invalid_request_error"
    assert error["message"].startswith("You didn't provide an API key.")


async def test_a_large_upload_with_a_wrong_key_is_told_so_and_not_read(guarded: Any) -> None:
    url = f"{guarded.http}/v1/audio/transcriptions"
    response = await ask(url, "POST", headers=bearer("sk-wrong"), content=bytes(8_000_000))
    assert error_of(response.content)["code"] == "invalid_api_key"
    assert guarded.reached == []


async def test_a_large_upload_with_a_right_key_is_read_whole(guarded: Any) -> None:
    url = f"{guarded.http}/v1/audio/transcriptions"
    response = await ask(url, "POST", headers=bearer("sk-first"), content=bytes(2_000_000))
    assert response.json()["read"] == 2_000_000


@pytest.mark.parametrize("path", ["/", "/health", "/ready", "/metrics", "/page.js", "/v1x", "/realtime.html"])
async def test_paths_beside_the_api_are_open_to_every_page(guarded: Any, path: str) -> None:
    response = await ask(f"{guarded.http}{path}", headers={"origin": "https://evil.example"})
    assert response.status_code == 200
    assert response.json() == {"kind": "none", "key_id": "anonymous", "read": 0}


async def test_without_keys_a_secret_that_is_gone_is_refused_with_its_configuration(unguarded: Any) -> None:
    listed = await ask(f"{unguarded.http}/v1/models", headers=bearer("ek_gone"))
    assert listed.status_code == 200  # it would have configured nothing here
    response = await refused(f"{unguarded.ws}/v1/realtime", headers=bearer("ek_gone"))
    assert response.status_code == 401
    assert "has expired or is not of this server" in error_of(response.body)["message"]


@pytest.mark.parametrize("headers", [{}, bearer("x"), {"api-key": "anything"}])
async def test_without_keys_everybody_may_come(unguarded: Any, headers: dict[str, str]) -> None:
    response = await ask(f"{unguarded.http}/v1/models", headers=headers)
    assert response.json() == {"kind": "none", "key_id": "anonymous", "read": 0}
    async with connected(f"{unguarded.ws}/v1/realtime", headers=headers) as (_, told):
        assert told == {"kind": "none", "key_id": "anonymous", "session": None}


async def test_a_web_socket_is_opened_by_a_header_and_answers_no_subprotocol(guarded: Any) -> None:
    async with connected(f"{guarded.ws}/v1/realtime", headers=bearer("sk-first")) as (socket, told):
        assert told == {"kind": "key", "key_id": key_id("sk-first"), "session": None}
        assert socket.subprotocol is None
        assert socket.response is not None
        assert "sec-websocket-protocol" not in socket.response.headers


@pytest.mark.parametrize("reverse", [False, True])
async def test_a_web_socket_is_opened_by_a_subprotocol_and_answers_exactly_realtime(
    guarded: Any, reverse: bool
) -> None:
    offered = ["realtime", "openai-insecure-api-key.sk-second", "openai-agents-sdk.1"]
    offered = offered[::-1] if reverse else offered
    async with connected(f"{guarded.ws}/v1/realtime", offered=offered) as (socket, told):
        assert told["key_id"] == key_id("sk-second")
        assert socket.response is not None
        assert socket.response.headers.get_all("sec-websocket-protocol") == ["realtime"]


async def test_a_subprotocol_that_the_endpoint_chose_stays(unguarded: Any) -> None:
    async with connected(f"{unguarded.ws}/v1/realtime", offered=["realtime", "own"]) as (socket, _):
        assert socket.subprotocol == "own"


@pytest.mark.parametrize(
    "path", ["/v1/realtime", "/realtime", "/v1/audio/transcriptions/stream", "/api-ws/v1/inference", "/anywhere"]
)
@pytest.mark.parametrize(
    "presented",
    [
        {"headers": bearer("sk-wrong")},
        {"headers": {"api-key": "sk-wrong"}},
        {"offered": ["realtime", "openai-insecure-api-key.sk-wrong"]},
    ],
)
async def test_a_wrong_key_is_answered_401_with_a_body_before_the_upgrade(
    guarded: Any, path: str, presented: dict[str, Any]
) -> None:
    response = await refused(f"{guarded.ws}{path}", **presented)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert error_of(response.body) == {**WRONG, "code": "invalid_api_key"}
    assert guarded.reached == []


async def test_a_web_socket_without_a_key_is_answered_401_without_a_code(guarded: Any) -> None:
    response = await refused(f"{guarded.ws}/v1/realtime", offered=["realtime"])
    assert response.status_code == 401
    assert error_of(response.body)["code"] is None


@pytest.mark.parametrize("header", [b"Authorization: Bearer sk-\xff\xfe", b"api-key: \xc3\xa9"])
async def test_a_key_that_is_no_plain_text_is_wrong_like_any_other(guarded: Any, header: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", guarded.port)
    writer.write(
        b"GET /v1/realtime HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + header + b"\r\n\r\n"
    )
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"invalid_api_key" in answer


@pytest.mark.parametrize("path", ["/v1/realtime", "/realtime", "/api-ws/v1/realtime"])
async def test_a_client_secret_opens_realtime_sessions_with_its_configuration_again_and_again(
    guarded: Any, path: str
) -> None:
    value, _ = guarded.secrets.mint(("de",), seconds=60, key_id="12345678")
    told_of_secret = {"kind": "secret", "key_id": "12345678", "session": "('de',)"}
    async with connected(f"{guarded.ws}{path}", headers=bearer(value)) as (_, told):
        assert told == told_of_secret
    offered = ["realtime", f"openai-insecure-api-key.{value}"]
    async with connected(f"{guarded.ws}{path}", offered=offered) as (_, told):
        assert told == told_of_secret


async def test_a_client_secret_brings_its_configuration_also_without_keys(unguarded: Any) -> None:
    value, _ = unguarded.secrets.mint(("de",), seconds=60, key_id="anonymous")
    async with connected(f"{unguarded.ws}/v1/realtime", headers=bearer(value)) as (_, told):
        assert told["session"] == "('de',)"


async def test_an_expired_client_secret_is_refused_while_a_session_that_it_opened_goes_on(guarded: Any) -> None:
    value, _ = guarded.secrets.mint(None, seconds=10, key_id="k")
    async with connected(f"{guarded.ws}/v1/realtime", headers=bearer(value)) as (socket, _):
        guarded.clock.now += 11
        response = await refused(f"{guarded.ws}/v1/realtime", headers=bearer(value))
        assert response.status_code == 401
        error = error_of(response.body)
        assert error["code"] == "invalid_api_key"
        assert "expired" in error["message"]
        await socket.send("still here")
        assert await socket.recv() == "still here"


async def test_a_client_secret_opens_nothing_else(guarded: Any) -> None:
    value, _ = guarded.secrets.mint(None, seconds=60, key_id="k")
    for path in ("/v1/realtime/client_secrets", "/v1/realtime/transcription_sessions", "/v1/audio/transcriptions"):
        response = await ask(f"{guarded.http}{path}", "POST", headers=bearer(value), json={})
        assert response.status_code == 401
        assert "realtime WebSocket sessions only" in error_of(response.content)["message"]
    socket = await refused(f"{guarded.ws}/v1/audio/transcriptions/stream", headers=bearer(value))
    assert error_of(socket.body)["code"] == "invalid_api_key"
    assert guarded.reached == []


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1", "https://app.example.com:8443"])
async def test_other_pages_are_refused_whatever_their_key(guarded: Any, origin: str) -> None:
    response = await ask(f"{guarded.http}/v1/models", headers={**bearer("sk-first"), "origin": origin})
    assert response.status_code == 403
    assert error_of(response.content)["code"] == "origin_not_allowed"
    assert "the server's setting allowed_origin (--allowed-origin)" in error_of(response.content)["message"]
    assert "allowed_origin" in Settings.model_fields
    assert "access-control-allow-origin" not in response.headers
    socket = await refused(f"{guarded.ws}/v1/realtime", headers=bearer("sk-first"), origin=origin)
    assert socket.status_code == 403
    assert error_of(socket.body)["code"] == "origin_not_allowed"
    assert guarded.reached == []


async def test_other_pages_are_refused_also_without_keys(unguarded: Any) -> None:
    response = await ask(f"{unguarded.http}/v1/models", headers={"origin": "https://evil.example"})
    assert response.status_code == 403
    socket = await refused(f"{unguarded.ws}/v1/realtime", origin="https://evil.example")
    assert socket.status_code == 403


async def test_the_servers_own_pages_may_come(guarded: Any) -> None:
    response = await ask(f"{guarded.http}/v1/models", headers={**bearer("sk-first"), "origin": guarded.http})
    assert response.status_code == 200
    async with connected(f"{guarded.ws}/v1/realtime", headers=bearer("sk-first"), origin=guarded.http) as (_, told):
        assert told["kind"] == "key"


async def test_scripts_of_an_allowed_origin_may_read_answers_and_refusals(guarded: Any) -> None:
    origin = {"origin": "https://app.example.com"}
    for headers, status in ((bearer("sk-first"), 200), (bearer("sk-wrong"), 401)):
        response = await ask(f"{guarded.http}/v1/models", headers={**headers, **origin})
        assert response.status_code == status
        assert response.headers["access-control-allow-origin"] == "https://app.example.com"
        assert "Origin" in response.headers["vary"]
        assert "x-request-id" in response.headers["access-control-expose-headers"]
    async with connected(f"{guarded.ws}/v1/realtime", headers=bearer("sk-first"), origin="https://app.example.com") as (
        _,
        told,
    ):
        assert told["kind"] == "key"


async def test_a_preflight_of_an_allowed_origin_needs_no_key(guarded: Any) -> None:
    url = f"{guarded.http}/v1/audio/transcriptions"
    response = await ask(url, "OPTIONS", headers={"origin": "https://app.example.com", **PREFLIGHT})
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == "https://app.example.com"
    assert "POST" in response.headers["access-control-allow-methods"]
    assert response.headers["access-control-allow-headers"] == "authorization,x-stainless-os"


async def test_a_preflight_of_another_origin_is_refused(guarded: Any) -> None:
    url = f"{guarded.http}/v1/audio/transcriptions"
    response = await ask(url, "OPTIONS", headers={"origin": "https://evil.example", **PREFLIGHT})
    assert response.status_code == 403
    assert "access-control-allow-origin" not in response.headers


async def test_a_star_allows_every_page_with_a_right_key(public: Any) -> None:
    origin = {"origin": "https://anything.example"}
    response = await ask(f"{public.http}/v1/models", headers={**bearer("sk-first"), **origin})
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == "*"
    assert (await ask(f"{public.http}/v1/models", headers=origin)).status_code == 401
    preflight = await ask(f"{public.http}/v1/models", "OPTIONS", headers={**origin, **PREFLIGHT})
    assert preflight.headers["access-control-allow-origin"] == "*"


async def test_without_an_origin_an_answer_has_no_headers_for_pages(public: Any) -> None:
    response = await ask(f"{public.http}/v1/models", headers=bearer("sk-first"))
    assert not {"access-control-allow-origin", "vary"} & set(response.headers)


async def test_keys_and_secrets_are_in_no_log_and_no_answer(
    guarded: Any, unguarded: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.DEBUG, logger="wavescribe")
    secret, _ = guarded.secrets.mint(None, seconds=60, key_id="k")
    presented = ("sk-first", "sk-wrong-but-close", secret, "ek_unknown-one")
    said = ""
    for place in (guarded, unguarded):
        for key in presented:
            answer = await ask(f"{place.http}/v1/models", headers=bearer(key))
            said += f"{list(answer.headers.items())} {answer.text}"
    for key in ("sk-wrong-but-close", "ek_unknown-one"):
        offered = ["realtime", f"openai-insecure-api-key.{key}"]
        refusal = await refused(f"{guarded.ws}/v1/realtime", offered=offered)
        said += f"{list(refusal.headers.raw_items())} {refusal.body!r}"
    async with connected(f"{unguarded.ws}/v1/realtime", offered=["realtime", "openai-insecure-api-key.sk-first"]):
        pass
    async with connected(f"{guarded.ws}/v1/realtime", headers=bearer(secret)):
        pass
    assert "401" in caplog.text  # the log was caught
    assert not [key for key in presented if key in said + caplog.text]


async def sent(scope: Scope, keys: Sequence[str] = ("sk-first",)) -> list[Message]:
    """What the middleware sends by itself; the application behind it fails the test."""
    messages: list[Message] = []

    async def app(_: Scope, __: Receive, ___: Send) -> None:
        pytest.fail("the application was reached")

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        messages.append(message)

    await AuthenticationMiddleware(app, ApiKeys(keys), ClientSecrets())(scope, receive, send)
    return messages


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ([(b"authorization", b"Bearer sk-wrong")], "invalid_request_error.invalid_api_key"),
        ([], "invalid_request_error.missing_api_key"),
        ([(b"origin", b"https://evil.example")], "invalid_request_error.origin_not_allowed"),
    ],
)
async def test_a_server_that_cannot_answer_a_web_socket_closes_it(
    headers: list[tuple[bytes, bytes]], reason: str
) -> None:
    scope: Scope = {"type": "websocket", "path": "/v1/realtime", "headers": headers, "subprotocols": []}
    assert await sent(scope) == [{"type": "websocket.close", "code": 3000, "reason": reason}]


@pytest.mark.parametrize("root", ["", "/asr"])
async def test_a_prefix_that_a_proxy_put_before_the_path_opens_nothing(root: str) -> None:
    scope: Scope = {"type": "http", "method": "GET", "root_path": root, "path": f"{root}/v1/models", "headers": []}
    assert (await sent(scope))[0]["status"] == 401


async def test_other_scopes_and_their_channels_pass_untouched() -> None:
    seen: list[tuple[Scope, Receive, Send]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope, receive, send))

    async def receive() -> Message:
        return {}

    async def send(_: Message) -> None:
        return None

    scope: Scope = {"type": "lifespan"}
    await AuthenticationMiddleware(app, ApiKeys(["k"]), ClientSecrets())(scope, receive, send)
    assert seen == [(scope, receive, send)]
