from __future__ import annotations

import pytest

from wavescribe.engines.base import Hypothesis
from wavescribe.streaming.guards import (
    LONGEST_PATTERN_UNITS,
    has_hurried_number,
    is_no_speech,
    token_budget,
    without_loops,
)
from wavescribe.streaming.units import Unit

RATE = 16_000
SPOKEN = RATE // 4
LONGEST_SOUNDLESS = 320


def units(text: str, length: int = SPOKEN, start: int = 0) -> list[Unit]:
    """The words one after another, each of that many samples."""
    words = text.split()
    return [
        Unit((number,), f" {word}", start + number * length, start + (number + 1) * length, 0.9)
        for number, word in enumerate(words)
    ]


def kept(heard: list[Unit]) -> str:
    return "".join(unit.text for unit in without_loops(heard, RATE)).strip()


def hypothesis(no_speech: float, logprob: float) -> Hypothesis:
    return Hypothesis((), "en", 1.0, no_speech, logprob)


def test_a_loop_without_sound_is_cut_at_its_start() -> None:
    heard = units("so the cat sat") + units("the cat sat " * 3, length=0)
    assert kept(heard) == "so the cat sat"


def test_one_word_said_on_and_on_without_sound_is_cut() -> None:
    assert kept(units("thank you") + units("you " * 40, length=0)) == "thank you"


def test_what_follows_a_loop_is_dropped_with_it() -> None:
    heard = units("the cat sat") + units("the cat sat", length=0) + units("on the mat")
    assert kept(heard) == "the cat sat"


def test_a_phrase_repeated_with_sound_passes_whole() -> None:
    heard = units("the cat sat " * 5)
    assert without_loops(heard, RATE) == heard


def test_sounding_repetitions_before_a_loop_are_kept() -> None:
    heard = units("the cat sat " * 2) + units("the cat sat " * 2, length=0)
    assert kept(heard) == "the cat sat the cat sat"


def test_text_without_sound_passes_when_it_repeats_nothing() -> None:
    heard = units("one two three four five six", length=0)
    assert without_loops(heard, RATE) == heard


def test_repetitions_are_recognised_without_case_and_punctuation() -> None:
    assert kept(units("Thank you.") + units("thank you! THANK You", length=0)) == "Thank you."


def test_repeated_characters_without_sound_are_cut() -> None:
    heard = [Unit((1,), "哈", 0, SPOKEN, 1.0)] + [Unit((1,), "哈", SPOKEN, SPOKEN, 1.0)] * 9
    assert kept(heard) == "哈"


@pytest.mark.parametrize(("soundless", "expected"), [(1, "a b c d a b c d"), (2, "a b c d"), (3, "a b c d")])
def test_a_repetition_is_a_loop_when_half_of_it_has_no_sound(soundless: int, expected: str) -> None:
    echo = [Unit((0,), f" {word}", 0, 0 if number < soundless else SPOKEN, 0.9) for number, word in enumerate("abcd")]
    assert kept(units("a b c d") + echo) == expected


def test_a_repetition_of_which_less_than_half_has_no_sound_passes() -> None:
    echo = units("a b", length=0) + units("c d e")
    assert kept(units("a b c d e") + echo) == "a b c d e a b c d e"


@pytest.mark.parametrize(("length", "expected"), [(LONGEST_SOUNDLESS, "no"), (LONGEST_SOUNDLESS + 1, "no no")])
def test_a_unit_of_twenty_milliseconds_has_no_sound_of_its_own(length: int, expected: str) -> None:
    assert kept(units("no") + units("no", length=length)) == expected


@pytest.mark.parametrize(
    ("size", "expected"),
    [(LONGEST_PATTERN_UNITS, LONGEST_PATTERN_UNITS), (LONGEST_PATTERN_UNITS + 1, 2 * LONGEST_PATTERN_UNITS + 2)],
)
def test_loops_of_up_to_the_longest_pattern_are_found(size: int, expected: int) -> None:
    phrase = " ".join(f"w{number}" for number in range(size))
    assert len(without_loops(units(phrase) + units(phrase, length=0), RATE)) == expected


def test_a_loop_that_the_hypothesis_ends_in_the_middle_of_is_cut() -> None:
    heard = units("so the cat sat on it") + units("so the cat", length=0)
    assert kept(heard) == "so the cat sat on it"


def test_a_loop_that_the_hypothesis_ends_in_the_middle_of_a_word_of_is_cut() -> None:
    heard = units("the age of foolishness") + units("the age of foolish", length=0)
    assert kept(heard) == "the age of foolishness"


def test_two_words_without_sound_at_the_end_are_not_taken_for_a_loop() -> None:
    heard = units("so the cat sat") + units("so the", length=0)
    assert without_loops(heard, RATE) == heard


def test_a_phrase_that_is_cut_short_with_sound_passes_whole() -> None:
    heard = units("so the cat sat so the cat")
    assert without_loops(heard, RATE) == heard


def test_no_units_have_no_loop() -> None:
    assert without_loops([], RATE) == []


@pytest.mark.parametrize(
    ("no_speech", "logprob", "expected"),
    [(0.9, -1.5, True), (0.9, -0.5, False), (0.3, -1.5, False), (0.6, -1.5, False), (0.9, -1.0, False)],
)
def test_a_window_has_no_speech_when_the_engine_says_so_and_is_unsure_of_its_text(
    no_speech: float, logprob: float, expected: bool
) -> None:
    assert is_no_speech(hypothesis(no_speech, logprob)) is expected


@pytest.mark.parametrize(("seconds", "expected"), [(0.0, 12), (1.0, 22), (8.0, 92)])
def test_the_token_budget_grows_with_the_audio_from_a_floor(seconds: float, expected: int) -> None:
    assert token_budget(seconds, 10) == expected
    assert token_budget(seconds, 20) == 2 * expected - 12


@pytest.mark.parametrize(
    ("text", "seconds", "hurried"),
    [
        (" 1234567890", 2.1, False),
        ("12345678901223456789012234567890122", 2.5, True),
        (" 555-123-4567", 1.0, False),
        (" 555-123-4567", 0.9, True),
        (" 1998", 0.0, False),
        (" word", 0.0, False),
    ],
)
def test_a_number_of_more_digits_than_can_be_said_in_its_time_is_hurried(
    text: str, seconds: float, hurried: bool
) -> None:
    said = [Unit((1,), " the", 0, 1_600, 0.9), Unit((2,), text, 1_600, 1_600 + round(16_000 * seconds), 0.9)]
    assert has_hurried_number(said, 16_000) == hurried
