from __future__ import annotations

import itertools
import re
from typing import Any

import pysubs2
import pytest

from wavescribe.rendering.columns import columns

pytestmark = pytest.mark.browser


def turn(text: str, *, start: float = 0.0, word_seconds: float = 0.5) -> dict[str, Any]:
    """A turn that speaks a word every so many seconds."""
    spaced = re.findall(r"\s*\S+", text)
    words = [
        {"text": word, "start": start + index * word_seconds, "end": start + (index + 1) * word_seconds}
        for index, word in enumerate(spaced)
    ]
    return {"start": start, "end": words[-1]["end"], "words": words, "language": "en"}


async def test_srt_counts_from_one_with_commas_and_vtt_has_dots(run: Any) -> None:
    turns = [turn("Hello there."), turn("And again.", start=3_661.25)]
    assert await run("subtitles", "m.srt(given)", turns) == (
        "1\n00:00:00,000 --> 00:00:01,000\nHello there.\n\n2\n01:01:01,250 --> 01:01:02,250\nAnd again.\n"
    )
    assert await run("subtitles", "m.vtt(given)", turns) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nHello there.\n\n01:01:01.250 --> 01:01:02.250\nAnd again.\n"
    )


def checked(srt: str) -> list[pysubs2.SSAEvent]:
    """The cues as a parser of subtitles finds them: none empty, none before another's end."""
    found = list(pysubs2.SSAFile.from_string(srt, format_="srt"))
    assert all(cue.start < cue.end and cue.plaintext.strip() for cue in found)
    assert all(one.end <= other.start for one, other in itertools.pairwise(found))
    return found


@pytest.mark.parametrize("word_seconds", [0.1, 0.3, 1.0])
async def test_cues_are_short_enough_to_read_and_hold_every_word_in_order(run: Any, word_seconds: float) -> None:
    text = " ".join(f"word{number}" for number in range(100))
    cues = checked(await run("subtitles", "m.srt(given)", [turn(text, word_seconds=word_seconds)]))
    assert " ".join(cue.plaintext.replace("\n", " ") for cue in cues) == text
    assert max(cue.end - cue.start for cue in cues) <= 7000
    assert max(len(line) for cue in cues for line in cue.plaintext.splitlines()) <= 42
    assert max(len(cue.plaintext.splitlines()) for cue in cues) <= 2
    assert cues[-1].end == round(100_000 * word_seconds)


async def test_chinese_breaks_between_characters_and_no_line_begins_with_punctuation(run: Any) -> None:
    text = "甚至出现交易几乎停滞的情况，一二线城市虽然也处于调整中，但因为聚集了过多公共资源。" * 3
    words = [{"text": char, "start": 0.2 * at, "end": 0.2 * at + 0.2} for at, char in enumerate(text)]
    cues = checked(await run("subtitles", "m.srt(given)", [{"start": 0, "end": 30, "words": words}]))
    lines = [line for cue in cues for line in cue.plaintext.splitlines()]
    assert "".join(lines) == text
    assert max(map(columns, lines)) <= 42
    assert not any(line[0] in "，。" for line in lines)


async def test_a_long_stretch_without_times_is_spread_over_its_turn(run: Any) -> None:
    words = [{"text": "没有时间的一个很长的句子，" * 8, "start": None, "end": None}]
    cues = checked(await run("subtitles", "m.srt(given)", [{"start": 10, "end": 40, "words": words}]))
    assert len(cues) >= 5
    assert (cues[0].start, cues[-1].end) == (10_000, 40_000)


async def test_words_that_all_have_the_same_time_still_make_cues(run: Any) -> None:
    words = [{"text": f" word{number}", "start": 1, "end": 1} for number in range(30)]
    again = {"start": 1, "end": 1, "words": [{"text": "again", "start": 1, "end": 1}]}
    assert len(checked(await run("subtitles", "m.srt(given)", [{"start": 1, "end": 2, "words": words}, again]))) >= 2


async def test_an_arrow_in_speech_is_none_of_a_cues_times(run: Any) -> None:
    [cue] = checked(await run("subtitles", "m.srt(given)", [turn("a --> b")]))
    assert cue.plaintext == "a -> b"


async def test_markup_in_speech_is_text_in_vtt(run: Any) -> None:
    assert "1 &lt; 2 &amp; 3" in await run("subtitles", "m.vtt(given)", [turn("1 < 2 & 3")])


async def test_words_without_times_stand_between_those_that_have_some(run: Any) -> None:
    words = [{"text": "One", "start": 1, "end": 2}, {"text": " …", "start": None, "end": None}]
    [cue] = await run("subtitles", "m.cues(given)", [{"start": 1, "end": 4, "words": words}])
    assert cue == {"start": 1, "end": 4, "lines": ["One …"]}


async def test_json_and_text_hold_the_turns(run: Any) -> None:
    turns = [turn("Hello there."), turn("And again.", start=4)]
    assert await run("exports", "m.plainText(given)", turns) == "Hello there.\nAnd again.\n"
    body = await run("exports", "JSON.parse(m.FORMATS.json.render(given, { model: 'base' }))", turns)
    assert (body["model"], body["languages"], body["text"]) == ("base", ["en"], "Hello there.\nAnd again.")
    assert body["turns"][1]["start"] == 4
    assert body["turns"][1]["words"][0] == {"word": "And", "start": 4, "end": 4.5}
