from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import openai as sdk
import pytest

from wavescribe.engines.base import Engine

pytestmark = pytest.mark.model

LIMIT = 300_000
SLACK = 256 * 1024
"""What the web server may have read ahead."""

HEAD = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
KIND = {"content-type": "multipart/form-data; boundary=edge"}
Serve = Callable[..., AbstractContextManager[Any]]


@pytest.fixture(scope="module")
def small(engine: Engine, serve: Serve) -> Iterator[Any]:
    """A server that takes uploads of LIMIT bytes."""
    with serve(engine, max_upload_bytes=LIMIT) as server:
        yield server


@pytest.fixture
def counted(small: Any) -> Any:
    small.app.bytes_read = 0
    return small


def test_a_file_within_the_limit_is_transcribed(counted: Any, fox: bytes) -> None:
    assert "fox" in counted.client().audio.transcriptions.create(model="whisper-1", file=fox).text
    assert counted.app.bytes_read > len(fox)


def test_a_file_over_the_limit_is_refused_before_it_is_read(counted: Any) -> None:
    with pytest.raises(sdk.APIStatusError) as caught:
        counted.client().audio.transcriptions.create(model="whisper-1", file=b"\0" * 20 * LIMIT)
    error = caught.value
    assert (error.status_code, error.type, error.code, error.param) == (413, "server_error", None, None)
    assert error.response.headers["connection"] == "close"
    assert f"Maximum content size limit ({LIMIT}) exceeded (" in error.message
    assert counted.app.bytes_read == 0


def test_a_body_of_unknown_length_is_read_to_the_limit_and_no_further(counted: Any) -> None:
    def body() -> Iterator[bytes]:
        yield HEAD
        for _ in range(200):
            yield b"\0" * 65_536

    response = httpx.post(f"{counted.url}/v1/audio/transcriptions", content=body(), headers=KIND)
    assert response.status_code == 413
    assert set(response.json()["error"]) == {"message", "type", "param", "code"}
    assert response.headers["x-request-id"]
    assert LIMIT < counted.app.bytes_read <= LIMIT + SLACK


def test_the_server_serves_on_after_a_client_left_in_the_middle_of_an_upload(
    counted: Any, fox: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_connection(("127.0.0.1", counted.port)) as connection:
        head = f"POST /v1/audio/transcriptions HTTP/1.1\r\nhost: x\r\ncontent-type: {KIND['content-type']}\r\n"
        connection.sendall(f"{head}content-length: 200000\r\n\r\n".encode() + HEAD + b"\0" * 1000)
    assert "fox" in counted.client().audio.transcriptions.create(model="whisper-1", file=fox).text
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_form_of_thousands_of_fields_is_refused(counted: Any) -> None:
    part = b'--edge\r\nContent-Disposition: form-data; name="x"\r\n\r\n\r\n'
    response = httpx.post(f"{counted.url}/v1/audio/transcriptions", content=part * 5000 + b"--edge--\r\n", headers=KIND)
    assert response.status_code == 400
    assert "Too many fields" in response.json()["error"]["message"]
