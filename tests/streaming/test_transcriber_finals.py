from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
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


def test_a_looping_last_hypothesis_is_decoded_once_more_thoroughly() -> None:
    def loop(_: int, pieces: list[Piece]) -> list[Piece]:
        echo = [Piece(piece.token_ids, piece.text, pieces[-1].end, pieces[-1].end, 0.9) for piece in pieces]
        return pieces + echo

    engine = FakeEngine(alter=loop)
    events = transcribe(speak([1, 2, 3], silence=0.8), engine)
    assert transcripts(events) == ["w1 w2 w3"]
    assert [request.thorough for request in engine.requests][-2:] == [False, True]


def test_speech_that_the_last_hypothesis_left_out_is_decoded_after_all() -> None:
    def stop_early(call: int, pieces: list[Piece]) -> list[Piece]:
        if len(pieces) <= 3:
            return pieces
        assert pieces[-1].end is not None
        return [*pieces[:2], replace(pieces[2], end=pieces[-1].end)]

    events = transcribe(speak(list(range(1, 11)), silence=1.0), FakeEngine(alter=stop_early), step_seconds=9.0)
    assert transcripts(events)[0].split()[:3] == ["w1", "w2", "w3"]
    assert transcripts(events)[0].split()[-1] == "w10"


@pytest.mark.parametrize(
    ("number", "is_one_by_one"), [(" 555-123-4567", True), (" W-A-V-E-S", True), (" WAVES", False)]
)
def test_a_number_that_is_one_word_is_heard_once_however_long_it_takes(number: str, is_one_by_one: bool) -> None:
    def as_one(_: int, pieces: list[Piece]) -> list[Piece]:
        said = [piece for piece in pieces if (piece.start or 0.0) >= 0.5 or piece.text == " w1"]
        return said[:1] + [replace(each, text=number) for each in said[1:2]] if len(said) > 1 else said

    samples = np.concatenate([speak([1]), np.full(3 * 16_000, 0.02, dtype=np.float32), np.zeros(16_000, np.float32)])
    engine = FakeEngine(alter=as_one)
    assert transcripts(transcribe(samples, engine, step_seconds=9.0)) == [f"w1{number}"]
    # A word is not as long: what it was stretched over is heard once more, in a window of its own.
    assert (len({request.cache_key[1] for request in engine.requests}) == 1) == is_one_by_one


@pytest.mark.parametrize("strategy", ["windowed", "segmented"])
def test_a_loop_inside_a_number_is_decoded_once_more_thoroughly(strategy: Any) -> None:
    def number(_: int, pieces: list[Piece]) -> list[Piece]:
        text = " 12345" if engine.requests[-1].thorough else f" {'12345' * 9}"
        return [replace(pieces[0], text=text, end=pieces[-1].end)]

    engine = FakeEngine(alter=number)
    rules: dict[str, Any] = {"step_seconds": 9.0, "strategy": strategy}
    assert transcripts(transcribe(speak([1, 2, 3], silence=1.0), engine, **rules)) == ["12345"]


@pytest.mark.parametrize("end", [0.0, 0.02])
def test_text_that_covers_nothing_of_its_window_is_not_asked_for_again_and_again(end: float) -> None:
    def cough(call: int, _: list[Piece]) -> list[Piece]:
        assert call < 20, "the same window is decoded without end"
        return [Piece((1,), ".", 0.0, end, 0.9)]

    engine = FakeEngine(alter=cough)
    assert transcripts(transcribe(speak([1, 2], silence=1.0), engine)) == ["."]
    assert [request.thorough for request in engine.requests][-1]


def test_where_times_are_estimates_no_speech_is_taken_for_unheard() -> None:
    def at_the_start(_: int, pieces: list[Piece]) -> list[Piece]:
        # As where a knock before the speech is its loudest sound: all text is laid on it.
        return [replace(piece, start=0.0, end=0.2) for piece in pieces]

    engine = FakeEngine(alter=at_the_start)
    events = transcribe(speak([1, 2, 3, 4, 5, 6], silence=1.0), engine, step_seconds=9.0, times_are_measured=False)
    assert transcripts(events) == ["w1 w2 w3 w4 w5 w6"]
    assert len(engine.requests) == 1


@pytest.mark.parametrize("strategy", ["windowed", "segmented"])
def test_where_times_are_estimates_no_repetition_is_taken_for_a_loop(strategy: Any) -> None:
    def at_the_start(_: int, pieces: list[Piece]) -> list[Piece]:
        return [replace(piece, start=0.0, end=0.0) for piece in pieces]

    engine = FakeEngine(name=lambda _: " no", alter=at_the_start)
    samples = speak([1, 2, 3, 4], silence=1.0)
    rules: dict[str, Any] = {"strategy": strategy, "step_seconds": 9.0}
    assert transcripts(transcribe(samples, engine, times_are_measured=False, **rules)) == ["no no no no"]
    assert transcripts(transcribe(samples, engine, **rules)) == ["no"]


@pytest.mark.parametrize(("language", "space"), [("en", " "), ("zh", "")])
def test_text_of_a_window_without_a_prefix_does_not_run_into_the_text_before(language: Any, space: str) -> None:
    def begin_without_a_space(call: int, pieces: list[Piece]) -> list[Piece]:
        if not engine.requests[-1].prefix:
            pieces = [replace(pieces[0], text=pieces[0].text.lstrip()), *pieces[1:]]
        return pieces[: {1: 3, 2: 1, 3: 1}.get(call, len(pieces))]  # up to the thorough decode it stops early

    engine = FakeEngine(alter=begin_without_a_space)
    events = transcribe(speak(list(range(1, 11)), silence=1.0), engine, step_seconds=9.0, language=language)
    # In Chinese, digits follow digits without a space.
    assert transcripts(events) == [f"w1 w2 w3{space}w4 w5 w6 w7 w8 w9 w10"]
    assert len([request for request in engine.requests if not request.prefix]) > 1


SPOKEN_THEN_SILENT = speak([1, 2, 3, 4, 5], silence=1.0)
SLOW: dict[str, Any] = {"first_step_seconds": 1.0, "opening_seconds": 1.5, "opening_hold_seconds": 1.5}
"""Only the first words have settled when the speech ends."""


def test_the_step_of_a_lull_serves_as_the_last_one() -> None:
    engine = FakeEngine()
    events = transcribe(SPOKEN_THEN_SILENT, engine, first_step_seconds=1.0)
    assert transcripts(events) == ["w1 w2 w3 w4 w5"]
    assert [round(len(request.samples) / 16_000, 1) for request in engine.requests] == [1.0, 2.0, 2.8]


def test_the_text_of_a_turn_comes_with_its_end_when_the_lull_was_decoded() -> None:
    transcriber, engine = Transcriber("s", StreamParameters(), LevelDetector()), FakeEngine()
    transcriber.push(SPOKEN_THEN_SILENT[: 16_000 * 29 // 10])
    drive(transcriber, engine)
    transcriber.end_turn()
    step, events = transcriber.request()
    assert step is None
    assert transcripts(events) == ["w1 w2 w3 w4 w5"]


def test_speech_after_a_lull_is_decoded_again() -> None:
    engine = FakeEngine()
    samples = np.concatenate([speak([1, 2, 3, 4, 5], silence=0.3), speak([6, 7])])
    assert transcripts(transcribe(samples, engine, kept_seconds=4.0)) == ["w1 w2 w3 w4 w5 w6 w7"]
    assert len(engine.requests[-1].samples) == len(samples)


def test_a_lulls_hypothesis_that_loops_does_not_end_the_segment() -> None:
    def loop(call: int, pieces: list[Piece]) -> list[Piece]:
        echo = [replace(piece, start=pieces[-1].end, end=pieces[-1].end) for piece in pieces]
        return pieces + echo if call == 3 else pieces

    engine = FakeEngine(alter=loop)
    assert transcripts(transcribe(SPOKEN_THEN_SILENT, engine, first_step_seconds=1.0)) == ["w1 w2 w3 w4 w5"]
    assert [request.thorough for request in engine.requests] == [False, False, False, False]


def test_a_lulls_hypothesis_that_left_out_the_last_words_does_not_end_the_segment() -> None:
    engine = FakeEngine(alter=lambda call, pieces: pieces[:1] if call == 3 else pieces)
    assert transcripts(transcribe(SPOKEN_THEN_SILENT, engine, **SLOW)) == ["w1 w2 w3 w4 w5"]
    assert len(engine.requests) == 4


def test_a_last_hypothesis_that_left_out_the_last_words_is_decoded_once_more_thoroughly() -> None:
    engine = FakeEngine(alter=lambda call, pieces: pieces[:1] if call in (3, 4) else pieces)
    assert transcripts(transcribe(SPOKEN_THEN_SILENT, engine, **SLOW)) == ["w1 w2 w3 w4 w5"]
    assert [request.thorough for request in engine.requests] == [False, False, False, False, True]
