from __future__ import annotations

import pytest

from wavescribe.engines.word_groups import is_unspaced


@pytest.mark.parametrize(
    ("character", "expected"), [("a", False), ("한", False), ("न", False), ("。", False), ("字", True)]
)
def test_korean_and_devanagari_are_written_with_spaces(character: str, expected: bool) -> None:
    assert is_unspaced(character) is expected
