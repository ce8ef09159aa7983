from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wavescribe.engines.base import Segment
from wavescribe.rendering.subtitles import Cue, cues, srt, timestamp, vtt


def segment(start: float, end: float, text: str) -> Segment:
    return Segment(0, 0, start, end, text, (), 0.0, -0.2, 1.0, 0.0)


def test_srt_numbers_cues_from_one_with_commas_before_the_milliseconds() -> None:
    made = cues([segment(0, 3.32, " The beach was"), segment(3.32, 5, " a popular spot.")], 6)
    assert srt(made) == (
        "1\n00:00:00,000 --> 00:00:03,320\nThe beach was\n\n2\n00:00:03,320 --> 00:00:05,000\na popular spot.\n\n"
    )


def test_vtt_starts_with_its_name_and_has_full_stops_before_the_milliseconds() -> None:
    made = cues([segment(0, 3.32, " The beach was")], 6)
    assert vtt(made) == "WEBVTT\n\n00:00:00.000 --> 00:00:03.320\nThe beach was\n\n"


def test_no_speech_gives_no_cues() -> None:
    assert srt([]) == ""
    assert vtt([]) == "WEBVTT\n\n"


@pytest.mark.parametrize(
    ("milliseconds", "written"), [(0, "00:00:00.000"), (3_723_004, "01:02:03.004"), (360_000_000, "100:00:00.000")]
)
def test_timestamps_carry_into_hours(milliseconds: int, written: str) -> None:
    assert timestamp(milliseconds, ".") == written


def test_rounding_to_milliseconds_carries_into_the_seconds() -> None:
    assert srt(cues([segment(0, 59.9996, "minute")], 60)).startswith("1\n00:00:00,000 --> 00:01:00,000\n")


def test_the_text_of_a_segment_without_room_joins_the_cue_before() -> None:
    assert cues([segment(0, 2, " One"), segment(1, 2, " two")], 2) == [Cue(0, 2000, "One two")]


def test_a_line_break_in_the_text_does_not_end_the_cue() -> None:
    assert srt(cues([segment(0, 1, " one\n\n2\ntwo ")], 1)) == "1\n00:00:00,000 --> 00:00:01,000\none 2 two\n\n"


def test_vtt_escapes_what_would_be_markup_and_srt_does_not() -> None:
    made = cues([segment(0, 1, "a < b & c --> d")], 1)
    assert "\na &lt; b &amp; c --&gt; d\n" in vtt(made)
    assert "\na < b & c -> d\n" in srt(made)


times = st.floats(0, 20)


@given(st.lists(st.tuples(times, times, st.sampled_from(["", " ", " word", " two words"])), max_size=12))
def test_cues_never_overlap_never_run_backwards_and_keep_every_word(drawn: list[tuple[float, float, str]]) -> None:
    made = cues([segment(start, end, text) for start, end, text in drawn], 15)
    assert all(0 <= cue.start < cue.end <= 15_000 and cue.text for cue in made)
    assert all(first.end <= second.start for first, second in pairwise(made))
    said = re.sub(r"\s+", " ", " ".join(text for _, _, text in drawn)).strip()
    assert " ".join(cue.text for cue in made) == said
