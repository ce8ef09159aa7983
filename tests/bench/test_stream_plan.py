from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from wavescribe.bench.corpus import Recording
from wavescribe.bench.gold_times import RATE, TimedRecording, end_in_speech
from wavescribe.bench.metrics.timeline import GoldWord
from wavescribe.bench.stream_plan import Turns, gap_seconds, join_recordings, messages


def timed(text: str, seconds: float, speech_end: float) -> TimedRecording:
    words = text.split()
    recording = Recording(text, Path("none"), seconds, "en", "short", text, False, "human")
    places = tuple(GoldWord(word, index * 0.5, index * 0.5 + 0.4) for index, word in enumerate(words))
    samples = np.full(round(seconds * RATE), 0.5, dtype=np.float32)
    return TimedRecording(recording, samples, places, speech_end, speech_end)


HAND = (timed("one two", 1.03, 0.9), timed("three", 0.72, 0.6))


def test_words_and_speech_ends_move_with_their_recording() -> None:
    plan = join_recordings(HAND, turns="manual")
    second = 1.03 + 0.5
    assert [word.text for word in plan.words] == ["one", "two", "three"]
    assert [round(word.end, 4) for word in plan.words] == [0.4, 0.9, round(second + 0.4, 4)]
    assert [round(utterance.speech_end, 4) for utterance in plan.utterances] == [0.9, round(second + 0.6, 4)]
    assert [round(utterance.speech_start, 4) for utterance in plan.utterances] == [0.0, round(second, 4)]
    assert plan.text == "one two three"


@pytest.mark.parametrize(("speech_start", "expected"), [(0.7, 0.7), (0.1, 0.3), (0.0, 0.3)])
def test_speech_begins_with_the_first_word_but_not_in_the_silence_before_speech(
    speech_start: float, expected: float
) -> None:
    # Cross attention gives the silence before the first word to that word.
    word = GoldWord("one", 0.3, 1.0)
    recording = replace(timed("one", 1.2, 1.0), words=(word,), speech_start=speech_start)
    (utterance,) = join_recordings([recording], turns="manual").utterances
    assert utterance.speech_start == expected


def test_recordings_are_far_enough_apart_for_the_server_to_end_a_turn_between_them() -> None:
    assert gap_seconds("manual", 800) == 0.5
    assert gap_seconds("server", 800) == 1.8


def test_the_client_ends_a_turn_in_the_first_packet_that_ends_fifth_of_a_second_after_speech() -> None:
    plan = join_recordings(HAND, turns="manual")
    assert [position / RATE for position in plan.commits] == [1.1, 2.4]
    assert plan.utterance_ends == plan.commits


@pytest.mark.parametrize("turns", ["server", "none"])
def test_where_the_client_ends_no_turns_the_end_is_committed_after_silence(turns: Turns) -> None:
    plan = join_recordings(HAND, turns=turns)
    assert plan.commits == (len(plan.samples),)
    assert [position / RATE for position in plan.utterance_ends] == [1.1, 2.4]
    assert not plan.samples[-RATE:].any()


@pytest.mark.parametrize("rate", [16_000, 24_000])
def test_messages_carry_all_samples_and_are_due_when_their_last_one_was_spoken(rate: int) -> None:
    plan = join_recordings(HAND, turns="manual")
    made = messages(plan, rate)
    appends = [message for message in made if "append" in message.text]
    pcm = b"".join(base64.b64decode(json.loads(message.text)["audio"]) for message in appends)
    assert len(pcm) // 2 == round(plan.seconds * rate)
    assert [round(message.due, 4) for message in appends[:2]] == [0.1, 0.2]
    commits = [message.due for message in made if "commit" in message.text]
    assert commits == [position / RATE for position in plan.commits]
    assert [message.due for message in made if message.ends_turn] == commits


def test_packets_come_before_the_commit_that_is_due_with_them() -> None:
    made = messages(join_recordings(HAND, turns="manual"), RATE)
    together = [json.loads(message.text)["type"].rsplit(".")[-1] for message in made if message.due == 1.1]
    assert together == ["append", "commit"]


def test_a_beginning_is_one_turn_of_its_length() -> None:
    beginning = join_recordings(HAND, turns="manual").beginning(1.0)
    assert (beginning.seconds, beginning.commits, beginning.utterance_ends) == (1.0, (RATE,), (RATE,))


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (1.0, 1.0),  # in speech
        (1.8, 1.2),  # in the silence after it
        (2.6, 2.6),  # in the next speech
    ],
)
def test_a_words_end_is_moved_out_of_the_silence_after_it(end: float, expected: float) -> None:
    speech = np.concatenate([np.arange(0.032, 1.2, 0.032), [1.2], np.arange(2.5, 3.0, 0.032)])
    assert end_in_speech(GoldWord("word", 0.5, end), speech) == pytest.approx(expected)


def test_a_word_that_lies_in_silence_altogether_keeps_its_end() -> None:
    assert end_in_speech(GoldWord("word", 1.5, 1.9), np.array([0.5, 1.0, 3.0])) == 1.9
