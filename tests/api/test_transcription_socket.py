from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from wavescribe.api.server import build_app
from wavescribe.engines.base import Engine, Samples
from wavescribe.serving import tracing
from wavescribe.serving.live_stream import LiveStream
from wavescribe.settings import load_settings

pytestmark = pytest.mark.model

sdk = pytest.importorskip("opentelemetry.sdk.trace")
PATH = "/v1/audio/transcriptions/stream"


def test_an_end_that_is_no_fault_is_none_in_the_trace(
    engine: Engine, fox_samples: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = pytest.importorskip("opentelemetry.sdk.trace.export")
    memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter").InMemorySpanExporter()
    provider: Any = sdk.TracerProvider()
    provider.add_span_processor(export.SimpleSpanProcessor(memory))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("wavescribe"))
    with TestClient(build_app(engine, load_settings())) as client, client.websocket_connect(PATH) as socket:
        socket.send_json({"type": "session.start", "language": "en"})
        assert socket.receive_json()["type"] == "session.started"
        socket.send_bytes((32767 * fox_samples).astype("<i2").tobytes())
        socket.send_json({"type": "session.end"})
        while socket.receive_json()["type"] != "transcript.final":
            pass
        assert socket.receive()["type"] == "websocket.close"
    provider.shutdown()
    session = next(span for span in memory.get_finished_spans() if span.name == "session")
    assert session.events == ()
    assert session.status.status_code.name == "UNSET"


def test_a_stream_that_is_ended_again_and_again_is_ended_once(
    engine: Engine, fox_samples: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished, finish = [], LiveStream.finish

    def counted(stream: LiveStream) -> None:
        finished.append(stream)
        finish(stream)

    monkeypatch.setattr(LiveStream, "finish", counted)
    with TestClient(build_app(engine, load_settings())) as client, client.websocket_connect(PATH) as socket:
        socket.send_json({"type": "session.start", "language": "en"})
        assert socket.receive_json()["type"] == "session.started"
        socket.send_bytes((32767 * fox_samples).astype("<i2").tobytes())
        for _ in range(50):
            socket.send_json({"type": "session.end"})
        while socket.receive_json()["type"] != "transcript.final":
            pass
        assert socket.receive()["type"] == "websocket.close"
    assert len(finished) == 1
