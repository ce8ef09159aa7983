from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import httpx
import openai as sdk
import pytest
from openai import OpenAI

from wavescribe.engines.base import DecodeRequest, Engine, Hypothesis

pytestmark = pytest.mark.model

Serve = Callable[..., AbstractContextManager[Any]]


class SlowStart:
    """The real engine, whose first decode waits at a gate."""

    def __init__(self, engine: Engine) -> None:
        self.info = engine.info
        self._engine = engine
        self.gate = threading.Event()
        self.decoded = threading.Event()

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        assert self.gate.wait(60)
        hypotheses = self._engine.decode(requests)
        self.decoded.set()
        return hypotheses


def test_the_models_are_listed_and_found_by_every_name(openai: OpenAI) -> None:
    listed = list(openai.models.list())
    assert [model.id for model in listed] == ["whisper-base"]
    for name in ("whisper-base", "whisper-1", "gpt-4o-mini-transcribe"):
        assert openai.models.retrieve(name).id == name


@pytest.mark.parametrize("name", ["whisper-99", "openai/whisper-tiny"])
def test_an_unknown_model_is_not_found(openai: OpenAI, name: str) -> None:
    with pytest.raises(sdk.NotFoundError) as caught:
        openai.models.retrieve(name)
    assert caught.value.code == "model_not_found"


def test_a_model_without_a_name_is_no_model(server: Any) -> None:
    response = httpx.get(f"{server.url}/v1/models/", follow_redirects=True)
    assert '"id":""' not in response.text


def test_a_server_is_live_at_once_and_ready_after_its_first_decode(engine: Engine, serve: Serve) -> None:
    starting = SlowStart(engine)
    with serve(starting) as server:
        assert httpx.get(f"{server.url}/health").status_code == 200
        early = httpx.get(f"{server.url}/ready")
        assert early.status_code == 503
        assert early.headers["retry-after"]
        starting.gate.set()
        assert starting.decoded.wait(60)
        while (late := httpx.get(f"{server.url}/ready")).status_code == 503:
            pass
        assert late.status_code == 200


def test_metrics_are_prometheus_text_and_count_files(server: Any, openai: OpenAI, fox: bytes) -> None:
    def completed() -> float:
        response = httpx.get(f"{server.url}/metrics")
        assert response.headers["content-type"].startswith("text/plain; version=")
        lines = [line for line in response.text.splitlines() if 'wavescribe_files_total{outcome="completed"}' in line]
        return float(lines[0].split()[-1]) if lines else 0.0

    before = completed()
    openai.audio.transcriptions.create(model="whisper-1", file=fox)
    assert completed() == before + 1


@pytest.mark.parametrize("path", ["/health", "/v1/models", "/v1/nope", "/metrics"])
def test_every_answer_has_a_request_id_of_its_own(server: Any, path: str) -> None:
    ids = {httpx.get(server.url + path).headers["x-request-id"] for _ in range(2)}
    assert len(ids) == 2
    assert all(request_id.startswith("req_") for request_id in ids)


def test_a_request_id_of_the_client_comes_back_when_it_is_a_plain_token(server: Any) -> None:
    sane = httpx.get(f"{server.url}/health", headers={"x-request-id": "trace-42.a"})
    assert sane.headers["x-request-id"] == "trace-42.a"
    for wild in ("a b", "x" * 129, "<script>"):
        response = httpx.get(f"{server.url}/health", headers={"x-request-id": wild})
        assert response.headers["x-request-id"].startswith("req_")
