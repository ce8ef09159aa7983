from __future__ import annotations

import pytest
from starlette.types import Message, Receive, Scope, Send

from wavescribe.api.upload_limit import UploadLimitMiddleware
from wavescribe.errors import UploadTooLargeError

LIMIT = 100


async def read(chunks: list[bytes], *, declared: bytes | None = None, kind: str = "http") -> tuple[bytes, int]:
    """What an application reads behind the limit, and how many messages it took from the server for that."""
    left = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    left.append({"type": "http.request", "more_body": False})
    taken = 0
    body = b""

    async def receive() -> Message:
        nonlocal taken
        taken += 1
        return left.pop(0)

    async def send(_: Message) -> None:
        return None

    async def app(_: Scope, receive: Receive, __: Send) -> None:
        nonlocal body
        while (message := await receive())["more_body"]:
            body += message["body"]

    headers = [] if declared is None else [(b"content-length", declared)]
    scope: Scope = {"type": kind, "headers": headers}
    try:
        await UploadLimitMiddleware(app, LIMIT)(scope, receive, send)
    except UploadTooLargeError as error:
        raise UploadTooLargeError(f"{error} after {taken} messages") from error
    return body, taken


async def test_a_body_of_exactly_the_limit_passes_whole() -> None:
    assert await read([b"a" * 60, b"b" * 40], declared=b"100") == (b"a" * 60 + b"b" * 40, 3)


async def test_a_declared_length_over_the_limit_is_refused_before_anything_is_read() -> None:
    with pytest.raises(UploadTooLargeError, match=r"limit \(100\) exceeded \(101 bytes read\) after 0 messages"):
        await read([b"a" * 101], declared=b"101")


@pytest.mark.parametrize("declared", [None, b"5", b"many"])
async def test_a_body_that_grows_over_the_limit_is_refused_there_whatever_was_declared(declared: bytes | None) -> None:
    with pytest.raises(UploadTooLargeError, match=r"limit \(100\) exceeded \(120 bytes read\) after 2 messages"):
        await read([b"a" * 60] * 10, declared=declared)


async def test_web_sockets_have_no_such_limit() -> None:
    assert await read([b"a" * 60] * 3, kind="websocket") == (b"a" * 180, 4)
