from __future__ import annotations

import http.server
import io
import threading
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from wavescribe.bench.corpus import Recording
from wavescribe.bench.file_client import PacedUploads, uploads
from wavescribe.bench.gold_times import RATE, TimedRecording
from wavescribe.bench.heard import hear
from wavescribe.bench.metrics.timeline import GoldWord
from wavescribe.bench.realtime_client import Target
from wavescribe.bench.stream_plan import StreamPlan, Turns, join_recordings


def two_utterances(turns: Turns) -> StreamPlan:
    """Two utterances of 0.2 s of speech."""
    recording = Recording("r", Path("none"), 0.3, "en", "short", "one", False, "human")
    samples = np.full(round(0.3 * RATE), 0.5, dtype=np.float32)
    timed = TimedRecording(recording, samples, (GoldWord("one", 0.0, 0.2),), 0.2, 0.2)
    return join_recordings([timed, timed], turns=turns)


@pytest.fixture
def plan() -> StreamPlan:
    return two_utterances("manual")


@pytest.fixture
def server() -> Iterator[tuple[str, list[bytes]]]:
    """A server of file transcription: the first request is answered, the others are refused with HTTP 503."""
    bodies: list[bytes] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            answer = b'{"text": "one"}' if len(bodies) == 1 else b'{"error": {"message": "full"}}'
            self.send_response(200 if len(bodies) == 1 else 503)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}/v1/audio/transcriptions", bodies
        running.shutdown()
        thread.join()


@pytest.mark.parametrize("turns", ["manual", "server", "none"])
def test_each_upload_is_the_audio_of_an_utterance_as_wav_whoever_ends_turns(turns: Turns) -> None:
    made = uploads(two_utterances(turns))
    # 0.2 s after the speech of each, in whole packets.
    assert [upload.due for upload in made] == [0.4, 1.2]
    with wave.open(io.BytesIO(made[1].wav)) as reader:
        assert (reader.getframerate(), reader.getnchannels(), reader.getsampwidth()) == (RATE, 1, 2)
        assert reader.getnframes() == round(0.8 * RATE)
    assert made[1].seconds == pytest.approx(0.8)


async def test_answers_are_turns_and_a_full_server_refuses_the_stream(
    plan: StreamPlan, server: tuple[str, list[bytes]]
) -> None:
    url, bodies = server
    stream = PacedUploads(Target(url), plan)
    await stream.open()
    await stream.run(time.monotonic())
    heard = hear(stream.record.events)
    assert heard.turns == ("one",)
    assert len(bodies) == len(stream.record.slips) == 2
    assert b'name="language"' in bodies[0]
    assert stream.record.refused.startswith("HTTP 503")
    assert stream.record.failures == []
    # What was refused was not transcribed: it is no throughput.
    assert stream.record.sent_seconds == plan.utterance_ends[0] / RATE
    # An answer cannot come before its utterance was said and sent.
    assert next(iter(heard.completed.values())) >= plan.utterance_ends[0] / RATE


async def test_a_server_that_is_not_there_is_a_failure_of_every_upload(plan: StreamPlan) -> None:
    stream = PacedUploads(Target("http://127.0.0.1:9/v1/audio/transcriptions"), plan)
    await stream.run(time.monotonic())
    assert [failure.startswith("no answer") for failure in stream.record.failures] == [True, True]
    assert stream.record.sent_seconds == 0
