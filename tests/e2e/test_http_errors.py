from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import openai as sdk
import pytest
from openai import OpenAI

from wavescribe.audio.decoding import decode_audio
from wavescribe.engines.base import Samples

if TYPE_CHECKING:
    from tests.e2e.conftest import RunningServer

pytestmark = pytest.mark.model

FOX = "the quick brown fox jumps over the lazy dog"
PATH = "/v1/audio/transcriptions"
UPLOAD_LIMIT = 300_000
TRIES = 150

Encode = Callable[..., bytes]
Serve = Callable[..., "RunningServer"]


def refused(client: OpenAI, **fields: Any) -> sdk.APIStatusError:
    """The error that the stock client makes of the answer; the body has all four keys and a request id."""
    with pytest.raises(sdk.APIStatusError) as caught:
        client.audio.transcriptions.create(**({"model": "whisper-1"} | fields))
    error = caught.value
    assert set(error.response.json()) == {"error"}
    assert set(error.response.json()["error"]) == {"message", "type", "param", "code"}
    assert error.request_id
    return error


def wav(encode: Encode, samples: Samples) -> bytes:
    return encode(samples, "wav", "pcm_s16le", "s16", 16_000)


@pytest.fixture
def limited(serve: Serve) -> RunningServer:
    """A server for one small file at a time."""
    return serve("--model", "whisper-tiny.en", "--max-upload-bytes", str(UPLOAD_LIMIT), "--max-file-jobs", "1")


@pytest.fixture
def single(serve: Serve) -> RunningServer:
    """A server for one file at a time."""
    return serve("--model", "whisper-tiny.en", "--max-file-jobs", "1")


@pytest.fixture(scope="module")
def long_recording(two_cities: Path, encode: Encode) -> bytes:
    """Minutes of speech: far more work than the polling of a test takes."""
    samples = decode_audio(two_cities, max_seconds=60)
    return wav(encode, np.tile(samples, 20))


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"", "the file is empty"), (b"This is a text that calls itself a recording.\n" * 50, "not recognised")],
    ids=["empty", "text"],
)
def test_what_is_no_audio_is_a_bad_request(english_client: OpenAI, data: bytes, reason: str) -> None:
    error = refused(english_client, file=("a.wav", data))
    assert isinstance(error, sdk.BadRequestError)
    assert error.param == "file"
    assert error.type == "invalid_request_error"
    assert "Invalid file format. Supported formats: ['flac', 'm4a'" in error.message
    assert reason in error.message


def test_a_truncated_mp3_is_transcribed_as_far_as_it_is_whole(
    english_client: OpenAI, fox: Path, encode: Encode, normalise: Callable[[str], str]
) -> None:
    whole = encode(fox, "mp3", "libmp3lame", "fltp", 44_100)
    result = english_client.audio.transcriptions.create(file=("a.mp3", whole[: len(whole) // 2]), model="whisper-1")
    assert normalise(result.text).startswith("the quick brown fox")
    assert "dog" not in result.text
    assert result.usage is not None
    assert result.usage.to_dict() == {"type": "duration", "seconds": 2}


def test_a_twentieth_of_a_second_is_too_short(english_client: OpenAI, encode: Encode) -> None:
    error = refused(english_client, file=("a.wav", wav(encode, np.zeros(800, dtype=np.float32))))
    assert isinstance(error, sdk.BadRequestError)
    assert error.code == "audio_too_short"
    assert error.param == "file"


def test_an_unknown_model_is_not_found(english_client: OpenAI, fox: Path) -> None:
    error = refused(english_client, file=fox, model="whisper-99")
    assert isinstance(error, sdk.NotFoundError)
    assert error.code == "model_not_found"
    assert error.param == "model"


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"response_format": "xml"}, "invalid_value", "response_format"),
        ({"response_format": "diarized_json"}, "unsupported_value", "response_format"),
        ({"temperature": 2}, "invalid_value", "temperature"),
        ({"timestamp_granularities": ["sentence"]}, "invalid_value", "timestamp_granularities[]"),
        ({"language": "klingon"}, "invalid_language_format", "language"),
        ({"language": "de"}, "unsupported_value", "language"),
    ],
)
def test_a_wrong_value_is_a_bad_request_that_names_the_field(
    english_client: OpenAI, fox: Path, fields: dict[str, Any], code: str, param: str
) -> None:
    error = refused(english_client, file=fox, **fields)
    assert isinstance(error, sdk.BadRequestError)
    assert (error.code, error.param) == (code, param)


def test_a_missing_file_is_named(english_server: RunningServer) -> None:
    response = httpx.post(f"{english_server.http}{PATH}", files={"model": (None, "whisper-1")})
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "missing_required_parameter"
    assert response.json()["error"]["param"] == "file"


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # the client's word on its translations
def test_a_model_that_cannot_translate_says_so(english_client: OpenAI, fox: Path) -> None:
    with pytest.raises(sdk.BadRequestError) as caught:
        english_client.audio.translations.create(file=fox, model="whisper-1")
    assert caught.value.code == "unsupported_value"
    assert caught.value.param == "model"


def test_an_unknown_address_is_not_found_in_the_shape_of_the_api(english_server: RunningServer) -> None:
    response = httpx.get(f"{english_server.http}/v1/nope")
    assert response.status_code == 404
    expected = {"message": "Invalid URL (GET /v1/nope)", "type": "invalid_request_error", "param": None, "code": None}
    assert response.json() == {"error": expected}


def test_get_on_transcriptions_is_not_allowed(english_server: RunningServer) -> None:
    response = httpx.get(f"{english_server.http}{PATH}")
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert response.json()["error"]["code"] == "method_not_supported"


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics", "/v1/models", "/v1/nope", PATH])
def test_every_answer_has_a_request_id_of_its_own(english_server: RunningServer, path: str) -> None:
    ids = [httpx.get(f"{english_server.http}{path}").headers["x-request-id"] for _ in range(2)]
    assert all(ids)
    assert ids[0] != ids[1]


def test_a_file_over_the_limit_is_refused(limited: RunningServer) -> None:
    with limited.client() as client:
        error = refused(client, file=("a.wav", bytes(20 * UPLOAD_LIMIT)))
    assert error.status_code == 413
    assert error.type == "server_error"
    assert f"Maximum content size limit ({UPLOAD_LIMIT}) exceeded" in error.message


def test_a_chunked_upload_is_read_to_the_limit_and_no_further(limited: RunningServer) -> None:
    taken = 0

    def body() -> Iterator[bytes]:
        nonlocal taken
        yield b'--edge\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
        for _ in range(2_000):
            taken += 65_536
            yield bytes(65_536)

    headers = {"content-type": "multipart/form-data; boundary=edge"}
    response = httpx.post(f"{limited.http}{PATH}", content=body(), headers=headers, timeout=60)
    assert "content-length" not in response.request.headers
    assert response.status_code == 413
    assert response.json()["error"]["type"] == "server_error"
    # What lies in the sockets' buffers counts as taken, too: some megabytes, and not the 131 of the whole body.
    assert UPLOAD_LIMIT < taken < 32_000_000


def test_a_file_within_the_limit_is_transcribed_after_refusals(
    limited: RunningServer, fox: Path, normalise: Callable[[str], str]
) -> None:
    with limited.client() as client:
        result = client.audio.transcriptions.create(file=fox, model="whisper-1")
    assert normalise(result.text) == FOX


def test_one_of_two_simultaneous_files_is_told_to_come_again(single: RunningServer, two_cities: Path) -> None:
    with single.client() as client, ThreadPoolExecutor(2) as threads:

        def transcribe() -> sdk.RateLimitError | str:
            try:
                return client.audio.transcriptions.create(file=two_cities, model="whisper-1").text
            except sdk.RateLimitError as error:
                return error

        answers = [future.result() for future in [threads.submit(transcribe) for _ in range(2)]]
    [error] = [answer for answer in answers if isinstance(answer, sdk.RateLimitError)]
    assert error.code == "rate_limit_exceeded"
    assert int(error.response.headers["retry-after"]) >= 1
    assert any(isinstance(answer, str) and "best of times" in answer for answer in answers)


def test_the_stock_client_that_retries_succeeds_after_an_overload(single: RunningServer, two_cities: Path) -> None:
    refused_before = files(single, "refused")
    with single.client(max_retries=2) as client, ThreadPoolExecutor(2) as threads:
        submitted = [
            threads.submit(client.audio.transcriptions.create, file=two_cities, model="whisper-1") for _ in range(2)
        ]
        assert all("best of times" in future.result().text for future in submitted)
    assert files(single, "refused") > refused_before


async def test_a_client_that_leaves_frees_its_place(single: RunningServer, long_recording: bytes, fox: Path) -> None:
    completed = await asyncio.to_thread(files, single, "completed")
    async with httpx.AsyncClient(base_url=single.http, timeout=600) as http:
        await leave_while_transcribed(http, long_recording)
        assert await settles(http, 200, {"file": ("fox.wav", await asyncio.to_thread(fox.read_bytes))})
    assert await asyncio.to_thread(files, single, "completed") == completed + 1


async def leave_while_transcribed(http: httpx.AsyncClient, recording: bytes) -> None:
    """Close the connection of a request whose file holds the one place."""
    for _ in range(TRIES):
        request = asyncio.create_task(http.post(PATH, files={"file": ("long.wav", recording)}))
        # An empty file is told apart from a refusal at once, and takes no time of the model.
        busy = await settles(http, 429, {"file": ("empty.wav", b"")}, while_running=request)
        request.cancel()
        [outcome] = await asyncio.gather(request, return_exceptions=True)
        if busy and isinstance(outcome, asyncio.CancelledError):
            return
    pytest.fail("the long recording never held the place")


async def settles(
    http: httpx.AsyncClient, status: int, form: dict[str, Any], *, while_running: asyncio.Task[Any] | None = None
) -> bool:
    """Whether the form is answered with the status within a bounded number of tries."""
    for _ in range(TRIES):
        if (await http.post(PATH, files=form)).status_code == status:
            return True
        if while_running is not None and while_running.done():
            return False
        await asyncio.sleep(0.1)
    return False


def files(server: RunningServer, outcome: str) -> float:
    """How many files the server has counted with this outcome."""
    name = f'wavescribe_files_total{{outcome="{outcome}"}} '
    lines = httpx.get(f"{server.http}/metrics").text.splitlines()
    return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))
