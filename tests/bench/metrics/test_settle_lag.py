from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wavescribe.bench.metrics.settle_lag import SettleLags, match_words, settle_lags, stated_lags
from wavescribe.bench.metrics.timeline import Emission, GoldWord, StatedWord

GOLD = (GoldWord("The", 0.0, 0.5), GoldWord("quick", 0.5, 1.0), GoldWord("fox", 1.0, 1.5), GoldWord("jumps", 1.5, 2.0))


def emitted(*texts: tuple[str, float]) -> list[Emission]:
    return [Emission(text, time) for text, time in texts]


def lags_of(*texts: tuple[str, float]) -> SettleLags:
    found = settle_lags(GOLD, emitted(*texts))
    return SettleLags(tuple(round(lag, 6) for lag in found.lags), found.missing)


def test_a_words_lag_is_its_arrival_minus_its_end() -> None:
    assert lags_of(("The quick", 2.0), (" fox", 2.25), (" jumps", 4.0)) == SettleLags((1.5, 1.0, 0.75, 2.0), 0)


def test_late_words_are_late_and_move_no_other() -> None:
    assert lags_of(("The", 1.0), (" quick", 9.0), (" fox jumps", 9.5)) == SettleLags((0.5, 8.0, 8.0, 7.5), 0)


def test_case_and_punctuation_do_not_matter() -> None:
    assert lags_of(("the QUICK, fox", 2.0), (" jumps!", 3.0)) == SettleLags((1.5, 1.0, 0.5, 1.0), 0)


def test_a_missing_word_is_counted_and_does_not_shift_the_next() -> None:
    assert lags_of(("The", 1.0), (" fox", 2.0), (" jumps", 3.0)) == SettleLags((0.5, 0.5, 1.0), 1)


def test_a_wrong_word_is_missing_and_does_not_shift_the_next() -> None:
    assert lags_of(("The", 1.0), (" slow", 1.5), (" fox", 2.0), (" jumps", 3.0)) == SettleLags((0.5, 0.5, 1.0), 1)


def test_a_word_with_half_of_its_characters_right_counts() -> None:
    assert lags_of(("The quick", 2.0), (" fax", 2.5), (" jumped", 3.0)).lags == (1.5, 1.0, 1.0, 1.0)


def test_a_doubled_word_counts_once_and_does_not_shift_the_next() -> None:
    found = lags_of(("The", 1.0), (" quick", 2.0), (" quick", 3.0), (" fox", 4.0), (" jumps", 5.0))
    assert found == SettleLags((0.5, 1.0, 2.5, 3.0), 0)


@pytest.mark.parametrize("first", ["the", "tha", "xyz"])
def test_a_doubled_word_has_come_with_the_first_copy_whatever_is_before_it(first: str) -> None:
    matches = match_words(["the", "quick", "fox"], [first, " quick", " quick", " fox"])
    assert matches[1:] == [1, 3]


def test_a_doubled_word_that_came_in_parts_has_come_with_the_last_part_of_the_first_copy() -> None:
    assert match_words(["the", "quick", "fox"], ["tha", " qui", "ck", " quick", " fox"]) == [0, 2, 4]


def test_words_that_were_all_doubled_have_come_with_their_first_copies() -> None:
    words = [f"w{index}" for index in range(300)]
    doubled = [f" {word}" for word in words for _ in range(2)]
    assert match_words(words, doubled) == list(range(0, 600, 2))


def test_a_word_that_was_said_twice_has_come_with_both_copies() -> None:
    assert match_words(["very", "very", "good"], [" vary", " very", " very", " very", " good"])[2] == 4
    assert match_words(["very", "very", "good"], [" very", " very", " very", " good"]) == [0, 1, 3]


def test_letters_within_other_words_are_no_copy() -> None:
    assert match_words(["am", "a", "fox"], [" am", " standing", " a", " fox"]) == [0, 2, 3]
    assert match_words(["the", "fox"], [" then", " the", " fox"]) == [1, 2]


def test_a_whole_copy_comes_before_a_part_of_another_word() -> None:
    assert match_words(["what", "user"], [" hat", " what"]) == [1, None]


def test_doubled_characters_of_scripts_without_spaces_have_come_with_the_first_copy() -> None:
    assert match_words(["你", "世", "界"], ["他", "世", "世", "界"]) == [None, 1, 3]
    assert match_words(["你", "世", "界"], ["他", "世ok", "世", "界"]) == [None, 1, 3]


WORDS = st.lists(st.text("abé世ที่", min_size=1, max_size=3), max_size=12)


@given(WORDS, st.lists(st.text("abé世ที่ -", max_size=6), max_size=12))
def test_matches_stay_in_order(words: list[str], texts: list[str]) -> None:
    found = [match for match in match_words(words, texts) if match is not None]
    assert found == sorted(found)


@given(WORDS)
def test_text_without_errors_is_matched_word_for_word(words: list[str]) -> None:
    assert match_words(words, [f" {word}" for word in words]) == list(range(len(words)))


def test_an_added_word_does_not_shift_the_next() -> None:
    assert lags_of(("The very", 1.0), (" quick", 2.0), (" fox", 3.0), (" jumps", 4.0)).lags == (0.5, 1.0, 1.5, 2.0)


def test_a_word_that_comes_in_parts_has_come_with_its_last_part() -> None:
    assert lags_of(("The", 1.0), (" qui", 1.5), ("ck", 2.5), (" fox", 3.0), (" jumps", 4.0)).lags[1] == 1.5


def test_nothing_emitted_is_all_missing() -> None:
    assert lags_of() == SettleLags((), 4)


def test_nothing_said_has_no_lags() -> None:
    assert settle_lags((), emitted(("text", 1.0))) == SettleLags((), 0)


def test_words_may_be_joined_or_split_otherwise_than_in_the_gold_text() -> None:
    assert match_words(["some", "one", "cannot"], [" someone", " can", " not"]) == [0, 0, 2]


def test_characters_of_scripts_without_spaces_are_words() -> None:
    assert match_words(["你", "好", "世", "界"], ["你好", "世间", "界"]) == [0, 0, 1, 2]


def test_a_character_far_away_does_not_hold_a_word_back() -> None:
    later = ["zzzzzzzzzzzzzzzz"] * 4
    assert match_words(["quick"], [" quic", *later, "k"]) == [0]


@pytest.mark.parametrize("count", [1, 1500])
def test_long_streams_are_matched_word_by_word(count: int) -> None:
    words = [f"w{index}" for index in range(count)]
    assert match_words(words, [f" {word}" for word in words]) == list(range(count))


def stated(*words: tuple[str, float, float]) -> tuple[float, ...]:
    return stated_lags([word.text for word in GOLD], [StatedWord(*word) for word in words])


def test_by_the_ends_that_are_stated_a_lag_is_the_arrival_minus_the_stated_end() -> None:
    # Gold words end at 0.5, 1.0, 1.5 and 2.0 s; the server says other ends, which are the ones that count.
    told = (("The", 0.75, 2.0), ("quick", 1.0, 2.0), ("fox", 1.25, 2.0), ("jumps", 2.5, 6.0))
    assert stated(*told) == (1.25, 1.0, 0.75, 3.5)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        # Wrong, and added: no lag of theirs, however late.
        ((("The", 0.5, 1.0), ("slow", 1.0, 9.0), ("fox", 1.5, 2.0), ("jumps", 2.0, 3.0)), (0.5, 0.5, 1.0)),
        ((("The", 0.5, 1.0), ("zz", 0.6, 9.0), ("quick", 1.0, 2.0), ("fox", 1.5, 2.0)), (0.5, 1.0, 0.5)),
        # Missing: the next has its own.
        ((("The", 0.5, 1.0), ("fox", 1.5, 2.25), ("jumps", 2.0, 3.0)), (0.5, 0.75, 1.0)),
        # Doubled: the first copy, once.
        (
            (("The", 0.5, 1.0), ("quick", 1.0, 2.0), ("quick", 1.5, 7.0), ("fox", 1.5, 2.0), ("jumps", 2.0, 2.5)),
            (0.5, 1.0, 0.5, 0.5),
        ),
        # Late: late.
        ((("The", 0.5, 1.0), ("quick", 1.0, 8.0), ("fox", 1.5, 8.0), ("jumps", 2.0, 8.0)), (0.5, 7.0, 6.5, 6.0)),
        ((), ()),
    ],
)
def test_by_the_ends_that_are_stated_only_words_that_were_said_have_a_lag(
    told: tuple[tuple[str, float, float], ...], expected: tuple[float, ...]
) -> None:
    assert stated(*told) == expected
