"""OpenTelemetry traces, where its packages are installed; otherwise nothing is traced and nothing is paid for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

try:
    from opentelemetry import trace
except ImportError:
    _tracer: Any = None
else:
    _tracer = trace.get_tracer("wavescribe")


@contextmanager
def span(name: str, **attributes: str | int | float) -> Iterator[None]:
    """A span around what is done in the context; attributes are named `wavescribe.<name>`."""
    if _tracer is None:
        yield
        return
    named = {f"wavescribe.{key}": value for key, value in attributes.items()}
    with _tracer.start_as_current_span(name, attributes=named):
        yield


@contextmanager
def engine_span(steps: int) -> Iterator[None]:
    """A span around an engine call of so many steps."""
    with span("decode", batch_size=steps):
        yield
