"""Errors in the OpenAI API's shape: {"error": {message, type, param, code}}, on every route and status."""

from __future__ import annotations

import logging

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from wavescribe.errors import (
    DrainingError,
    InvalidRequestError,
    ModelNotFoundError,
    OverloadedError,
    StorageError,
    UploadTooLargeError,
    WavescribeError,
)

logger = logging.getLogger(__name__)

INVALID, SERVER, RATE_LIMIT = "invalid_request_error", "server_error", "rate_limit_exceeded"

STORAGE_RETRY_SECONDS = "30"
"""What a client is told to wait whose upload there was no room for."""


def error_response(
    status: int,
    message: str,
    kind: str,
    *,
    code: str | None = None,
    param: str | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """An error body; all four keys are always there."""
    body = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    return JSONResponse(body, status_code=status, headers=headers)


def known_error(error: WavescribeError) -> JSONResponse:
    """The response for an error that wavescribe raised on purpose."""
    match error:
        case UploadTooLargeError():
            # The rest of the body is not read, so the connection cannot be used again.
            return error_response(413, str(error), SERVER, code=error.code, headers={"connection": "close"})
        case ModelNotFoundError():
            return error_response(404, str(error), INVALID, code=error.code, param=error.param)
        case InvalidRequestError():
            return error_response(400, str(error), INVALID, code=error.code, param=error.param)
        case DrainingError():
            wait = {"retry-after": str(error.retry_after)}
            return error_response(503, str(error), SERVER, code="draining", headers=wait)
        case OverloadedError():
            wait = {"retry-after": str(error.retry_after)}
            return error_response(429, str(error), RATE_LIMIT, code=RATE_LIMIT, headers=wait)
        case StorageError():
            logger.error("request failed: %s", error, exc_info=error)
            # Whatever is left of the body is not read; the room may be there again when other files are through.
            headers = {"connection": "close", "retry-after": STORAGE_RETRY_SECONDS}
            return error_response(503, str(error), SERVER, code="insufficient_storage", headers=headers)
        case _:
            logger.error("request failed: %s", error, exc_info=error)
            return server_failure()


def server_failure() -> JSONResponse:
    """The response for a failure of the server; what failed is in its log, not in the answer."""
    # Stock clients would send the same file twice more, and it would fail the same way.
    headers = {"x-should-retry": "false"}
    return error_response(500, "The server had an error while processing your request.", SERVER, headers=headers)


def _http_error(request: Request, error: HTTPException) -> Response:
    where = f"{request.method} {request.url.path}"
    match error.status_code:
        case 404:
            return error_response(404, f"Invalid URL ({where})", INVALID)
        case 405:
            return error_response(
                405, f"Not allowed to {where}", INVALID, code="method_not_supported", headers=dict(error.headers or {})
            )
        case status:
            kind = INVALID if status < 500 else SERVER
            return error_response(status, str(error.detail), kind)


def _validation_error(error: RequestValidationError) -> Response:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"][1:]) or None
    return error_response(
        400, f"Invalid {name or 'request'}: {first['msg']}", INVALID, code="invalid_value", param=name
    )


async def handle_known(_: Request, error: Exception) -> Response:
    """Exception handler of WavescribeError."""
    assert isinstance(error, WavescribeError)
    return known_error(error)


async def handle_http(request: Request, error: Exception) -> Response:
    """Exception handler of routing errors."""
    assert isinstance(error, HTTPException)
    return _http_error(request, error)


async def handle_validation(_: Request, error: Exception) -> Response:
    """Exception handler of the framework's validation errors."""
    assert isinstance(error, RequestValidationError)
    return _validation_error(error)


def install_error_handlers(app: FastAPI) -> None:
    """Answer every expected error in the OpenAI API's shape."""
    app.add_exception_handler(WavescribeError, handle_known)
    app.add_exception_handler(HTTPException, handle_http)
    app.add_exception_handler(RequestValidationError, handle_validation)
