from __future__ import annotations

import pytest
from whisper_normalizer.basic import BasicTextNormalizer

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


def test_vowel_signs_and_tones_are_kept_where_they_are_combining_marks() -> None:
    assert normalise("नमस्ते, दुनिया में कितने?", "hi").split() == ["नमस्ते", "दुनिया", "में", "कितने"]
    assert normalise("வணக்கம் உலகம்!", "ta").split() == ["வணக்கம்", "உலகம்"]
    assert normalise("ที่นี่", "th") == "ท ี ่ น ี ่"


def test_another_vowel_sign_is_another_word() -> None:
    gold, heard = (normalise(text, "hi") for text in ("नमस्ते दुनिया में कितने", "नमस्ते दुनिया में कितनी"))
    assert error_rate([(gold, heard)]) == ErrorRate(1, 0, 0, 4)
    assert character_error_rate([(gold, heard)]) == ErrorRate(1, 0, 0, 20)


@pytest.mark.parametrize(
    ("recognised", "expected"),
    [
        ("ม้า", ErrorRate(0, 0, 0, 3)),
        ("มา", ErrorRate(0, 1, 0, 3)),
        ("ม่า", ErrorRate(1, 0, 0, 3)),
        ("ม้าา", ErrorRate(0, 0, 1, 3)),
    ],
)
def test_tones_are_characters_in_thai(recognised: str, expected: ErrorRate) -> None:
    pairs = [(normalise("ม้า", "th"), normalise(recognised, "th"))]
    assert error_rate(pairs) == character_error_rate(pairs) == expected


def test_forms_of_one_character_are_the_same_where_marks_are_kept() -> None:
    assert normalise("ก\u0e33", "th") == normalise("ก\u0e4d\u0e32", "th")


def test_marks_of_other_languages_are_as_in_the_standard() -> None:
    standard = BasicTextNormalizer()
    for text, language in (
        ("Ça va, d\u00e9j\u00e0?", "fr"),
        ("\u0645\u064f\u062f\u0651", "ar"),
        ("\u1ecd\u0301", "yo"),
    ):
        assert normalise(text, language) == standard(text)


def test_the_total_of_several_texts_is_that_of_one_corpus() -> None:
    assert ErrorRate.total([ErrorRate(1, 0, 2, 10), ErrorRate(0, 3, 0, 20)]) == ErrorRate(1, 3, 2, 30)


def test_characters_are_counted_without_spaces() -> None:
    assert character_error_rate([("some one", "someone")]).rate == 0


@pytest.mark.parametrize(
    ("recognised", "expected"),
    [
        ("one too", ErrorRate(1, 0, 0, 6)),
        ("one", ErrorRate(0, 3, 0, 6)),
        ("one two two", ErrorRate(0, 0, 3, 6)),
        ("", ErrorRate(0, 6, 0, 6)),
    ],
)
def test_wrong_missing_and_doubled_characters_are_counted(recognised: str, expected: ErrorRate) -> None:
    assert character_error_rate([("one two", recognised)]) == expected
