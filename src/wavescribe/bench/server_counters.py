"""What a server counts of itself on /metrics (Prometheus text format), where it has that."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping
from urllib.parse import urlsplit

from prometheus_client.parser import text_string_to_metric_families

PREFIX = "wavescribe_"


def read_counters(url: str) -> dict[str, float] | None:
    """The server's counters by name, labels summed; None where they cannot be read.

    Args:
        url: any http(s) or ws(s) URL of the server.
    """
    parts = urlsplit(url)
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    try:
        with urllib.request.urlopen(f"{scheme}://{parts.netloc.rpartition('@')[2]}/metrics", timeout=10) as answer:
            return _counters(answer.read().decode())
    except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError, ValueError):
        return None  # other servers have none, or of another form


def _counters(text: str) -> dict[str, float]:
    totals: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        if family.type == "counter" and family.name.startswith(PREFIX):
            totals[family.name] = sum(sample.value for sample in family.samples if sample.name.endswith("_total"))
    return totals


def counted_between(before: Mapping[str, float] | None, after: Mapping[str, float] | None, word: str) -> float | None:
    """How much the counters whose name has the word went up; None where there is none, or one reading is missing."""
    if before is None or after is None:
        return None
    names = [name for name in after if word in name]
    return sum(after[name] - before.get(name, 0.0) for name in names) if names else None
