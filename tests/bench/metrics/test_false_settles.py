from __future__ import annotations

import pytest

from wavescribe.bench.metrics.false_settles import false_settles, settled_after_mismatch

GOLD = "one two three four"


@pytest.mark.parametrize(
    ("settled", "aligned", "after_mismatch"),
    [
        ("one two three four", (0, 4), (0, 4)),
        ("one too three four", (1, 4), (3, 4)),
        ("one two two three four", (1, 5), (3, 5)),
        ("one three four", (0, 3), (2, 3)),
        ("one two three four five", (1, 5), (1, 5)),
        ("", (0, 0), (0, 0)),
    ],
)
def test_wrong_and_added_words_are_false(
    settled: str, aligned: tuple[int, int], after_mismatch: tuple[int, int]
) -> None:
    assert false_settles(GOLD, settled) == aligned
    assert settled_after_mismatch(GOLD, settled) == after_mismatch


def test_every_word_is_false_where_nothing_was_said() -> None:
    assert false_settles("", "thank you") == (2, 2)
