from __future__ import annotations

import numpy as np
import pytest
from fakes import FakeEngine, LevelDetector, drive, speak
from hypothesis import given, settings
from hypothesis import strategies as st

from wavescribe.engines.base import Samples
from wavescribe.streaming.events import (
    Event,
    SpeechStarted,
    SpeechStopped,
    TurnEnded,
    TurnFailed,
)
from wavescribe.streaming.parameters import StreamParameters
from wavescribe.streaming.transcriber import Transcriber
from wavescribe.vad.endpointer import TurnDetection


def transcripts(events: list[Event]) -> list[str]:
    return [event.transcript for event in events if isinstance(event, TurnEnded)]


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


@pytest.mark.parametrize("longest", [4.0, 5.25, 6.0, 6.5])
def test_a_turn_that_would_be_too_long_ends_between_words_and_loses_none(longest: float) -> None:
    words = list(range(1, 50))
    speech, limits = speak(words, silence=1.0), {"maximum_turn_seconds": longest, "agreements": 1, "hold_seconds": 0.1}
    events = with_turns(TurnDetection.server_vad(), speech, 1_600, **limits)
    assert len(transcripts(events)) >= 3
    assert " ".join(transcripts(events)).split() == [f"w{number}" for number in words]
    assert kinds(events) == ["SpeechStarted", "SpeechStopped", "TurnEnded"] * len(transcripts(events))
    assert all(turn.end - turn.start <= longest * 16_000 for turn in events if isinstance(turn, TurnEnded))


@settings(max_examples=25, deadline=None)
@given(
    parts=st.lists(st.tuples(st.integers(1, 8), st.sampled_from([0.1, 0.4, 0.6, 1.1])), min_size=1, max_size=5),
    packet=st.sampled_from([16, 999, 16_000, 10**9]),
)
def test_packets_change_no_turn(parts: list[tuple[int, float]], packet: int) -> None:
    samples = np.concatenate([speak(list(range(1, count + 1)), silence=silence) for count, silence in parts])
    whole = with_turns(TurnDetection.semantic_vad(), samples, 1_600)
    assert with_turns(TurnDetection.semantic_vad(), samples, packet) == whole
