from __future__ import annotations

import re
import unicodedata
from itertools import pairwise
from pathlib import Path

import pysubs2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wavescribe.engines.base import Word
from wavescribe.rendering.columns import columns
from wavescribe.rendering.subtitle_layout import MIN_GAP, SubtitleStyle, lay_out
from wavescribe.rendering.subtitles import Cue, srt, vtt

TEXTS = ["a", "best", "season,", "Darkness.", "superlative", "Why?", "日", "本語。", "naïve", "x" * 12, "<b>", "--"]


def spoken(text: str, *, start: float = 0.0, each: float = 0.3, pauses: dict[int, float] | None = None) -> list[Word]:
    """Words one after the other; a pause, in seconds, may follow the word of a number."""
    words: list[Word] = []
    for number, word in enumerate(text.split()):
        words.append(Word(f" {word}", start, start + each, 0.9))
        start += each + (pauses or {}).get(number, 0.0)
    return words


def lines(cues: list[Cue]) -> list[list[str]]:
    return [cue.text.split("\n") for cue in cues]


def without_space(text: str) -> str:
    return re.sub(r"\s+", "", text)


words_anywhere = st.lists(
    st.builds(
        lambda text, spaced, start, length: Word(" " * spaced + text, start, start + length, 0.5),
        st.sampled_from(TEXTS),
        st.booleans(),
        st.floats(-1, 40),
        st.floats(-0.5, 12),
    ),
    max_size=30,
)
styles = st.builds(SubtitleStyle, st.integers(12, 50), st.integers(1, 3), st.floats(5, 30))


@settings(deadline=None)
@given(words_anywhere, styles)
def test_whatever_the_times_all_words_stand_in_order_in_cues_that_never_overlap_within_the_audio(
    words: list[Word], style: SubtitleStyle
) -> None:
    cues = lay_out(words, latest=30.0, earliest=1.0, style=style)
    assert without_space("".join(cue.text for cue in cues)) == without_space("".join(word.text for word in words))
    assert all(1_000 <= cue.start < cue.end <= 30_000 for cue in cues)
    assert all(first.end <= second.start for first, second in pairwise(cues))
    assert all(len(cue.text.split("\n")) <= style.max_lines for cue in cues)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(TEXTS), st.floats(0.05, 0.8), st.sampled_from([0.0, 0.0, 0.4, 3.0])), max_size=30
    ),
    styles,
)
def test_words_of_speech_stand_on_lines_that_fit_with_two_frames_between_cues(
    drawn: list[tuple[str, float, float]], style: SubtitleStyle
) -> None:
    words, position = [], 0.0
    for text, length, pause in drawn:
        words.append(Word(f" {text}", position, position + length, 0.9))
        position += length + pause
    cues = lay_out(words, latest=position + 1, style=style)
    assert all(columns(line) <= style.max_line_length for cue in cues for line in cue.text.split("\n"))
    assert all(
        second.start - first.end >= MIN_GAP or second.start - first.start <= MIN_GAP for first, second in pairwise(cues)
    )
    assert all(cue.end - cue.start <= 7_000 for cue in cues)


@settings(deadline=None, max_examples=30)
@given(words_anywhere)
def test_a_parser_reads_back_every_cue_of_both_forms(words: list[Word]) -> None:
    cues = lay_out(words, latest=30.0)
    for text in (srt(cues), vtt(cues)):
        read = pysubs2.SSAFile.from_string(text, format_="vtt" if text.startswith("WEBVTT") else "srt")
        assert [(cue.start, cue.end) for cue in read] == [(cue.start, cue.end) for cue in cues]


def test_breaks_come_at_the_ends_of_sentences_before_anything_else() -> None:
    words = spoken("It was the best of times for most of us. It was the worst of times for all the others we knew.")
    assert [cue.text.replace("\n", " ") for cue in lay_out(words, latest=20)] == [
        "It was the best of times for most of us.",
        "It was the worst of times for all the others we knew.",
    ]


def test_a_pause_ends_a_cue_and_a_long_silence_is_never_stood_through() -> None:
    words = spoken("we were all going and then there was nothing", pauses={3: 2.5})
    assert [cue.text.replace("\n", " ") for cue in lay_out(words, latest=20)] == [
        "we were all going",
        "and then there was nothing",
    ]


def test_lines_are_about_equally_long_and_not_filled_from_the_top() -> None:
    words = spoken("so far like the present period that some of its noisiest")
    assert lines(lay_out(words, latest=20)) == [["so far like the present period", "that some of its noisiest"]]


def test_no_word_is_left_alone_where_it_belongs_to_a_sentence() -> None:
    words = spoken("one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen")
    cues = lay_out(words, latest=20)
    assert len(cues) == 2
    assert all(len(cue.text.split()) > 3 for cue in cues)


def test_a_cue_stands_into_the_silence_as_long_as_it_takes_to_read_it() -> None:
    words = spoken("That was said so very fast indeed.", each=0.08, pauses={6: 5.0})
    [cue] = lay_out(words, latest=10)
    assert cue.end - cue.start == pytest.approx(1000 * len(cue.text) / 17, abs=1)
    [slower] = lay_out(words, latest=10, style=SubtitleStyle(reading_speed=10))
    assert slower.end - slower.start == pytest.approx(1000 * len(cue.text) / 10, abs=1)


def test_a_cue_stands_for_five_sixths_of_a_second_at_least_and_not_beyond_the_audio() -> None:
    assert lay_out(spoken("Yes.", start=1.0), latest=10) == [Cue(1_000, 1_833, "Yes.")]
    assert lay_out(spoken("Yes.", start=1.0), latest=1.4) == [Cue(1_000, 1_400, "Yes.")]


def test_a_gap_of_less_than_half_a_second_is_closed_to_two_frames() -> None:
    text = "This is the first of two sentences here and it is long. This is the second of them and longer than it."
    words = spoken(text, each=0.35, pauses={11: 0.4})
    first, second = lay_out(words, latest=20)
    assert second.start - first.end == MIN_GAP


def test_words_without_a_space_before_them_stay_on_the_line_of_the_word_before() -> None:
    words = [Word(" twenty", 0, 0.3, 1), Word("-one", 0.3, 0.6, 1), Word(" years", 0.6, 0.9, 1)]
    [cue] = lay_out(words, latest=3, style=SubtitleStyle(max_line_length=10))
    assert cue.text == "twenty-one\nyears"


def test_chinese_is_broken_between_characters_but_never_before_its_punctuation() -> None:
    text = "我们都在走向天堂，我们都在走向另一条路。总之，那个时代与现在这个时代如此相像。"
    words = [Word(character, 0.2 * place, 0.2 * place + 0.2, 1) for place, character in enumerate(text)]
    cues = lay_out(words, latest=20, style=SubtitleStyle(max_line_length=20))
    assert "".join(cue.text for cue in cues).replace("\n", "") == text
    assert all(columns(line) <= 20 for cue in cues for line in cue.text.split("\n"))
    assert not any(line[0] in "，。" for cue in cues for line in cue.text.split("\n"))


@pytest.mark.parametrize("width", range(12, 22))
def test_thai_is_never_broken_before_a_vowel_or_tone_that_stands_on_a_letter(width: int) -> None:
    # As faster-whisper gives it: each mark is a word of its own.
    characters = "ที่นี่มีผู้หญิงที่นั่งอยู่ใกล้ประตู" * 4
    words = [Word(character, 0.1 * place, 0.1 * place + 0.1, 0.9) for place, character in enumerate(characters)]
    cues = lay_out(words, latest=60, style=SubtitleStyle(max_line_length=width))
    shown = [line for cue in cues for line in cue.text.split("\n")]
    assert len(shown) > 1
    assert "".join(shown) == characters
    assert all(unicodedata.category(line[0])[0] != "M" for line in shown)


def test_a_long_word_of_a_script_without_spaces_is_cut_up_and_one_with_letters_is_not() -> None:
    [cue] = lay_out([Word("天" * 15, 0, 3, 1)], latest=5, style=SubtitleStyle(max_line_length=20))
    assert [len(line) for line in cue.text.split("\n")] == [8, 7] or [len(line) for line in cue.text.split("\n")] == [
        7,
        8,
    ]
    [long] = lay_out([Word(" " + "x" * 30, 0, 3, 1)], latest=5, style=SubtitleStyle(max_line_length=20))
    assert long.text == "x" * 30


def test_full_width_characters_take_two_columns_and_combining_ones_none() -> None:
    assert [columns(text) for text in ("abc", "日本", "e\u0301", "")] == [3, 4, 1, 0]


def test_an_hour_is_laid_out_without_trouble(tmp_path: Path) -> None:
    words = spoken("It was the age of wisdom, it was the age of foolishness. " * 900)
    cues = lay_out(words, latest=words[-1].end)
    (tmp_path / "hour.srt").write_text(srt(cues))
    assert len(pysubs2.load(str(tmp_path / "hour.srt"))) == len(cues)
