from __future__ import annotations

from dataclasses import replace

from fakes import FakeEngine, LevelDetector, drive, speak

from wavescribe.engines.base import EngineInfo
from wavescribe.streaming.events import TurnEnded
from wavescribe.streaming.fitting import fitted
from wavescribe.streaming.parameters import StreamParameters
from wavescribe.streaming.transcriber import Transcriber

INFO = EngineInfo("fake", 16_000, ("en",), 1200.0, takes_prefix=True, gives_times=True, batches=True, translates=False)
CONTINUING = replace(INFO, continues_windows=True)


def test_an_engine_that_hears_every_window_anew_keeps_the_parameters() -> None:
    parameters = StreamParameters(window_seconds=9.0)
    assert fitted(parameters, INFO) == parameters


def test_the_budget_of_a_decode_is_that_of_the_engines_vocabulary() -> None:
    for continues in (False, True):
        engine = FakeEngine()
        dense = replace(INFO, continues_windows=continues, tokens_per_second=20)
        transcriber = Transcriber("s", fitted(StreamParameters(), dense), LevelDetector())
        transcriber.push(speak([1, 2, 3, 4], silence=1.0))
        transcriber.end_turn()
        drive(transcriber, engine)
        first = engine.requests[0]
        assert first.token_budget == 12 + 20 * len(first.samples) // 16_000


def test_an_engine_that_continues_windows_gets_long_ones_with_all_settled_text() -> None:
    parameters = fitted(StreamParameters(language="de", context_characters=100), CONTINUING)
    assert (parameters.window_seconds, parameters.kept_seconds, parameters.context_characters) == (32.0, 32.0, 0)
    assert parameters.rolled_seconds == 8.0
    assert parameters.language == "de"
    assert fitted(parameters, replace(CONTINUING, max_window_seconds=20.0)).window_seconds == 20.0


def test_the_windows_of_such_an_engine_start_at_the_same_place() -> None:
    starts: dict[bool, set[int]] = {}
    for continues in (False, True):
        engine = FakeEngine()
        parameters = fitted(StreamParameters(), replace(INFO, continues_windows=continues))
        transcriber = Transcriber("s", parameters, LevelDetector())
        transcriber.push(speak(list(range(1, 41)), silence=1.0))
        transcriber.end_turn()
        events = drive(transcriber, engine)
        transcript = next(event.transcript for event in events if isinstance(event, TurnEnded))
        assert transcript.split() == [f"w{number}" for number in range(1, 41)]
        starts[continues] = {request.cache_key[1] for request in engine.requests}
    assert len(starts[True]) == 1
    assert len(starts[False]) > 3


def test_a_long_window_that_rolls_is_heard_anew_only_at_its_end() -> None:
    engine = FakeEngine()
    transcriber = Transcriber("s", fitted(StreamParameters(), CONTINUING), LevelDetector())
    for second in range(100):
        transcriber.push(speak([second % 90 + 1, (second + 1) % 90 + 1]))
        drive(transcriber, engine)
    windows = [(request.cache_key[1], len(request.samples)) for request in engine.requests]
    first = [length for (start, length), (before, _) in zip(windows[1:], windows, strict=False) if start != before]
    assert len(first) >= 3
    assert max(first) <= 10 * 16_000
    assert max(length for _, length in windows) > 30 * 16_000


def test_estimated_times_are_told_as_such() -> None:
    for continues in (False, True):
        info = replace(INFO, continues_windows=continues)
        assert fitted(StreamParameters(), info).times_are_measured
        assert not fitted(StreamParameters(), replace(info, gives_times=False)).times_are_measured
