from __future__ import annotations

import pytest

from wavescribe.bench.metrics.final_latency import Utterance
from wavescribe.bench.metrics.first_text import first_texts
from wavescribe.bench.metrics.timeline import Emission

FIRST, SECOND = Utterance(("one", "two"), 2.0, 1.0), Utterance(("three",), 5.0, 4.5)


@pytest.mark.parametrize(
    ("emissions", "shown", "expected"),
    [
        # A draft before the settled text; the second turn shows nothing before it settles.
        ([("one two", 2.5, "a"), ("three", 5.5, "b")], {"a": 1.4, "b": 5.5}, (0.4, 1.0)),
        # One turn for both: the first utterance counts.
        ([("one two three", 6.0, "a")], {"a": 3.0}, (2.0,)),
        # Missing words: the turn is known by those that came.
        ([("two", 2.5, "a")], {"a": 2.5}, (1.5,)),
        # Wrong words: nothing tells that the text is of this speech.
        ([("xyz", 2.5, "a")], {"a": 2.5}, ()),
        # A doubled word does not matter, nor does a late rest.
        ([("one", 1.5, "a"), (" one", 2.0, "a"), (" two", 9.0, "a")], {"a": 1.5}, (0.5,)),
        ([], {}, ()),
    ],
)
def test_the_first_text_of_a_turn_counts_from_the_start_of_its_speech(
    emissions: list[tuple[str, float, str]], shown: dict[str, float], expected: tuple[float, ...]
) -> None:
    found = first_texts([FIRST, SECOND], [Emission(*emission) for emission in emissions], shown)
    assert found == pytest.approx(expected)
