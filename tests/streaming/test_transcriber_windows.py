from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from fakes import FakeEngine, LevelDetector, drive, speak, transcribe

from wavescribe.engines.base import Piece
from wavescribe.streaming.events import (
    Event,
    TurnEnded,
)
from wavescribe.streaming.parameters import StreamParameters
from wavescribe.streaming.transcriber import Transcriber


def transcripts(events: list[Event]) -> list[str]:
    return [event.transcript for event in events if isinstance(event, TurnEnded)]


def new_transcriber() -> Transcriber:
    return Transcriber("s", StreamParameters(), LevelDetector())


def test_windows_and_memory_stay_bounded_in_endless_speech() -> None:
    engine = FakeEngine()
    transcriber = new_transcriber()
    for second in range(300):
        transcriber.push(speak([second % 90 + 1, (second + 1) % 90 + 1]))
        drive(transcriber, engine)
        assert transcriber.held_seconds <= 9.5
    assert max(len(request.samples) for request in engine.requests) <= 9 * 16_000
    assert len(engine.requests) <= 301


def test_audio_pushed_at_once_is_decoded_in_bounded_windows_in_order() -> None:
    engine = FakeEngine()
    transcribe(speak(list(range(1, 99))), engine, packet=10**9)
    assert max(len(request.samples) for request in engine.requests) <= 9 * 16_000
    starts = [request.cache_key[1] for request in engine.requests]
    assert starts == sorted(starts)


def test_a_window_rolls_by_the_newest_times_of_its_settled_words() -> None:
    def stretch(call: int, pieces: list[Piece]) -> list[Piece]:
        if call % 3 or not pieces:
            return pieces
        return [*pieces[:-1], replace(pieces[-1], end=99.0)]

    events = transcribe(speak(list(range(1, 40)), silence=1.0), FakeEngine(alter=stretch))
    assert transcripts(events)[0].split() == [f"w{number}" for number in range(1, 40)]


def test_a_rolled_window_still_begins_with_a_settled_word() -> None:
    engine = FakeEngine()
    transcribe(speak(list(range(1, 60))), engine, hold_seconds=3.0)
    rolled = [request for request in engine.requests if request.cache_key[1] > 0]
    assert rolled
    assert all(request.prefix for request in rolled)


def test_a_segment_after_a_short_pause_is_heard_with_the_words_before_it() -> None:
    engine = FakeEngine()
    samples = np.concatenate([speak([1, 2, 3, 4], silence=0.8), speak([5, 6, 7], silence=0.8)])
    events = transcribe(samples, engine, confident_probability=0.95, hold_seconds=0.75, sure_seconds=1.25)
    assert transcripts(events) == ["w1 w2 w3 w4 w5 w6 w7"]
    assert engine.requests[-1].prefix[:2] == (1, 2)
    assert len(engine.requests[-1].samples) > 4 * 16_000


def test_what_is_too_long_ago_is_not_heard_again() -> None:
    engine = FakeEngine()
    samples = np.concatenate([speak([1, 2, 3, 4], silence=4.0), speak([5, 6, 7], silence=0.8)])
    assert transcripts(transcribe(samples, engine)) == ["w1 w2 w3 w4 w5 w6 w7"]
    assert engine.requests[-1].prefix[:1] != (1,)
    assert len(engine.requests[-1].samples) < 3 * 16_000


def test_a_turn_that_ends_in_the_middle_of_a_word_is_no_context_for_the_next() -> None:
    transcriber, engine = new_transcriber(), FakeEngine()
    transcriber.push(speak([1, 2, 3, 4]))
    transcriber.end_turn()
    drive(transcriber, engine)
    transcriber.push(speak([5, 6, 7]))
    transcriber.end_turn()
    assert transcripts(drive(transcriber, engine)) == ["w5 w6 w7"]
    assert engine.requests[-1].prefix == ()


def test_memory_of_what_is_carried_over_a_pause_is_let_go_in_silence() -> None:
    transcriber, engine = new_transcriber(), FakeEngine()
    transcriber.push(speak([1, 2, 3, 4], silence=1.0))
    drive(transcriber, engine)
    assert transcriber.held_seconds > 2.0
    transcriber.push(speak([], silence=5.0))
    drive(transcriber, engine)
    assert transcriber.held_seconds < 0.6


def test_a_window_keeps_a_bounded_stretch_of_what_has_settled() -> None:
    engine = FakeEngine()
    transcribe(speak(list(range(1, 60))), engine, window_seconds=28.0, kept_seconds=3.0)
    assert max(len(request.prefix) for request in engine.requests) <= 7
    assert max(len(request.samples) for request in engine.requests) <= 7 * 16_000


def test_nothing_is_carried_from_one_turn_to_the_next() -> None:
    transcriber, engine = new_transcriber(), FakeEngine()
    for _ in range(2):
        transcriber.push(speak([1, 2, 3, 4], silence=0.4))
        transcriber.end_turn()
        assert transcripts(drive(transcriber, engine)) == ["w1 w2 w3 w4"]
    halves = len(engine.requests) // 2
    assert [len(r.samples) for r in engine.requests[halves:]] == [len(r.samples) for r in engine.requests[:halves]]


def test_an_empty_hypothesis_of_a_full_window_costs_no_word() -> None:
    def fall_silent(_: int, pieces: list[Piece]) -> list[Piece]:
        return [] if pieces and pieces[-1].end is not None and pieces[-1].end > 7.4 else pieces

    words = list(range(1, 20))
    never: dict[str, Any] = {"agreements": 99, "sure_seconds": 99.0, "confident_seconds": 99.0}
    events = transcribe(speak(words), FakeEngine(alter=fall_silent), **never)
    assert transcripts(events) == [" ".join(f"w{number}" for number in words)]
