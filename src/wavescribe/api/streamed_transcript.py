"""`stream=true`: the core's events as server-sent events, in the OpenAI API's form or as chunks.

The default form is `transcript.text.delta` and `transcript.text.done`. The older form, `transcription.chunk` with a
last `[DONE]`, is what SGLang and vLLM send; stock OpenAI clients do not understand it, so it must be asked for.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from wavescribe.errors import InvalidRequestError, WavescribeError
from wavescribe.streaming.events import Event, Settled, TurnEnded, TurnFailed

KEEP_ALIVE_SECONDS = 15.0
KEEP_ALIVE = ": keep-alive\n\n"


def frame(body: dict[str, Any]) -> str:
    """A server-sent event that holds a JSON object."""
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"


@dataclass(frozen=True, slots=True)
class TextEvents:
    """The OpenAI API's form.

    Attributes:
        word_rate: samples per second of the core's positions, where each delta shall have its `words` with their times
            (an extension: asked for by `timestamp_granularities[]=word`), or None.
    """

    word_rate: int | None = None

    def render(self, event: Event) -> list[str]:
        """The frames of an event of the core."""
        match event:
            case Settled(delta=delta):
                return [frame({"type": "transcript.text.delta", "delta": delta, **self._words(event)})]
            case TurnEnded(transcript=transcript, language=language):
                languages = [{"code": language}] if language else []
                return [frame({"type": "transcript.text.done", "text": transcript, "languages": languages})]
            case _:
                return []

    def end(self) -> list[str]:
        """The frames after the last event."""
        return []

    def _words(self, event: Settled) -> dict[str, Any]:
        """The words of a delta with their places in seconds, where they are wanted."""
        if (rate := self.word_rate) is None:
            return {}
        words = [
            {"word": word.text, "start": round(word.start / rate, 3), "end": round(word.end / rate, 3)}
            for word in event.words
        ]
        return {"words": words}


@dataclass(slots=True)
class ChunkEvents:
    """The `transcription.chunk` form.

    Attributes:
        model: the model name in each chunk.
    """

    model: str
    _id: str = field(default_factory=lambda: f"trsc-{secrets.token_hex(16)}")
    _created: int = field(default_factory=lambda: int(time.time()))

    def render(self, event: Event) -> list[str]:
        """The frames of an event of the core."""
        match event:
            case Settled(delta=delta):
                return [self._chunk({"content": delta}, None)]
            case TurnEnded():
                return [self._chunk({}, "stop")]
            case _:
                return []

    def end(self) -> list[str]:
        """The frames after the last event."""
        return ["data: [DONE]\n\n"]

    def _chunk(self, delta: dict[str, str], finish_reason: str | None) -> str:
        return frame(
            {
                "id": self._id,
                "object": "transcription.chunk",
                "created": self._created,
                "model": self.model,
                "choices": [{"delta": delta, "finish_reason": finish_reason}],
                "usage": None,
            }
        )


async def server_sent_events(events: AsyncIterator[Event], form: TextEvents | ChunkEvents) -> AsyncGenerator[str]:
    """Frames for the events, a comment where nothing comes for long, and an error frame where the work fails.

    Args:
        events: the core's events; they are closed when this is.
        form: how they are written.
    """
    failed = False
    async for event in _with_keep_alives(events):
        if isinstance(event, str):
            yield event
        elif isinstance(event, (TurnFailed, WavescribeError)):
            failed = True
            yield frame({"error": _error(event)})
        elif not failed:
            for text in form.render(event):
                yield text
    for text in form.end():
        yield text


def _error(failure: TurnFailed | WavescribeError) -> dict[str, Any]:
    if isinstance(failure, InvalidRequestError):
        return {
            "message": str(failure),
            "type": "invalid_request_error",
            "param": failure.param,
            "code": failure.code,
        }
    message = "The server had an error while processing your request."
    return {"message": message, "type": "server_error", "param": None, "code": None}


async def _with_keep_alives(events: AsyncIterator[Event]) -> AsyncIterator[Event | str | WavescribeError]:
    """The events, and a keep-alive comment after each long silence; a failure comes as the last item."""
    upcoming: asyncio.Task[Event | None] | None = None
    try:
        while True:
            upcoming = upcoming or asyncio.create_task(_next(events), name="next event")
            done, _ = await asyncio.wait({upcoming}, timeout=KEEP_ALIVE_SECONDS)
            if not done:
                yield KEEP_ALIVE
                continue
            finished, upcoming = upcoming, None
            try:
                event = finished.result()
            except WavescribeError as error:
                yield error
                return
            if event is None:
                return
            yield event
    finally:
        if upcoming is not None:
            upcoming.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await upcoming
        if hasattr(events, "aclose"):
            await events.aclose()


async def _next(events: AsyncIterator[Event]) -> Event | None:
    return await anext(events, None)
