from __future__ import annotations

import pytest

from wavescribe.bench.metrics.unstable_words import shown_words, unstable_words


@pytest.mark.parametrize(
    ("partials", "expected"),
    [
        (["one", "one two", "one two three"], 0),
        (["one to", "one two", "one two three"], 1),
        (["one two three", "one too three", "one too three"], 2),
        (["one two", "one", "one two"], 1),
        (["one two two", "one two three"], 1),
        (["one two two three", "one two three"], 2),
        (["won", "one", "won", "one"], 3),
        (["one two", ""], 2),
        (["one"], 0),
        ([], 0),
    ],
)
def test_words_behind_the_common_beginning_were_changed(partials: list[str], expected: int) -> None:
    assert unstable_words(partials) == expected


def test_case_and_punctuation_are_no_change() -> None:
    assert unstable_words(["So", "so, my", "So my fellow"]) == 0


@pytest.mark.parametrize("mark", ["-", "\u2014", "...", "\u266a", "\u2764\ufe0f", "\u3001", "\u30fb"])
def test_punctuation_alone_is_no_word(mark: str) -> None:
    assert shown_words(f"one {mark} two") == ["one", "two"]
    assert shown_words(f"\u4f60{mark}\u597d") == ["\u4f60", "\u597d"]
    assert unstable_words([f"one {mark} two", "one two"]) == 0


def test_a_number_or_a_sign_with_a_digit_is_a_word() -> None:
    assert shown_words("5 -3 $2") == ["5", "3", "2"]


def test_vowel_signs_and_tones_of_scripts_without_spaces_are_characters() -> None:
    assert shown_words("ที่") == ["ท", "ี", "่"]
    assert unstable_words(["มา", "ม้า"]) == 1


def test_characters_are_words_in_scripts_without_spaces() -> None:
    assert shown_words("你好 world") == ["你", "好", "world"]
    assert unstable_words(["你好时", "你好世界"]) == 1
