from __future__ import annotations

import pytest

from wavescribe.bench.metrics.over_emission import counted, over_emission


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("red blue", 1.0),
        ("red blew", 1.0),
        ("red blue blue", 11 / 7),
        ("red blue red blue red blue", 3.0),
        ("red", 3 / 7),
        ("", 0.0),
        (" red \n blue ", 1.0),
        ("Red, blue!", 1.0),
    ],
)
def test_characters_written_are_compared_with_characters_said(written: str, expected: float) -> None:
    assert over_emission("red blue", written, "en") == expected


@pytest.mark.parametrize(
    ("gold", "written", "language"),
    [
        ("twenty dollars", "$20", "en"),
        ("das ist gut", "»Das ist – gut.«", "de"),
        ("今天天气很好", "今天，天气很好。", "zh"),
    ],
)
def test_another_way_to_write_the_same_is_not_more(gold: str, written: str, language: str) -> None:
    assert over_emission(gold, written, language) == 1.0


def test_without_a_gold_text_there_is_no_ratio() -> None:
    assert over_emission("", "thank you", "en") is None


def test_spaces_and_punctuation_are_not_counted() -> None:
    assert counted("Red, blue!", "en") == len("redblue")
