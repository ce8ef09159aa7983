from __future__ import annotations

import re

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from wavescribe.api.request_id import RequestIdMiddleware


async def request_id(headers: list[tuple[bytes, bytes]]) -> str:
    """The id that an answer carries."""
    app = RequestIdMiddleware(PlainTextResponse("text"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://server") as client:
        return (await client.get("/", headers=headers)).headers["x-request-id"]


async def test_every_answer_has_an_id_of_its_own() -> None:
    ids = [await request_id([]) for _ in range(2)]
    assert all(re.fullmatch(r"req_[0-9a-f]{32}", made) for made in ids)
    assert ids[0] != ids[1]


@pytest.mark.parametrize("given", ["abc", "trace-1.2_3", "A" * 128])
async def test_a_plain_token_of_the_client_comes_back(given: str) -> None:
    assert await request_id([(b"X-Request-ID", given.encode())]) == given


@pytest.mark.parametrize("given", ["", "two words", "a;b", "A" * 129, "né"])
async def test_anything_else_of_the_client_is_replaced(given: str) -> None:
    assert (await request_id([(b"x-request-id", given.encode())])).startswith("req_")


async def test_a_web_socket_passes_untouched() -> None:
    seen: list[tuple[Scope, Receive, Send]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope, receive, send))

    async def receive() -> Message:
        return {}

    async def send(_: Message) -> None:
        return None

    scope: Scope = {"type": "websocket"}
    await RequestIdMiddleware(app)(scope, receive, send)
    assert seen == [(scope, receive, send)]
