"""`POST /v1/audio/transcriptions` and `POST /v1/audio/translations`."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from wavescribe.api.event_stream import EventStreamResponse
from wavescribe.api.models import ServedModels
from wavescribe.api.streamed_transcript import ChunkEvents, TextEvents, server_sent_events
from wavescribe.api.transcription_form import MAXIMUM_PART_BYTES, TranscriptionForm, read_form
from wavescribe.engines.base import FileOptions, Task
from wavescribe.errors import InvalidRequestError, StorageError
from wavescribe.rendering.response_formats import render
from wavescribe.serving.file_result import FileResult
from wavescribe.serving.file_service import FileService
from wavescribe.serving.live_service import StreamOptions

CLIENT_LEFT = Response(status_code=499)
"""Nobody reads it: the client has gone."""


def transcriptions_router(service: FileService, models: ServedModels, stream_format: str) -> APIRouter:
    """The two file endpoints.

    Args:
        service: transcribes.
        models: the names that are answered to.
        stream_format: "events" or "chunks", the form of streamed text where the client does not say.
    """
    router = APIRouter(prefix="/v1/audio")

    @router.post("/transcriptions")
    async def transcriptions(request: Request) -> Response:
        return await _answer(request, service, models, "transcribe", stream_format)

    @router.post("/translations")
    async def translations(request: Request) -> Response:
        return await _answer(request, service, models, "translate", stream_format)

    return router


async def _answer(
    request: Request, service: FileService, models: ServedModels, task: Task, stream_format: str
) -> Response:
    _check_content_type(request)
    async with AsyncExitStack() as stack:
        form = await _read(request, stack, task)
        models.check(form.model)
        options = _options(form, service)
        if form.stream:
            return await _stream(form, options, service, stack, stream_format)
        result = await _while_connected(request, service, form, options)
    if result is None:
        return CLIENT_LEFT
    body, media_type = render(result, form.response_format, form.granularities)
    return Response(body, media_type=media_type)


async def _read(request: Request, stack: AsyncExitStack, task: Task) -> TranscriptionForm:
    """The form; its spooled file is closed with the stack."""
    try:
        fields = await stack.enter_async_context(request.form(max_files=8, max_part_size=MAXIMUM_PART_BYTES))
    except HTTPException as error:
        raise InvalidRequestError(f"The form cannot be read: {error.detail}", code="invalid_value") from error
    except OSError as error:
        raise StorageError("The server has no room to keep the upload. Try again later.") from error
    return read_form(fields, task)


async def _stream(
    form: TranscriptionForm, options: FileOptions, service: FileService, stack: AsyncExitStack, stream_format: str
) -> Response:
    """The response whose body is the events; it takes over what the stack holds, and closes it."""
    _check_stream(form)
    wanted = StreamOptions(options.language, options.prompt, options.keywords, form.strategy, form.delay)
    events = await stack.enter_async_context(service.streaming(form.file.file, wanted))
    chunks = (form.stream_format or stream_format) == "chunks"
    word_rate = service.info.sample_rate if "word" in form.granularities else None
    written = ChunkEvents(form.model or service.info.name) if chunks else TextEvents(word_rate)
    return EventStreamResponse(server_sent_events(events, written), stack.pop_all())


def _check_content_type(request: Request) -> None:
    kind = request.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        raise InvalidRequestError(
            f"Expected multipart/form-data with the parts 'file' and 'model', got '{kind or 'no content type'}'.",
            code="unsupported_content_type",
        )


def _check_stream(form: TranscriptionForm) -> None:
    if form.response_format not in ("json", "text"):
        raise InvalidRequestError(
            f"stream=true goes with response_format 'json' or 'text', not '{form.response_format}'.",
            code="unsupported_value",
            param="stream",
        )
    if form.options.task == "translate":
        raise InvalidRequestError(
            "Translations are not streamed; leave stream out.", code="unsupported_value", param="stream"
        )


def _options(form: TranscriptionForm, service: FileService) -> FileOptions:
    """The options for this engine; an English-only one needs no language from the client."""
    info = service.info
    if form.options.task == "translate" and not info.translates:
        raise InvalidRequestError(
            f"The model '{info.name}' cannot translate to English; use /v1/audio/transcriptions.",
            code="unsupported_value",
            param="model",
        )
    language = form.options.language
    if language is not None and language not in info.languages:
        raise InvalidRequestError(
            f"The model '{info.name}' does not transcribe the language '{language}'.",
            code="unsupported_value",
            param="language",
        )
    return replace(form.options, language=info.languages[0] if len(info.languages) == 1 else language)


async def _while_connected(
    request: Request, service: FileService, form: TranscriptionForm, options: FileOptions
) -> FileResult | None:
    """The result, or None when the client went away first; its work is stopped then."""
    work = asyncio.create_task(service.transcribe(form.file.file, options), name="file")
    gone = asyncio.create_task(_disconnected(request), name="disconnect")
    try:
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        return await work if work.done() else None
    finally:
        gone.cancel()
        work.cancel()
        await asyncio.gather(work, gone, return_exceptions=True)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
