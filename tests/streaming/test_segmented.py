from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fakes import WORD_SAMPLES, FakeEngine, LevelDetector, drive, speak, transcribe
from hypothesis import given, settings
from hypothesis import strategies as st

from wavescribe.engines.base import DecodeRequest, EngineInfo, Hypothesis, Piece, Samples
from wavescribe.streaming.events import Draft, Event, Settled, TurnEnded
from wavescribe.streaming.fitting import fitted
from wavescribe.streaming.parameters import StreamParameters
from wavescribe.streaming.strategies.segmented import Segmented
from wavescribe.streaming.transcriber import Transcriber
from wavescribe.vad.detector import FRAME_SAMPLES

SECOND = 16_000
SEGMENTED = StreamParameters(strategy="segmented")


def heard_by(engine: FakeEngine, samples: Samples, packet: int = 1_600, **parameters: object) -> list[Event]:
    return transcribe(samples, engine, packet, strategy="segmented", **parameters)  # type: ignore[arg-type]


def transcripts(events: list[Event]) -> list[str]:
    return [event.transcript for event in events if isinstance(event, TurnEnded)]


def settled(events: list[Event]) -> list[str]:
    return [event.delta for event in events if isinstance(event, Settled)]


def last_requests(engine: FakeEngine) -> list[DecodeRequest]:
    """Of each segment, by where it starts."""
    return list({request.cache_key[1]: request for request in engine.requests}.values())


def with_pauses() -> Samples:
    return np.concatenate([speak([1, 2, 3, 4, 5], silence=1.0), speak([6, 7, 8], silence=1.0), speak([9, 10])])


def with_dips(count: int) -> Samples:
    """Words with two frames of silence between them, on the grid of frames."""
    word = WORD_SAMPLES // FRAME_SAMPLES * FRAME_SAMPLES
    return np.concatenate([speak([number % 90 + 1], silence=0.064)[-word - 1024 :] for number in range(count)])


def test_nothing_settles_before_its_segment_ends_and_all_of_it_is_a_draft_until_then() -> None:
    events = heard_by(FakeEngine(), with_pauses())
    assert settled(events) == ["w1 w2 w3 w4 w5", " w6 w7 w8", " w9 w10"]
    drafts = [event.text for event in events if isinstance(event, Draft)]
    assert drafts[:3] == ["w1 w2 w3 w4", "w1 w2 w3 w4 w5", ""]


def test_the_transcript_is_that_of_each_segment_decoded_alone() -> None:
    engine = FakeEngine()
    events = heard_by(engine, with_pauses())
    alone = [FakeEngine().decode(request).text.strip() for request in last_requests(engine)]
    assert transcripts(events) == [" ".join(alone)]
    assert len(alone) == 3


def test_no_step_is_told_what_came_before() -> None:
    engine = FakeEngine()
    heard_by(engine, with_pauses(), context_characters=100)
    assert {(request.prefix, request.context) for request in engine.requests} == {((), "")}


def test_a_segment_of_the_longest_length_ends_where_nothing_is_said() -> None:
    engine = FakeEngine()
    samples = with_dips(100)
    events = heard_by(engine, samples, longest_segment_seconds=8.0)
    assert transcripts(events) == [" ".join(f"w{number % 90 + 1}" for number in range(100))]
    windows = [len(request.samples) for request in last_requests(engine)]
    assert all(6 * SECOND <= length <= 7 * SECOND for length in windows[:-1])
    assert sum(windows) == len(samples)


def test_speech_without_a_dip_is_cut_at_the_longest_length_and_all_of_it_is_heard_once() -> None:
    engine = FakeEngine()
    samples = speak(list(range(1, 91)))
    heard_by(engine, samples, longest_segment_seconds=8.0)
    parts = last_requests(engine)
    assert np.array_equal(np.concatenate([part.samples for part in parts]), samples)
    assert all(8 * SECOND - FRAME_SAMPLES < len(part.samples) <= 8 * SECOND for part in parts[:-1])


@settings(max_examples=40, deadline=None)
@given(
    words=st.lists(st.integers(0, 9), min_size=1, max_size=60),
    packet=st.sampled_from([317, 1_600, 16_000, 160_000]),
    longest=st.sampled_from([3.0, 8.0, 24.0]),
)
def test_packets_change_nothing(words: list[int], packet: int, longest: float) -> None:
    samples = speak(words, silence=0.7)
    whole = heard_by(FakeEngine(), samples, 10**9, longest_segment_seconds=longest)
    assert heard_by(FakeEngine(), samples, packet, longest_segment_seconds=longest) == whole


def test_memory_is_that_of_one_segment() -> None:
    transcriber = Transcriber("s", replace(SEGMENTED, longest_segment_seconds=8.0), LevelDetector())
    for _ in range(200):
        transcriber.push(speak([1]))
        drive(transcriber, FakeEngine())
        assert transcriber.held_seconds <= 9.0


def test_a_loop_at_the_end_of_a_segment_is_decoded_thoroughly_and_left_out() -> None:
    def stutter(_: int, pieces: list[Piece]) -> list[Piece]:
        lost = [replace(piece, start=piece.end) for piece in pieces[-3:]]
        return [*pieces, *lost, *lost]

    engine = FakeEngine(alter=stutter)
    events = heard_by(engine, speak([1, 2, 3], silence=1.0))
    assert transcripts(events) == ["w1 w2 w3"]
    assert engine.requests[-1].thorough


@pytest.mark.parametrize(("no_speech", "thorough"), [(0.0, True), (0.9, False)])
def test_a_segment_whose_text_was_cut_short_is_decoded_thoroughly_unless_it_is_silence(
    no_speech: float, thorough: bool
) -> None:
    class Short(FakeEngine):
        def decode(self, request: DecodeRequest) -> Hypothesis:
            found = super().decode(request)
            return replace(found, truncated=True, no_speech_probability=no_speech, average_logprob=-1.5)

    engine = Short()
    heard_by(engine, speak([1, 2], silence=1.0))
    assert engine.requests[-1].thorough == thorough


def test_what_the_engine_takes_for_silence_is_not_written() -> None:
    class Deaf(FakeEngine):
        def decode(self, request: DecodeRequest) -> Hypothesis:
            return replace(super().decode(request), no_speech_probability=0.9, average_logprob=-1.5)

    assert transcripts(heard_by(Deaf(), speak([1, 2], silence=1.0))) == [""]


@pytest.mark.parametrize(("first", "then"), [("segmented", "windowed"), ("windowed", "segmented")])
def test_a_segment_that_is_open_keeps_its_strategy_and_its_limit(first: str, then: str) -> None:
    engine = FakeEngine()
    parameters = StreamParameters(strategy=first, longest_segment_seconds=8.0)  # type: ignore[arg-type]  # one of them
    transcriber = Transcriber("s", parameters, LevelDetector())
    transcriber.push(speak(list(range(1, 9))))
    events = drive(transcriber, engine)
    transcriber.reconfigure(replace(parameters, strategy=then))  # type: ignore[arg-type]  # one of them
    transcriber.push(speak(list(range(9, 41))))
    transcriber.end_turn()
    events += drive(transcriber, engine)
    starts = [request.cache_key[1] for request in last_requests(engine)]
    # Windows of eight seconds roll once in twenty; a segment ends after eight.
    assert (8 * SECOND - FRAME_SAMPLES < starts[1] <= 8 * SECOND) == (first == "segmented")
    assert all(len(request.samples) <= 8 * SECOND for request in engine.requests)


def test_a_segment_is_no_longer_than_the_engine_hears_at_once() -> None:
    info = EngineInfo(
        "fake", SECOND, ("en",), 20.0, takes_prefix=True, gives_times=True, batches=True, translates=False
    )
    assert fitted(SEGMENTED, info).longest_segment_seconds == 20.0
    assert fitted(SEGMENTED, replace(info, max_window_seconds=30.0)).longest_segment_seconds == 24.0
    long = replace(info, max_window_seconds=1200.0, continues_windows=True)
    assert fitted(SEGMENTED, long).longest_segment_seconds == 32.0
    assert StreamParameters().segment_limit is None


def test_a_step_without_a_segment_is_a_fault_of_the_caller() -> None:
    with pytest.raises(RuntimeError, match="open"):
        Segmented(SEGMENTED).plan(16_000, 0)
