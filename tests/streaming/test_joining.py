from __future__ import annotations

import pytest

from wavescribe.streaming.joining import delta_after, segment_delta, spoken_word


@pytest.mark.parametrize(
    ("transcript", "text", "expected"),
    [
        ("", " Hello", "Hello"),
        ("", "", ""),
        ("Hello", "", ""),
        ("Hello", " world", " world"),
        ("Hello", "world", " world"),
        ("Hello ", " world", "world"),
        ("Hello", ", world", ", world"),
        ("Hello.", "World", " World"),
        ("Hello (", "world", "world"),
        ("Hello", ")", ")"),
        ("“", "Hello", "Hello"),
        ("你好", "世界", "世界"),
        ("你好", "。", "。"),
        ("你好。", "世界", "世界"),
        ("你好。", "Hello", "Hello"),
        ("你好", "Hello", "Hello"),
        ("Hello", "世界", "世界"),
        ("はい、", "そう", "そう"),
        ("สวัสดี", "ครับ", "ครับ"),
        ("안녕", "하세요", " 하세요"),
        ("नमस्ते", "दुनिया", " दुनिया"),
        ("100", "%", "%"),
    ],
)
def test_segments_are_joined_with_the_space_their_scripts_want(transcript: str, text: str, expected: str) -> None:
    assert delta_after(transcript, text) == expected


def test_the_models_own_spacing_stands_inside_a_segment() -> None:
    assert segment_delta("twenty", "-five", opens_segment=False) == "-five"
    assert segment_delta("wor", "ld", opens_segment=False) == "ld"


def test_a_space_is_put_between_words_where_a_segment_opens() -> None:
    assert segment_delta("Hello", "world", opens_segment=True) == " world"


def test_a_turn_never_begins_with_a_space() -> None:
    assert segment_delta("", " Hello", opens_segment=False) == "Hello"
    assert segment_delta("", " Hello", opens_segment=True) == "Hello"


@pytest.mark.parametrize(
    ("text", "word"),
    [(" have", "have"), (", have", "have"), (" ¿Qué", "¿Qué"), (",", ","), ("，我", "我"), (" (yes)", "(yes)")],
)
def test_a_units_word_has_no_space_and_no_mark_of_the_word_before(text: str, word: str) -> None:
    assert spoken_word(text) == word
