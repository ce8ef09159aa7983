from __future__ import annotations

import json
import logging
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from wavescribe.api.errors import error_response, install_error_handlers, known_error
from wavescribe.errors import (
    AudioFormatError,
    EngineError,
    InvalidRequestError,
    ModelNotFoundError,
    OverloadedError,
    UploadTooLargeError,
    WavescribeError,
)

KNOWN: list[tuple[WavescribeError, int, dict[str, str | None]]] = [
    (
        InvalidRequestError("wrong", code="invalid_value", param="temperature"),
        400,
        {"message": "wrong", "type": "invalid_request_error", "param": "temperature", "code": "invalid_value"},
    ),
    (
        AudioFormatError("no audio", param="file"),
        400,
        {"message": "no audio", "type": "invalid_request_error", "param": "file", "code": None},
    ),
    (
        ModelNotFoundError("no model", code="model_not_found", param="model"),
        404,
        {"message": "no model", "type": "invalid_request_error", "param": "model", "code": "model_not_found"},
    ),
    (
        UploadTooLargeError("too large"),
        413,
        {"message": "too large", "type": "server_error", "param": None, "code": None},
    ),
    (
        OverloadedError("full"),
        429,
        {"message": "full", "type": "rate_limit_exceeded", "param": None, "code": "rate_limit_exceeded"},
    ),
]


def body(response: Any) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(response.body)
    return parsed


def app_that_raises(error: Exception) -> FastAPI:
    app = FastAPI()
    install_error_handlers(app)

    @app.get("/")
    async def fail() -> None:
        raise error

    @app.get("/counted")
    async def counted(number: int) -> int:
        return number

    return app


async def get(app: FastAPI, path: str = "/") -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://server") as client:
        return await client.get(path)


def test_all_four_keys_are_always_there() -> None:
    expected = {"error": {"message": "no", "type": "server_error", "param": None, "code": None}}
    assert body(error_response(500, "no", "server_error")) == expected


@pytest.mark.parametrize(("error", "status", "expected"), KNOWN, ids=lambda value: type(value).__name__)
def test_every_known_error_has_its_status_and_words(
    error: WavescribeError, status: int, expected: dict[str, str | None]
) -> None:
    response = known_error(error)
    assert response.status_code == status
    assert body(response) == {"error": expected}


def test_an_overload_tells_when_to_come_again() -> None:
    assert known_error(OverloadedError("full", retry_after=7)).headers["retry-after"] == "7"


def test_an_upload_that_is_not_read_ends_the_connection() -> None:
    assert known_error(UploadTooLargeError("too large")).headers["connection"] == "close"


def test_a_failure_of_the_engine_is_logged_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        response = known_error(EngineError("a secret of the inside"))
    assert response.status_code == 500
    assert body(response)["error"]["type"] == "server_error"
    assert b"secret" not in response.body
    assert "a secret of the inside" in caplog.text


async def test_an_error_raised_by_a_route_is_answered() -> None:
    response = await get(app_that_raises(InvalidRequestError("wrong", param="file")))
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "file"


async def test_an_unknown_address_is_answered_with_the_method_and_the_path() -> None:
    app = app_that_raises(InvalidRequestError("wrong"))
    response = await get(app, "/nowhere")
    assert response.status_code == 404
    assert response.json()["error"]["message"] == "Invalid URL (GET /nowhere)"


async def test_what_the_framework_finds_invalid_is_a_bad_request_that_names_the_field() -> None:
    response = await get(app_that_raises(InvalidRequestError("wrong")), "/counted?number=many")
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", "invalid_value", "number")
