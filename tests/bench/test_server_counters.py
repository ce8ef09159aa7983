from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator

import pytest
from prometheus_client import generate_latest

from wavescribe.bench.server_counters import counted_between, read_counters
from wavescribe.serving.metrics import Metrics


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def url(metrics: Metrics) -> Iterator[str]:
    """A server whose /metrics are those of a server of this project."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == "/metrics"
            self.send_response(200)
            self.end_headers()
            self.wfile.write(generate_latest(metrics.registry))

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{running.server_port}/v1/realtime?model=any"
        running.shutdown()
        thread.join()


def test_what_the_server_counts_between_two_readings_is_read(metrics: Metrics, url: str) -> None:
    metrics.steps_skipped.inc(7)
    before = read_counters(url)
    metrics.steps_skipped.inc(3)
    metrics.refused_streams.labels("memory").inc(2)
    metrics.refused_streams.labels("sessions").inc()
    metrics.active_streams.set(5)
    after = read_counters(url)
    assert after is not None
    assert counted_between(before, after, "skipped") == 3.0
    # Labels are summed, one that was not there before counts from nothing, and gauges are no counters.
    assert counted_between(before, after, "refused_streams") == 3.0
    assert "wavescribe_active_streams" not in after


def test_the_counters_that_have_the_word_are_added_up() -> None:
    before = {"wavescribe_steps_skipped": 2.0}
    after = {"wavescribe_steps_skipped": 5.0, "wavescribe_skipped_files": 1.0, "wavescribe_words": 9.0}
    assert counted_between(before, after, "skipped") == 4.0


def test_a_url_may_have_a_name_and_a_password(metrics: Metrics, url: str) -> None:
    assert read_counters(url.replace("ws://", "ws://me:secret@")) is not None
    assert read_counters("ws://me:secret@127.0.0.1:1/v1/realtime") is None


def test_an_answer_that_is_no_http_is_no_reading() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def babble() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"hello\r\n")

        thread = threading.Thread(target=babble)
        thread.start()
        assert read_counters(f"ws://127.0.0.1:{listening.getsockname()[1]}") is None
        thread.join()


def test_a_server_that_does_not_count_says_nothing() -> None:
    assert counted_between({}, {"wavescribe_words": 9.0}, "skipped") is None
    assert read_counters("ws://127.0.0.1:9/v1/realtime") is None


def test_without_one_of_two_readings_nothing_is_known() -> None:
    since_the_start = {"wavescribe_steps_skipped": 5.0}
    assert counted_between(None, since_the_start, "skipped") is None
    assert counted_between(since_the_start, None, "skipped") is None
