from __future__ import annotations

import re
from typing import Any

import pytest

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


async def test_cues_are_short_enough_to_read_and_hold_every_word_in_order(run: Any) -> None:
    text = " ".join(f"word{number}" for number in range(100))
    cues = await run("subtitles", "m.cues(given)", [turn(text, word_seconds=0.3)])
    assert " ".join(cue["text"] for cue in cues) == text
    assert all(cue["end"] - cue["start"] <= 6 and len(cue["text"]) <= 84 for cue in cues)
    assert all(one["end"] <= other["start"] for one, other in zip(cues, cues[1:], strict=False))
    srt = await run("subtitles", "m.srt(given)", [turn(text, word_seconds=0.1)])
    assert max(len(line) for line in srt.splitlines()) <= 60


async def test_markup_in_speech_is_text_in_vtt(run: Any) -> None:
    assert "1 &lt; 2 &amp; 3" in await run("subtitles", "m.vtt(given)", [turn("1 < 2 & 3")])


async def test_words_without_times_stand_between_those_that_have_some(run: Any) -> None:
    words = [{"text": "One", "start": 1, "end": 2}, {"text": " …", "start": None, "end": None}]
    [cue] = await run("subtitles", "m.cues(given)", [{"start": 1, "end": 4, "words": words}])
    assert cue == {"start": 1, "end": 4, "text": "One …"}


async def test_json_and_text_hold_the_turns(run: Any) -> None:
    turns = [turn("Hello there."), turn("And again.", start=4)]
    assert await run("exports", "m.plainText(given)", turns) == "Hello there.\nAnd again.\n"
    body = await run("exports", "JSON.parse(m.FORMATS.json.render(given, { model: 'base' }))", turns)
    assert (body["model"], body["languages"], body["text"]) == ("base", ["en"], "Hello there.\nAnd again.")
    assert body["turns"][1]["start"] == 4
    assert body["turns"][1]["words"][0] == {"word": "And", "start": 4, "end": 4.5}
