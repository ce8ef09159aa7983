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


def test_characters_are_words_in_scripts_without_spaces() -> None:
    assert shown_words("你好 world") == ["你", "好", "world"]
    assert unstable_words(["你好时", "你好世界"]) == 1
