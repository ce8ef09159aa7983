from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wavescribe.audio.parts import PART_SECONDS, SEARCH_SECONDS, cut_into_parts
from wavescribe.engines.base import Samples

RATE = 100
LONGEST = round(PART_SECONDS * RATE)


def noise(seconds: float, seed: int = 0) -> Samples:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, round(seconds * RATE)).astype(np.float32)


@given(
    seconds=st.floats(0, 4 * PART_SECONDS),
    cuts=st.lists(st.floats(0, 1), max_size=6),
    silent=st.booleans(),
)
def test_the_parts_are_all_of_the_recording_and_none_is_too_long(
    seconds: float, cuts: list[float], silent: bool
) -> None:
    whole = noise(seconds) * (not silent)
    places = sorted(round(cut * len(whole)) for cut in cuts)
    found = list(cut_into_parts(np.split(whole, places), RATE))
    assert [part.start for part in found] == list(np.cumsum([0, *(len(part.samples) for part in found)])[:-1])
    assert np.array_equal(np.concatenate([np.zeros(0), *(part.samples for part in found)]), whole)
    assert all(0 < len(part.samples) <= LONGEST for part in found)
    assert all(len(part.samples) >= LONGEST - SEARCH_SECONDS * RATE for part in found[:-1])


@pytest.mark.parametrize("pause", [272.0, 285.0, 299.0])
def test_a_part_ends_in_the_pause(pause: float) -> None:
    whole = noise(400)
    whole[round((pause - 0.25) * RATE) : round((pause + 0.25) * RATE)] *= 0.01
    whole[round(100 * RATE) : round(110 * RATE)] = 0  # a longer one, too early
    first, second = cut_into_parts([whole], RATE)
    assert len(first.samples) / RATE == pytest.approx(pause, abs=0.15)
    assert second.start == len(first.samples)


def test_a_recording_of_the_longest_length_is_one_part() -> None:
    assert len(list(cut_into_parts([noise(PART_SECONDS)], RATE))) == 1
