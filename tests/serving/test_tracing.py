from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from wavescribe.serving import tracing
from wavescribe.serving.live_service import LiveService
from wavescribe.serving.metrics import Metrics
from wavescribe.settings import load_settings

if TYPE_CHECKING:
    from tests.serving.conftest import FakeEngine

sdk = pytest.importorskip("opentelemetry.sdk.trace")
RATE = 16_000


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """What was traced; the tracer is this test's own."""
    memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter").InMemorySpanExporter()
    export = pytest.importorskip("opentelemetry.sdk.trace.export")
    provider = sdk.TracerProvider()
    provider.add_span_processor(export.SimpleSpanProcessor(memory))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("wavescribe"))
    yield memory
    provider.shutdown()


def test_a_span_has_its_attributes_and_its_parent(spans: Any) -> None:
    with tracing.span("session", session_id="sess_1"), tracing.engine_span(3):
        pass
    inner, outer = spans.get_finished_spans()
    assert (inner.name, dict(inner.attributes)) == ("decode", {"wavescribe.batch_size": 3})
    assert (outer.name, dict(outer.attributes)) == ("session", {"wavescribe.session_id": "sess_1"})
    assert inner.parent.span_id == outer.context.span_id


async def test_every_step_of_a_stream_is_a_span(spans: Any, engine: FakeEngine, metrics: Metrics) -> None:
    service = LiveService(engine, load_settings(), metrics)
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 4 * RATE).astype(np.float32)
    async with service.running():
        with service.open() as stream, tracing.span("session", session_id="sess_1"):
            stream.feed(noise)
            stream.end_turn()
            stream.finish()
            async for _ in stream.run():
                pass
    session = next(span for span in spans.get_finished_spans() if span.name == "session")
    steps = [span for span in spans.get_finished_spans() if span.name == "step"]
    assert len(steps) == len(engine.calls)
    for step in steps:
        assert step.parent.span_id == session.context.span_id
        assert set(step.attributes) == {f"wavescribe.{name}" for name in ("final", "advance_seconds", "lag_seconds")}


def test_without_the_packages_nothing_is_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "_tracer", None)
    with tracing.span("session"), tracing.engine_span(1):
        pass
