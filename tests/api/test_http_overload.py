from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

import httpx
import openai as sdk
import pytest

from wavescribe.engines.base import Engine, FileOptions, FileTranscription, Samples, Segment

pytestmark = pytest.mark.model

Serve = Callable[..., AbstractContextManager[Any]]


class GatedEngine:
    """The real engine behind a gate: files wait at it, and `entered` tells that one has come."""

    def __init__(self, engine: Engine) -> None:
        self.info = engine.info
        self.decode = engine.decode
        self._engine = engine
        self.entered = threading.Event()
        self.gate = threading.Event()

    def transcribe_file(self, samples: Samples, options: FileOptions) -> FileTranscription:
        self.entered.set()
        assert self.gate.wait(60)
        return self._engine.transcribe_file(samples, options)


class EndlessEngine(GatedEngine):
    """A recording without end: segments come until nobody reads them."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.stopped = threading.Event()

    def transcribe_file(self, samples: Samples, options: FileOptions) -> FileTranscription:
        return FileTranscription("en", 1.0, 1.0, self._segments())

    def _segments(self) -> Iterator[Segment]:
        try:
            while not self.gate.wait(0.01):
                self.entered.set()
                yield Segment(0, 0, 0.0, 1.0, " on", (), 0.0, -0.1, 1.0, 0.0)
        finally:
            self.stopped.set()


def test_a_full_server_refuses_with_retry_after_and_the_sdk_then_succeeds(
    engine: Engine, serve: Serve, fox: bytes
) -> None:
    gated = GatedEngine(engine)
    with serve(gated, max_file_jobs=1) as server, ThreadPoolExecutor() as threads:
        first = threads.submit(_transcribe, server.client(), fox)
        assert gated.entered.wait(60)
        with pytest.raises(sdk.RateLimitError) as caught:
            _transcribe(server.client(), fox)
        assert int(caught.value.response.headers["retry-after"]) >= 1
        assert caught.value.code == "rate_limit_exceeded"
        retrying = threads.submit(_transcribe, server.client(max_retries=2), fox)
        gated.gate.set()
        assert first.result() == retrying.result()


def test_a_client_that_leaves_stops_the_work_and_frees_its_place(engine: Engine, serve: Serve, fox: bytes) -> None:
    endless = EndlessEngine(engine)
    with serve(endless, max_file_jobs=1) as server:
        leaving = server.client().with_options(timeout=1)
        with pytest.raises(sdk.APITimeoutError):
            _transcribe(leaving, fox)
        assert endless.entered.is_set()
        assert endless.stopped.wait(30)
        endless.gate.set()
        assert _transcribe(server.client(max_retries=2), fox) == ""


def test_the_event_loop_answers_while_a_file_is_transcribed(engine: Engine, serve: Serve, fox: bytes) -> None:
    gated = GatedEngine(engine)
    with serve(gated) as server, ThreadPoolExecutor() as threads:
        waiting = threads.submit(_transcribe, server.client(), fox)
        assert gated.entered.wait(60)
        assert httpx.get(f"{server.url}/health").status_code == 200
        assert not waiting.done()
        gated.gate.set()
        assert "fox" in waiting.result()


def _transcribe(client: sdk.OpenAI, sound: bytes) -> str:
    return client.audio.transcriptions.create(model="whisper-1", file=sound).text
