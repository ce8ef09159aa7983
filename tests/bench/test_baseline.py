from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from wavescribe.bench import baseline
from wavescribe.bench.baseline import settings_of, turns_alone
from wavescribe.bench.gold_times import RATE, TimedRecording
from wavescribe.bench.installed_recordings import installed_recordings
from wavescribe.bench.metrics.word_errors import normalise
from wavescribe.bench.stream_plan import StreamPlan, Turns, join_recordings
from wavescribe.engines.base import DecodeRequest, Engine, Hypothesis
from wavescribe.engines.loading import load_engine

CLIP = next(each for each in installed_recordings() if each.name == "en_quick_brown_fox")


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    loaded = load_engine("whisper-tiny.en", threads_per_worker=1)
    yield loaded
    loaded.close()


def plan(turns: Turns, silence: float = 0.5) -> StreamPlan:
    """A clip, silence, and the clip again."""
    samples = CLIP.samples()
    hand = [TimedRecording(CLIP, samples, (), len(samples) / RATE, len(samples) / RATE)] * 2
    return join_recordings(hand, turns=turns, gap_seconds=silence)


@pytest.mark.model
@pytest.mark.parametrize(
    ("speech", "turns"),
    [(plan("manual"), 2), (plan("server", silence=1.5), 2), (plan("none"), 1)],
    ids=["manual", "server", "none"],
)
def test_a_stream_alone_writes_what_is_said_in_each_of_its_turns(
    engine: Engine, speech: StreamPlan, turns: int
) -> None:
    found = turns_alone(engine, settings_of(["--model", "whisper-tiny.en"]), speech, 500)
    assert len(found) == turns
    said = normalise(CLIP.text, "en")
    assert normalise(" ".join(found), "en").split().count("quick") == 2
    assert {normalise(text, "en").count(said.split()[-1]) for text in found} == {2 // turns}


@pytest.mark.model
def test_the_same_stream_alone_is_the_same_each_time(engine: Engine) -> None:
    settings = settings_of(["--model", "whisper-tiny.en"])
    assert turns_alone(engine, settings, plan("manual"), 500) == turns_alone(engine, settings, plan("manual"), 500)


class Remembering:
    """An engine that writes nothing and remembers the streams it hears of.

    Args:
        engine: whose abilities it has.
    """

    def __init__(self, engine: Engine) -> None:
        self.info = engine.info
        self.transcribe_file, self.close = engine.transcribe_file, engine.close
        self.state = None
        self.forgotten: list[str] = []
        self.heard: list[str] = []

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        self.heard += [request.cache_key[0] for request in requests if request.cache_key]
        return [Hypothesis((), "en", 1.0, 1.0, -1.0, False) for _ in requests]

    def forget(self, stream_id: str) -> None:
        self.forgotten.append(stream_id)


@pytest.mark.model
def test_an_engine_that_keeps_state_forgets_a_stream_before_it_hears_the_next(engine: Engine) -> None:
    remembering = Remembering(engine)
    turns_alone(remembering, settings_of([]), plan("none"), 500)
    assert set(remembering.heard) == {baseline.BASELINE}
    assert remembering.forgotten == [baseline.BASELINE]


def test_settings_are_those_of_the_flags_the_environment_and_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAVESCRIBE_WORKERS", "7")
    found = settings_of(["--threads-per-worker", "3", "--delay=low"])
    assert (found.workers, found.threads_per_worker, found.delay) == (7, 3, "low")


@pytest.mark.model
def test_silence_alone_writes_nothing(engine: Engine) -> None:
    quiet = plan("none")
    silent = StreamPlan(np.zeros_like(quiet.samples), quiet.commits, (), (), (), "", "en", 0.0, "none")
    assert turns_alone(engine, settings_of([]), silent, 500) == ()
