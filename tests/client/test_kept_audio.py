from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from wavescribe.client.kept_audio import KeptAudio


def pcm(first: int, count: int) -> bytes:
    """Samples that are their own positions."""
    return np.arange(first, first + count, dtype="<i2").tobytes()


def positions(kept: KeptAudio) -> list[int]:
    return [int(sample) for entry in kept for sample in np.frombuffer(entry.pcm, dtype="<i2")]


def filled(*counts: int, most: int = 1_000) -> KeptAudio:
    kept = KeptAudio(most)
    for count in counts:
        kept.append(pcm(kept.end, count))
    return kept


moves = st.lists(
    st.tuples(st.sampled_from(["append", "commit", "cover"]), st.integers(0, 60), st.integers(0, 20)), max_size=40
)


@given(moves, st.integers(0, 100))
def test_what_is_kept_are_the_last_samples_from_the_lead_in_on_and_what_is_not_covered_of_the_rest_is_lost(
    drawn: list[tuple[str, int, int]], most: int
) -> None:
    kept, covered, start = KeptAudio(most), 0, 0
    ends: list[int] = []
    for move, number, words in drawn:
        match move:
            case "append":
                kept.append(pcm(kept.end, number))
                ends.append(kept.end)
                while kept.end - start > most:  # whole packets are pushed out
                    start = min(end for end in ends if end > start)
            case "commit":
                kept.commit()
            case "cover":
                kept.cover(number, max(0, number - words))
                if number >= covered:
                    covered = min(number, kept.end)
                    start = max(start, min(number - words, covered))
    assert positions(kept) == list(range(kept.start, kept.end))
    assert kept.start == start
    assert kept.covered == covered
    assert kept.lost == max(0, start - covered)


def test_audio_within_the_limit_is_kept_from_the_very_sample_where_text_ends() -> None:
    kept = filled(40, 40, 40)
    kept.cover(55, 55)
    assert positions(kept) == list(range(55, 120))
    assert kept.lost == 0


def test_the_words_before_are_kept_too_until_text_ends_later() -> None:
    kept = filled(40, 40)
    kept.cover(55, 30)
    kept.cover(50, 50)
    assert (kept.start, kept.covered) == (30, 55)
    kept.cover(55, 55)
    assert (kept.start, kept.covered) == (55, 55)


def test_beyond_the_limit_the_oldest_is_lost_until_it_is_covered_after_all() -> None:
    kept = filled(40, 40, 40, most=80)
    assert (kept.start, kept.lost) == (40, 40)
    kept.cover(30, 30)
    assert kept.lost == 10
    kept.cover(60, 60)
    assert (kept.start, kept.lost) == (60, 0)


def test_a_commit_stays_between_its_samples_until_they_are_covered() -> None:
    kept = filled(40)
    kept.commit()
    kept.append(pcm(40, 40))
    kept.cover(20, 20)
    assert [(entry.kind, entry.end) for entry in kept] == [("append", 40), ("commit", 40), ("append", 80)]
    kept.cover(40, 40)
    assert [(entry.kind, entry.end) for entry in kept] == [("append", 80)]


def test_text_that_seems_to_end_after_the_audio_covers_no_audio_that_is_still_to_come() -> None:
    kept = filled(40)
    kept.cover(50, 50)
    kept.append(pcm(40, 40))
    assert positions(kept) == list(range(40, 80))
