from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fakes import FakeEngine, LevelDetector, drive, speak, transcribe

from wavescribe.engines.base import Hypothesis, Piece
from wavescribe.errors import EngineError
from wavescribe.streaming.events import (
    Draft,
    Event,
    Settled,
    TurnCommitted,
    TurnEnded,
    TurnFailed,
)
from wavescribe.streaming.parameters import StreamParameters
from wavescribe.streaming.transcriber import Transcriber


def deltas(events: list[Event]) -> str:
    return "".join(event.delta for event in events if isinstance(event, Settled))


def transcripts(events: list[Event]) -> list[str]:
    return [event.transcript for event in events if isinstance(event, TurnEnded)]


def new_transcriber() -> Transcriber:
    return Transcriber("s", StreamParameters(), LevelDetector())


def test_speech_becomes_its_words() -> None:
    events = transcribe(speak([1, 2, 3, 4, 5, 6]), FakeEngine())
    assert transcripts(events) == ["w1 w2 w3 w4 w5 w6"]


def test_the_join_of_the_deltas_is_the_transcript() -> None:
    events = transcribe(speak(list(range(1, 40)), silence=1.0), FakeEngine())
    assert deltas(events) == transcripts(events)[0]
    assert transcripts(events)[0].split() == [f"w{number}" for number in range(1, 40)]


def test_text_settles_before_the_turn_ends() -> None:
    events = transcribe(speak(list(range(1, 12))), FakeEngine())
    first = next(index for index, event in enumerate(events) if isinstance(event, Settled))
    assert first < len(events) - 2
    assert events[first].position <= 4 * 16_000  # type: ignore[union-attr]


def test_a_word_settles_only_when_two_hypotheses_agree_on_it() -> None:
    def waver(call: int, pieces: list[Piece]) -> list[Piece]:
        text = f" guess{call}"
        return [Piece((900 + call,), text, piece.start, piece.end, 0.5) for piece in pieces]

    events = transcribe(speak(list(range(1, 9))), FakeEngine(alter=waver), sure_seconds=10.0)
    before_the_end = [event for event in events if isinstance(event, Settled)][:-1]
    assert before_the_end == []


def test_a_repeated_phrase_is_kept() -> None:
    phrase = [1, 2, 3]
    events = transcribe(speak(phrase * 8, silence=1.0), FakeEngine())
    assert transcripts(events)[0].split() == ["w1", "w2", "w3"] * 8


def test_a_settled_word_never_grows_by_a_fragment() -> None:
    def grow(call: int, pieces: list[Piece]) -> list[Piece]:
        fragment = Piece((777,), "ly", pieces[0].start, pieces[0].start, 0.9) if pieces else None
        return [fragment, *pieces] if fragment and call > 3 else pieces

    events = transcribe(speak(list(range(1, 10))), FakeEngine(alter=grow))
    assert "ly" not in transcripts(events)[0]


def test_silence_is_not_decoded_and_not_kept() -> None:
    engine = FakeEngine()
    transcriber = new_transcriber()
    events: list[Event] = []
    for _ in range(600):
        transcriber.push(np.zeros(16_000, dtype=np.float32))
        events += drive(transcriber, engine)
        assert transcriber.held_seconds < 2
    transcriber.end_turn()
    events += drive(transcriber, engine)
    assert engine.requests == []
    assert transcripts(events) == [""]


def test_an_engine_that_never_agrees_with_itself_still_rolls_and_loses_no_audio() -> None:
    def waver(call: int, pieces: list[Piece]) -> list[Piece]:
        return [
            Piece(piece.token_ids, f" x{call}_{piece.token_ids[0]}", piece.start, piece.end, 0.5) for piece in pieces
        ]

    engine = FakeEngine(alter=waver)
    events = transcribe(speak(list(range(1, 60))), engine)
    heard = [word.split("_")[1] for word in transcripts(events)[0].split()]
    assert max(len(request.samples) for request in engine.requests) <= 9 * 16_000
    assert len(heard) >= 50


def test_a_pause_settles_everything_before_it() -> None:
    transcriber = new_transcriber()
    transcriber.push(speak([1, 2, 3], silence=0.8))
    events = drive(transcriber, FakeEngine())
    assert deltas(events) == "w1 w2 w3"


def test_what_is_pushed_after_a_turns_end_belongs_to_the_next_turn() -> None:
    transcriber, engine = new_transcriber(), FakeEngine()
    transcriber.push(speak([1, 2, 3, 4]))
    transcriber.end_turn()
    transcriber.push(speak([5, 6, 7, 8]))
    transcriber.end_turn()
    events = drive(transcriber, engine)
    assert transcripts(events) == ["w1 w2 w3 w4", "w5 w6 w7 w8"]
    assert [event.start for event in events if isinstance(event, TurnEnded)] == [0, 32_000]


def test_an_empty_turn_ends_with_an_empty_transcript() -> None:
    transcriber = new_transcriber()
    transcriber.end_turn()
    assert drive(transcriber, FakeEngine()) == [TurnCommitted(0, 0, 0), TurnEnded(0, "", "", 0, 0)]


def test_only_one_step_is_in_flight() -> None:
    transcriber = new_transcriber()
    transcriber.push(speak(list(range(1, 9))))
    step, _ = transcriber.request()
    assert step is not None
    assert transcriber.request() == (None, [])


def test_accept_without_a_step_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="no step is in flight"):
        new_transcriber().accept(Hypothesis((), "en", 1.0, 0.0, 0.0))


def test_a_failed_step_is_tried_again_and_nothing_is_lost() -> None:
    transcriber, engine = new_transcriber(), FakeEngine()
    transcriber.push(speak([1, 2, 3, 4]))
    transcriber.end_turn()
    step, _ = transcriber.request()
    assert step is not None
    assert transcriber.reject(EngineError("once")) == []
    events = drive(transcriber, engine)
    assert transcripts(events) == ["w1 w2 w3 w4"]


def test_a_turn_that_keeps_failing_ends_in_failure_and_the_next_one_is_clean() -> None:
    transcriber, engine = new_transcriber(), FakeEngine()
    transcriber.push(speak([1, 2, 3, 4]))
    transcriber.end_turn()
    events: list[Event] = []
    while not any(isinstance(event, TurnFailed) for event in events):
        step, more = transcriber.request()
        events += more
        if step is not None:
            events += transcriber.reject(EngineError("always"))
    transcriber.push(speak([5, 6, 7, 8]))
    transcriber.end_turn()
    events += drive(transcriber, engine)
    assert [type(event) for event in events if isinstance(event, TurnEnded | TurnFailed)] == [TurnFailed, TurnEnded]
    assert transcripts(events) == ["w5 w6 w7 w8"]


def test_a_draft_is_withdrawn_when_its_text_settles() -> None:
    events = transcribe(speak([1, 2, 3, 4], silence=0.8), FakeEngine())
    drafts = [event.text for event in events if isinstance(event, Draft)]
    assert drafts[0] != ""
    assert drafts[-1] == ""


def test_a_word_followed_by_enough_sound_settles_on_one_hypothesis() -> None:
    engine = FakeEngine()
    transcriber = Transcriber(
        "s", StreamParameters(sure_seconds=1.2, confident_probability=0.95, opening_seconds=0.0), LevelDetector()
    )
    transcriber.push(speak([1, 2, 3, 4, 5]))
    assert deltas(drive(transcriber, engine)) == "w1"
    assert len(engine.requests) == 1


def test_a_word_that_the_engine_is_sure_of_settles_on_one_hypothesis() -> None:
    def doubt(_: int, pieces: list[Piece]) -> list[Piece]:
        return [replace(piece, probability=0.95 if number < 2 else 0.5) for number, piece in enumerate(pieces)]

    engine = FakeEngine(alter=doubt)
    parameters = StreamParameters(confident_seconds=0.6, sure_seconds=5.0, opening_seconds=0.0)
    transcriber = Transcriber("s", parameters, LevelDetector())
    transcriber.push(speak([1, 2, 3, 4, 5]))
    assert deltas(drive(transcriber, engine)) == "w1 w2"
    assert len(engine.requests) == 1


@pytest.mark.parametrize(("probability", "expected"), [(0.95, "w1"), (0.85, "")])
def test_a_first_word_settles_on_one_hypothesis_when_the_engine_is_surer_of_it(
    probability: float, expected: str
) -> None:
    def believe(_: int, pieces: list[Piece]) -> list[Piece]:
        return [replace(piece, probability=probability) for piece in pieces]

    engine = FakeEngine(alter=believe)
    parameters = StreamParameters(opening_seconds=9.0, opening_hold_seconds=1.25, sure_seconds=1.3)
    transcriber = Transcriber("s", parameters, LevelDetector())
    transcriber.push(speak([1, 2, 3, 4, 5]))
    assert deltas(drive(transcriber, engine)) == expected
    assert len(engine.requests) == 1


def test_the_first_words_of_a_window_wait_for_two_hypotheses_and_more_sound() -> None:
    engine = FakeEngine()
    transcriber = Transcriber("s", StreamParameters(confident_probability=0.1), LevelDetector())
    transcriber.push(speak([1, 2, 3, 4, 5]))
    assert deltas(drive(transcriber, engine)) == ""
    transcriber.push(speak([6, 7]))
    assert deltas(drive(transcriber, engine)) == "w1 w2 w3 w4 w5"
