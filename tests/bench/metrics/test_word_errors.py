from __future__ import annotations

import pytest

from wavescribe.bench.metrics.word_errors import ErrorRate, character_error_rate, error_rate, normalise


def test_equal_texts_have_no_errors() -> None:
    assert error_rate([("one two", "one two")]) == ErrorRate(0, 0, 0, 2)


@pytest.mark.parametrize(
    ("recognised", "expected"),
    [
        ("one two four", ErrorRate(1, 0, 0, 3)),
        ("one three", ErrorRate(0, 1, 0, 3)),
        ("one two two three", ErrorRate(0, 0, 1, 3)),
        ("", ErrorRate(0, 3, 0, 3)),
    ],
)
def test_wrong_missing_and_doubled_words_are_counted(recognised: str, expected: ErrorRate) -> None:
    assert error_rate([("one two three", recognised)]) == expected


def test_the_rate_is_that_of_the_whole_corpus_not_the_mean_of_its_files() -> None:
    rate = error_rate([("one", "two"), ("one two three four five six seven", "one two three four five six seven")])
    assert rate.rate == pytest.approx(1 / 8)


def test_recordings_without_gold_text_do_not_count() -> None:
    assert error_rate([("", "something")]).words == 0


def test_english_is_normalised_and_chinese_is_counted_by_character() -> None:
    assert normalise("Mr. Smith's colour, twenty-five!", "en") == normalise("mister smith's color 25", "en")
    assert normalise("你好,世界", "zh").split() == ["你", "好", "世", "界"]


def test_the_total_of_several_texts_is_that_of_one_corpus() -> None:
    assert ErrorRate.total([ErrorRate(1, 0, 2, 10), ErrorRate(0, 3, 0, 20)]) == ErrorRate(1, 3, 2, 30)


def test_characters_are_counted_without_spaces() -> None:
    assert character_error_rate([("one two", "one too")]) == ErrorRate(1, 0, 0, 6)
    assert character_error_rate([("some one", "someone")]).rate == 0
