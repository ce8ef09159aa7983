from __future__ import annotations

import pytest
from fakes import FakeEngine, LevelDetector, drive, speak

from wavescribe.errors import EngineError
from wavescribe.streaming.events import (
    Event,
    Reconfigured,
    SpeechStarted,
    SpeechStopped,
    TurnCleared,
    TurnCommitted,
    TurnEnded,
    TurnFailed,
)
from wavescribe.streaming.parameters import StreamParameters
from wavescribe.streaming.transcriber import Transcriber
from wavescribe.vad.endpointer import TurnDetection


def transcripts(events: list[Event]) -> list[str]:
    return [event.transcript for event in events if isinstance(event, TurnEnded)]


def new_transcriber() -> Transcriber:
    return Transcriber("s", StreamParameters(), LevelDetector())


def kinds(events: list[Event]) -> list[str]:
    return [
        type(event).__name__
        for event in events
        if isinstance(event, SpeechStarted | SpeechStopped | TurnEnded | TurnFailed)
    ]


def test_cleared_audio_is_not_decoded_and_its_turn_says_no_more() -> None:
    transcriber, engine = new_transcriber(), FakeEngine()
    transcriber.push(speak([1, 2, 3, 4, 5]))
    transcriber.clear()
    assert drive(transcriber, engine) == [TurnCleared(0, 40_000)]
    transcriber.push(speak([6, 7, 8]))
    transcriber.end_turn()
    events = drive(transcriber, engine)
    assert transcripts(events) == ["w6 w7 w8"]
    assert {event.turn for event in events if isinstance(event, TurnEnded)} == {1}
    assert all(len(request.samples) <= 24_000 for request in engine.requests)


def test_the_answer_of_a_step_over_cleared_audio_is_dropped() -> None:
    transcriber, engine = new_transcriber(), FakeEngine()
    transcriber.push(speak([1, 2, 3, 4, 5]))
    step, _ = transcriber.request()
    assert step is not None
    transcriber.clear()
    assert transcriber.accept(engine.decode(step.request)) == []
    assert drive(transcriber, engine) == [TurnCleared(0, 40_000)]


def test_a_failed_step_over_cleared_audio_is_not_tried_again() -> None:
    transcriber = new_transcriber()
    transcriber.push(speak([1, 2, 3, 4, 5]))
    transcriber.request()
    transcriber.clear()
    assert transcriber.reject(EngineError("gone")) == []
    assert transcriber.request() == (None, [TurnCleared(0, 40_000)])


def test_turns_that_were_ended_before_a_clear_go_on() -> None:
    transcriber, engine = new_transcriber(), FakeEngine()
    transcriber.push(speak([1, 2, 3]))
    transcriber.end_turn()
    transcriber.push(speak([4, 5, 6]))
    transcriber.clear()
    events = drive(transcriber, engine)
    assert transcripts(events) == ["w1 w2 w3"]
    assert events[-1] == TurnCleared(1, 48_000)


def test_cleared_speech_is_not_followed_by_the_end_of_its_turn() -> None:
    parameters = StreamParameters(turn_detection=TurnDetection.server_vad())
    transcriber, engine = Transcriber("s", parameters, LevelDetector()), FakeEngine()
    transcriber.push(speak([1, 2, 3]))
    assert kinds(drive(transcriber, engine)) == ["SpeechStarted"]
    transcriber.clear()
    transcriber.push(speak([], silence=2.0))
    assert kinds(drive(transcriber, engine)) == []


def test_new_parameters_hold_for_the_audio_after_them() -> None:
    transcriber, engine = new_transcriber(), FakeEngine()
    transcriber.push(speak([1, 2, 3]))
    transcriber.end_turn()
    drive(transcriber, engine)
    told = transcriber.reconfigure(
        StreamParameters(language="de", prompt="Namen", turn_detection=TurnDetection.server_vad())
    )
    assert told == [Reconfigured(1)]
    transcriber.push(speak([4, 5, 6], silence=1.0))
    assert kinds(drive(transcriber, engine)) == ["SpeechStarted", "SpeechStopped", "TurnEnded"]
    assert [(request.language, request.context) for request in (engine.requests[0], engine.requests[-1])] == [
        (None, ""),
        ("de", "Namen"),
    ]


def test_a_new_strategy_begins_with_the_next_segment() -> None:
    transcriber, engine = new_transcriber(), FakeEngine()
    transcriber.reconfigure(StreamParameters(strategy="cumulative"))
    transcriber.push(speak(list(range(1, 25))))
    drive(transcriber, engine)
    assert max(len(request.samples) for request in engine.requests) == 12 * 16_000


def test_turn_detection_that_is_switched_off_ends_no_turn() -> None:
    parameters = StreamParameters(turn_detection=TurnDetection.server_vad())
    transcriber, engine = Transcriber("s", parameters, LevelDetector()), FakeEngine()
    transcriber.push(speak([1, 2, 3]))
    drive(transcriber, engine)
    transcriber.reconfigure(StreamParameters())
    transcriber.push(speak([], silence=2.0))
    assert "TurnEnded" not in kinds(drive(transcriber, engine))


def test_new_parameters_wait_for_the_turns_that_were_ended() -> None:
    transcriber = new_transcriber()
    transcriber.push(speak([1, 2, 3]))
    transcriber.end_turn()
    with pytest.raises(RuntimeError, match="finish the steps"):
        transcriber.reconfigure(StreamParameters())


def test_a_turn_that_is_ended_after_a_clear_has_none_of_the_cleared_audio() -> None:
    transcriber, engine = new_transcriber(), FakeEngine()
    transcriber.push(speak([1, 2, 3]))
    transcriber.clear()
    transcriber.push(speak([4, 5, 6]))
    transcriber.end_turn()
    events = drive(transcriber, engine)
    assert events[0] == TurnCleared(0, 24_000)
    assert transcripts(events) == ["w4 w5 w6"]


def test_every_clear_is_told_of() -> None:
    transcriber, engine = new_transcriber(), FakeEngine()
    transcriber.push(speak([1, 2]))
    transcriber.clear()
    transcriber.push(speak([3]))
    transcriber.clear()
    assert drive(transcriber, engine) == [TurnCleared(0, 16_000), TurnCleared(1, 24_000)]


@pytest.mark.parametrize("failures", [0, 1])
def test_a_turn_that_was_committed_by_silence_is_finished_before_a_later_clear(failures: int) -> None:
    parameters = StreamParameters(turn_detection=TurnDetection.server_vad(), lull_seconds=60.0)
    transcriber, engine = Transcriber("s", parameters, LevelDetector()), FakeEngine()
    transcriber.push(speak([1, 2], silence=0.6))
    step, events = transcriber.request()
    assert step is not None
    assert any(isinstance(event, TurnCommitted) for event in events)
    transcriber.clear()
    for _ in range(failures):
        assert transcriber.reject(EngineError("once")) == []
        step, _ = transcriber.request()
        assert step is not None
    told = transcriber.accept(engine.decode(step.request)) + drive(transcriber, engine)
    assert transcripts(told) == ["w1 w2"]
    assert isinstance(told[-1], TurnCleared)
