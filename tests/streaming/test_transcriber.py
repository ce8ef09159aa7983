from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from fakes import FakeEngine, LevelDetector, drive, speak, transcribe
from hypothesis import given, settings
from hypothesis import strategies as st

from wavescribe.engines.base import Hypothesis, Piece, Samples
from wavescribe.errors import EngineError
from wavescribe.streaming.events import (
    Draft,
    Event,
    Reconfigured,
    Settled,
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


def test_windows_and_memory_stay_bounded_in_endless_speech() -> None:
    engine = FakeEngine()
    transcriber = new_transcriber()
    for second in range(300):
        transcriber.push(speak([second % 90 + 1, (second + 1) % 90 + 1]))
        drive(transcriber, engine)
        assert transcriber.held_seconds <= 9.5
    assert max(len(request.samples) for request in engine.requests) <= 9 * 16_000
    assert len(engine.requests) <= 301


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


def test_audio_pushed_at_once_is_decoded_in_bounded_windows_in_order() -> None:
    engine = FakeEngine()
    transcribe(speak(list(range(1, 99))), engine, packet=10**9)
    assert max(len(request.samples) for request in engine.requests) <= 9 * 16_000
    starts = [request.cache_key[1] for request in engine.requests]
    assert starts == sorted(starts)


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


def test_a_looping_last_hypothesis_is_decoded_once_more_thoroughly() -> None:
    def loop(_: int, pieces: list[Piece]) -> list[Piece]:
        echo = [Piece(piece.token_ids, piece.text, pieces[-1].end, pieces[-1].end, 0.9) for piece in pieces]
        return pieces + echo

    engine = FakeEngine(alter=loop)
    events = transcribe(speak([1, 2, 3], silence=0.8), engine)
    assert transcripts(events) == ["w1 w2 w3"]
    assert [request.thorough for request in engine.requests][-2:] == [False, True]


def test_a_draft_is_withdrawn_when_its_text_settles() -> None:
    events = transcribe(speak([1, 2, 3, 4], silence=0.8), FakeEngine())
    drafts = [event.text for event in events if isinstance(event, Draft)]
    assert drafts[0] != ""
    assert drafts[-1] == ""


@settings(max_examples=40, deadline=None)
@given(
    words=st.lists(st.integers(0, 9), min_size=1, max_size=30),
    packet=st.sampled_from([16, 317, 1_600, 16_000, 160_000]),
    step=st.sampled_from([0.5, 1.0, 2.0]),
)
def test_packets_change_nothing(words: list[int], packet: int, step: float) -> None:
    samples = speak(words, silence=0.7)
    whole = transcribe(samples, FakeEngine(), packet=10**9, step_seconds=step)
    parts = transcribe(samples, FakeEngine(), packet=packet, step_seconds=step)
    assert parts == whole


@settings(max_examples=60, deadline=None)
@given(data=st.data(), words=st.lists(st.integers(0, 9), min_size=1, max_size=40))
def test_an_engine_that_revises_stutters_and_fails_never_breaks_the_text(data: st.DataObject, words: list[int]) -> None:
    def mangle(_: int, pieces: list[Piece]) -> list[Piece]:
        match data.draw(st.sampled_from(["as is", "empty", "revise", "stutter", "shorten"])):
            case "empty":
                return []
            case "revise":
                return [Piece((800,), " revised", piece.start, piece.end, 0.4) for piece in pieces]
            case "stutter":
                return [piece for piece in pieces for _ in range(2)]
            case "shorten":
                return pieces[: len(pieces) // 2]
            case _:
                return pieces

    transcriber, engine = new_transcriber(), FakeEngine(alter=mangle)
    transcriber.push(speak(words, silence=0.5))
    transcriber.end_turn()
    events: list[Event] = []
    while True:
        step, more = transcriber.request()
        events += more
        if step is None:
            break
        if data.draw(st.integers(0, 9)) == 0:
            events += transcriber.reject(EngineError("chance"))
        else:
            events += transcriber.accept(engine.decode(step.request))
    ends = [event for event in events if isinstance(event, TurnEnded | TurnFailed)]
    assert len(ends) == 1
    if isinstance(ends[0], TurnEnded):
        assert deltas(events) == ends[0].transcript
    assert transcriber.turns_pending == 0


def kinds(events: list[Event]) -> list[str]:
    return [
        type(event).__name__
        for event in events
        if isinstance(event, SpeechStarted | SpeechStopped | TurnEnded | TurnFailed)
    ]


def with_turns(detection: TurnDetection, samples: Samples, packet: int = 1_600, **more: float) -> list[Event]:
    parameters = StreamParameters(turn_detection=detection, **more)  # type: ignore[arg-type]
    transcriber, engine = Transcriber("s", parameters, LevelDetector()), FakeEngine()
    events: list[Event] = []
    for start in range(0, len(samples), packet):
        transcriber.push(samples[start : start + packet])
        events += drive(transcriber, engine)
    return events


def test_silence_ends_a_turn_by_itself() -> None:
    samples = np.concatenate([speak([1, 2, 3], silence=1.0), speak([4, 5, 6], silence=1.0)])
    events = with_turns(TurnDetection.server_vad(), samples)
    assert kinds(events) == ["SpeechStarted", "SpeechStopped", "TurnEnded"] * 2
    assert transcripts(events) == ["w1 w2 w3", "w4 w5 w6"]


def test_the_positions_of_speech_are_exact_to_a_frame() -> None:
    samples = np.concatenate([np.zeros(32_000, np.float32), speak([1, 2, 3], silence=1.0)])
    started, stopped = with_turns(TurnDetection.server_vad(), samples)[:1] + [
        event for event in with_turns(TurnDetection.server_vad(), samples) if isinstance(event, SpeechStopped)
    ]
    assert isinstance(started, SpeechStarted)
    assert isinstance(stopped, SpeechStopped)
    assert abs(started.position - (32_000 - 4_800)) <= 512
    assert 0 <= stopped.position - (32_000 + 24_000 + 8_000) <= 1_024


def test_a_pause_shorter_than_the_silence_does_not_end_the_turn() -> None:
    samples = np.concatenate([speak([1, 2, 3], silence=0.7), speak([4, 5, 6], silence=1.5)])
    assert len(transcripts(with_turns(TurnDetection.server_vad(silence_duration_ms=1_000), samples))) == 1
    assert len(transcripts(with_turns(TurnDetection.server_vad(silence_duration_ms=200), samples))) == 2


def test_an_unfinished_sentence_waits_longer() -> None:
    samples = np.concatenate([speak([1, 2, 3], silence=1.2), speak([4, 5, 6], silence=3.5)])
    eager, patient = TurnDetection.semantic_vad("high"), TurnDetection.semantic_vad("low")
    assert len(transcripts(with_turns(eager, samples))) == 2
    assert len(transcripts(with_turns(patient, samples))) == 1


def test_a_clients_turn_end_during_speech_keeps_the_detection_going() -> None:
    parameters = StreamParameters(turn_detection=TurnDetection.server_vad())
    transcriber, engine = Transcriber("s", parameters, LevelDetector()), FakeEngine()
    transcriber.push(speak([1, 2, 3]))
    transcriber.end_turn()
    transcriber.push(speak([4, 5, 6], silence=1.0))
    events = drive(transcriber, engine)
    assert transcripts(events) == ["w1 w2 w3", "w4 w5 w6"]
    assert kinds(events) == ["SpeechStarted", "SpeechStopped", "TurnEnded"] * 2


def test_a_turn_that_is_too_long_ends_between_words_and_loses_none() -> None:
    words = list(range(1, 50))
    events = with_turns(TurnDetection.server_vad(), speak(words, silence=1.0), maximum_turn_seconds=6.0)
    assert len(transcripts(events)) >= 3
    assert " ".join(transcripts(events)).split() == [f"w{number}" for number in words]
    assert kinds(events) == ["SpeechStarted", "SpeechStopped", "TurnEnded"] * len(transcripts(events))


@settings(max_examples=25, deadline=None)
@given(
    parts=st.lists(st.tuples(st.integers(1, 8), st.sampled_from([0.1, 0.4, 0.6, 1.1])), min_size=1, max_size=5),
    packet=st.sampled_from([16, 999, 16_000, 10**9]),
)
def test_packets_change_no_turn(parts: list[tuple[int, float]], packet: int) -> None:
    samples = np.concatenate([speak(list(range(1, count + 1)), silence=silence) for count, silence in parts])
    whole = with_turns(TurnDetection.semantic_vad(), samples, 1_600)
    assert with_turns(TurnDetection.semantic_vad(), samples, packet) == whole


def test_speech_that_the_last_hypothesis_left_out_is_decoded_after_all() -> None:
    def stop_early(call: int, pieces: list[Piece]) -> list[Piece]:
        if len(pieces) <= 3:
            return pieces
        assert pieces[-1].end is not None
        return [*pieces[:2], replace(pieces[2], end=pieces[-1].end)]

    events = transcribe(speak(list(range(1, 11)), silence=1.0), FakeEngine(alter=stop_early), step_seconds=9.0)
    assert transcripts(events)[0].split()[:3] == ["w1", "w2", "w3"]
    assert transcripts(events)[0].split()[-1] == "w10"


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


@settings(max_examples=60, deadline=None)
@given(
    data=st.data(),
    words=st.lists(st.integers(1, 99), min_size=1, max_size=45, unique=True),
    packet=st.sampled_from([317, 16_000, 10**9]),
)
def test_drafts_that_lose_or_mishear_their_ends_cost_no_word_and_double_none(
    data: st.DataObject, words: list[int], packet: int
) -> None:
    transcriber = new_transcriber()
    final = False

    def mangle(_: int, pieces: list[Piece]) -> list[Piece]:
        if final or not pieces:
            return pieces
        match data.draw(st.sampled_from(["as is", "empty", "shorten", "mishear"])):
            case "empty":
                return []
            case "shorten":
                return pieces[: len(pieces) // 2]
            case "mishear":
                return [*pieces[:-1], replace(pieces[-1], token_ids=(900,), text=" misheard")]
            case _:
                return pieces

    engine, samples = FakeEngine(alter=mangle), speak(words)
    events: list[Event] = []
    for start in range(0, len(samples), packet):
        transcriber.push(samples[start : start + packet])
        if start + packet >= len(samples):
            transcriber.end_turn()
        while (answer := transcriber.request())[0] is not None:
            final = answer[0].final
            events += answer[1] + transcriber.accept(engine.decode(answer[0].request))
        events += answer[1]
    assert transcripts(events) == [" ".join(f"w{number}" for number in words)]


def agreed_words(before: Sequence[Piece], now: Sequence[Piece], heard_until: float) -> list[str]:
    """The words that begin both hypotheses, are followed by a newer one and by enough sound."""
    words: list[str] = []
    for old, new in zip(before, now[:-1], strict=False):
        if old.text != new.text or new.end is None or new.end > heard_until:
            break
        words.append(new.text.strip())
    return words


@settings(max_examples=60, deadline=None)
@given(data=st.data(), words=st.lists(st.integers(1, 99), min_size=3, max_size=40, unique=True))
def test_what_two_hypotheses_agree_on_settles_and_stays(data: st.DataObject, words: list[int]) -> None:
    def revise(_: int, pieces: list[Piece]) -> list[Piece]:
        changed = data.draw(st.integers(0, len(pieces)))
        return [
            piece
            if number < changed
            else replace(piece, token_ids=(piece.token_ids[0] + 100,), text=f" w{piece.token_ids[0] + 100}")
            for number, piece in enumerate(pieces)
        ]

    parameters = StreamParameters(window_seconds=28.0)
    transcriber, engine = Transcriber("s", parameters, LevelDetector()), FakeEngine(alter=revise)
    transcriber.push(speak(words))
    transcriber.end_turn()
    events: list[Event] = []
    agreed: list[str] = []
    before: list[Piece] = []
    while (answer := transcriber.request())[0] is not None:
        hypothesis = engine.decode(answer[0].request)
        heard_until = len(answer[0].request.samples) / 16_000 - parameters.hold_seconds
        events += transcriber.accept(hypothesis)
        if not answer[0].final:
            agreed = max(agreed, agreed_words(before, hypothesis.pieces, heard_until), key=len)
            assert deltas(events).split()[: len(agreed)] == agreed
        before = list(hypothesis.pieces)
    events += answer[1]
    assert transcripts(events)[0].split()[: len(agreed)] == agreed


SPOKEN_THEN_SILENT = speak([1, 2, 3, 4, 5], silence=1.0)


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
    assert transcripts(transcribe(samples, engine)) == ["w1 w2 w3 w4 w5 w6 w7"]
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
    assert transcripts(transcribe(SPOKEN_THEN_SILENT, engine, first_step_seconds=1.0)) == ["w1 w2 w3 w4 w5"]
    assert len(engine.requests) == 4


def test_a_last_hypothesis_that_left_out_the_last_words_is_decoded_once_more_thoroughly() -> None:
    engine = FakeEngine(alter=lambda call, pieces: pieces[:1] if call in (3, 4) else pieces)
    assert transcripts(transcribe(SPOKEN_THEN_SILENT, engine, first_step_seconds=1.0)) == ["w1 w2 w3 w4 w5"]
    assert [request.thorough for request in engine.requests] == [False, False, False, False, True]


def test_a_word_followed_by_enough_sound_settles_on_one_hypothesis() -> None:
    engine = FakeEngine()
    transcriber = Transcriber("s", StreamParameters(sure_seconds=1.2, first_step_seconds=2.0), LevelDetector())
    transcriber.push(speak([1, 2, 3, 4, 5]))
    assert deltas(drive(transcriber, engine)) == "w1"
    assert len(engine.requests) == 1


def test_a_word_that_the_engine_is_sure_of_settles_on_one_hypothesis() -> None:
    def doubt(_: int, pieces: list[Piece]) -> list[Piece]:
        return [replace(piece, probability=0.95 if number < 2 else 0.5) for number, piece in enumerate(pieces)]

    engine = FakeEngine(alter=doubt)
    parameters = StreamParameters(confident_seconds=0.6, sure_seconds=5.0)
    transcriber = Transcriber("s", parameters, LevelDetector())
    transcriber.push(speak([1, 2, 3, 4, 5]))
    assert deltas(drive(transcriber, engine)) == "w1 w2"
    assert len(engine.requests) == 1


def test_a_segment_after_a_short_pause_is_heard_with_the_words_before_it() -> None:
    engine = FakeEngine()
    samples = np.concatenate([speak([1, 2, 3, 4], silence=0.8), speak([5, 6, 7], silence=0.8)])
    events = transcribe(samples, engine)
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


def test_a_window_keeps_a_bounded_stretch_of_what_has_settled() -> None:
    engine = FakeEngine()
    transcribe(speak(list(range(1, 60))), engine, window_seconds=28.0, kept_seconds=3.0)
    assert max(len(request.prefix) for request in engine.requests) <= 7
    assert max(len(request.samples) for request in engine.requests) <= 7 * 16_000
