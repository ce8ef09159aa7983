from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

import pytest
from starlette.types import Message

from wavescribe.api import event_stream
from wavescribe.api.event_stream import EventStreamResponse


class Body:
    """Frames without an end, and whether they were closed."""

    def __init__(self) -> None:
        self.closed = False

    async def frames(self) -> AsyncGenerator[str]:
        try:
            while True:
                yield "data: {}\n\n"
        finally:
            self.closed = True


async def nothing() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


@pytest.mark.parametrize("spec_version", ["2.3", "2.4"])
async def test_a_client_that_takes_nothing_is_left_and_what_is_held_is_let_go(
    spec_version: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(event_stream, "SEND_SECONDS", 0.05)
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)
        if len(sent) == 3:
            await asyncio.Event().wait()

    body, held, freed = Body(), AsyncExitStack(), asyncio.Event()
    held.callback(freed.set)
    response = EventStreamResponse(body.frames(), held)
    await response({"type": "http", "asgi": {"spec_version": spec_version}}, nothing, send)
    assert (body.closed, freed.is_set(), len(sent)) == (True, True, 3)
    assert "took no event" in caplog.text
