from __future__ import annotations

import pytest

from wavescribe.streaming.agreement import agreed_length
from wavescribe.streaming.units import Unit


def units(text: str) -> list[Unit]:
    return [Unit((number,), f" {word}", number, number + 1, 1.0) for number, word in enumerate(text.split())]


@pytest.mark.parametrize(
    ("previous", "current", "expected"),
    [
        ("", "", 0),
        ("", "the cat", 0),
        ("the cat", "", 0),
        ("the cat sat", "the cat sat", 3),
        ("the cat", "the cat sat", 2),
        ("the cat sat", "the cat", 2),
        ("the cat sat", "the dog sat", 1),
        ("a cat sat", "the cat sat", 0),
        ("Hello, World.", "hello world", 2),
        ("one two", "one too two", 1),
    ],
)
def test_hypotheses_agree_up_to_their_first_difference(previous: str, current: str, expected: int) -> None:
    assert agreed_length(units(previous), units(current)) == expected


def test_agreement_is_about_the_text_and_not_about_times_or_tokens() -> None:
    assert agreed_length([Unit((1,), " cat", 0, 5, 0.1)], [Unit((2, 3), "Cat.", 9, 12, 0.9)]) == 1
