from __future__ import annotations

import pytest

from wavescribe.engines.base import Hypothesis, Piece
from wavescribe.engines.qwen3.file_segments import file_segment


def heard(*texts: str) -> Hypothesis:
    pieces = tuple(Piece((place,), text, place * 0.5, place * 0.5 + 0.5, 0.8) for place, text in enumerate(texts))
    return Hypothesis(pieces, "zh", 1.0, 0.0, -0.2)


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        ((" good", " morn", "ing", "."), [" good", " morning."]),
        (("你", "好", "。", "谢谢"), ["你", "好。", "谢谢"]),
        (("東京", "は", " good", "夜"), ["東京", "は", " good", "夜"]),
    ],
)
def test_words_are_what_white_space_sets_off_and_else_characters(pieces: tuple[str, ...], words: list[str]) -> None:
    segment = file_segment(0, 10.0, 5.0, heard(*pieces), words=True)
    assert [word.text for word in segment.words] == words
    assert segment.words[0].start == 10.0
    assert segment.words[-1].end == 10.0 + len(pieces) * 0.5


def test_words_that_are_not_wanted_are_not_made() -> None:
    assert file_segment(0, 0.0, 5.0, heard(" good"), words=False).words == ()


@pytest.mark.parametrize(("piece", "text"), [("good", " good"), (" good", " good"), ("你好", "你好"), ("", "")])
def test_segments_are_set_off_by_a_space_where_the_script_has_them(piece: str, text: str) -> None:
    assert file_segment(0, 0.0, 5.0, heard(piece), words=False).text == text
