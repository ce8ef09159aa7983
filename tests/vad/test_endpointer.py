from __future__ import annotations

import pytest

from wavescribe.vad.endpointer import Endpoint, Endpointer, TurnDetection

FRAME = 512


def follow(detection: TurnDetection, probabilities: list[float], *, sentence_ended: bool = True) -> list[Endpoint]:
    endpointer = Endpointer(detection, 16_000)
    heard = [
        endpointer.hear(probability, (index + 1) * FRAME, sentence_ended=sentence_ended)
        for index, probability in enumerate(probabilities)
    ]
    return [endpoint for endpoint in heard if endpoint is not None]


def test_a_turn_starts_at_the_speech_less_the_padding_and_stops_after_the_silence() -> None:
    start, stop = follow(TurnDetection.server_vad(), [0.0] * 50 + [0.9] * 20 + [0.0] * 30)
    assert start == Endpoint("start", 50 * FRAME - 4_800)
    assert stop == Endpoint("stop", 70 * FRAME + 16 * FRAME)


def test_the_padding_does_not_reach_before_the_stream_or_the_last_turn() -> None:
    endpoints = follow(TurnDetection.server_vad(), [0.0] * 3 + [0.9] * 20 + [0.0] * 16 + [0.9] * 5)
    assert [endpoint.position for endpoint in endpoints] == [0, 39 * FRAME, 39 * FRAME]


def test_a_click_starts_nothing() -> None:
    assert follow(TurnDetection.server_vad(), [0.0, 0.9, 0.0, 0.9, 0.0]) == []


def test_speech_goes_on_a_little_below_the_threshold() -> None:
    assert len(follow(TurnDetection.server_vad(), [0.9] * 4 + [0.4] * 40)) == 1
    assert len(follow(TurnDetection.server_vad(), [0.9] * 4 + [0.3] * 40)) == 2


def test_the_threshold_is_the_clients() -> None:
    assert follow(TurnDetection.server_vad(threshold=0.8), [0.7] * 20) == []
    assert len(follow(TurnDetection.server_vad(threshold=0.6), [0.7] * 20)) == 1


@pytest.mark.parametrize(("milliseconds", "frames"), [(200, 7), (500, 16), (1_000, 32)])
def test_the_silence_is_the_clients(milliseconds: int, frames: int) -> None:
    detection = TurnDetection.server_vad(silence_duration_ms=milliseconds)
    assert follow(detection, [0.9] * 4 + [0.0] * 60)[1].position == (4 + frames) * FRAME


@pytest.mark.parametrize(
    ("eagerness", "finished", "unfinished"), [("low", 1.2, 3.0), ("auto", 0.8, 2.0), ("high", 0.4, 1.0)]
)
def test_an_unfinished_sentence_waits_longer(eagerness: str, finished: float, unfinished: float) -> None:
    detection = TurnDetection.semantic_vad(eagerness)  # type: ignore[arg-type]
    for ended, seconds in ((True, finished), (False, unfinished)):
        stop = follow(detection, [0.9] * 4 + [0.0] * 200, sentence_ended=ended)[1]
        assert 0 <= stop.position - 4 * FRAME - seconds * 16_000 < FRAME


def test_a_turn_that_the_client_ends_starts_again_while_speech_goes_on() -> None:
    endpointer = Endpointer(TurnDetection.server_vad(), 16_000)
    for index in range(10):
        endpointer.hear(0.9, (index + 1) * FRAME, sentence_ended=True)
    endpointer.end_turn(10 * FRAME)
    again = [endpointer.hear(0.9, (index + 1) * FRAME, sentence_ended=True) for index in range(10, 13)]
    assert again == [None, Endpoint("start", 10 * FRAME), None]
