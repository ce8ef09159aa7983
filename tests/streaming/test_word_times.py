from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wavescribe.streaming.events import SettledWord
from wavescribe.streaming.units import Unit
from wavescribe.streaming.word_times import WordTimes

SECOND = 16_000


def unit(text: str, start: float, end: float) -> Unit:
    return Unit((1,), text, round(start * SECOND), round(end * SECOND), 0.5)


def test_words_that_follow_each_other_are_told_where_they_are() -> None:
    times = WordTimes()
    assert [times.told(unit(" so", 1.0, 1.5)), times.told(unit(" what", 1.25, 2.0))] == [
        SettledWord("so", 16_000, 24_000, 0.5),
        SettledWord("what", 20_000, 32_000, 0.5),
    ]


def test_a_word_after_one_that_was_told_too_long_does_not_end_before_it() -> None:
    times = WordTimes()
    times.told(unit(" so", 6.6, 7.756))
    told = times.told(unit(" what", 7.1, 7.396))
    assert (told.start, told.end) == (round(7.1 * SECOND), round(7.756 * SECOND))


@given(st.lists(st.tuples(st.floats(0, 60), st.floats(0, 60)).map(sorted)))
def test_neither_starts_nor_ends_go_back(places: list[list[float]]) -> None:
    times = WordTimes()
    words = [times.told(unit(" a", start, end)) for start, end in places]
    for ends in ([word.start for word in words], [word.end for word in words]):
        assert ends == sorted(ends)
    assert all(word.start <= word.end for word in words)
