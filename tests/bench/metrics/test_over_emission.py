from __future__ import annotations

import pytest

from wavescribe.bench.metrics.over_emission import over_emission


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("one two", 1.0),
        ("one too", 1.0),
        ("one two two", 11 / 7),
        ("one two one two one two", 23 / 7),
        ("one", 3 / 7),
        ("", 0.0),
        (" one \n two ", 1.0),
        ("One, two!", 9 / 7),
    ],
)
def test_characters_written_are_compared_with_characters_said(written: str, expected: float) -> None:
    assert over_emission("one two", written) == expected


def test_without_a_gold_text_there_is_no_ratio() -> None:
    assert over_emission("", "thank you") is None
