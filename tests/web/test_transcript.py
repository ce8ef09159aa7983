from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.browser

PREFIX = "conversation.item.input_audio_transcription"

TRANSCRIBED = """(() => {
  const transcript = new m.Transcript();
  given.forEach(([event, origin]) => transcript.apply(event, origin ?? 0));
  return { turns: transcript.turns, texts: transcript.turns.map(m.textOf), settled: transcript.settledSeconds };
})()"""


def started(item: str, milliseconds: int) -> dict[str, Any]:
    return {"type": "input_audio_buffer.speech_started", "item_id": item, "audio_start_ms": milliseconds}


def stopped(item: str, milliseconds: int) -> dict[str, Any]:
    return {"type": "input_audio_buffer.speech_stopped", "item_id": item, "audio_end_ms": milliseconds}


def delta(item: str, text: str, *words: tuple[str, float, float]) -> dict[str, Any]:
    timed = [{"word": word, "start": start, "end": end} for word, start, end in words]
    return {"type": f"{PREFIX}.delta", "item_id": item, "delta": text, "words": timed}


def draft(item: str, stash: str, **more: Any) -> dict[str, Any]:
    return {"type": f"{PREFIX}.text", "item_id": item, "text": "", "stash": stash, **more}


def completed(item: str, transcript: str) -> dict[str, Any]:
    return {
        "type": f"{PREFIX}.completed",
        "item_id": item,
        "transcript": transcript,
        "languages": [{"code": "en"}],
        "words": [],
    }


async def test_a_turn_has_its_times_its_words_and_its_language(run: Any) -> None:
    events = [
        started("a", 500),
        draft("a", "Hello word"),
        delta("a", "Hello,", ("Hello,", 0.6, 1.0)),
        delta("a", " world.", ("world.", 1.0, 1.4)),
        stopped("a", 2_000),
        completed("a", "Hello, world."),
    ]
    got = await run("transcript", TRANSCRIBED, [[event, 10] for event in events])
    [turn] = got["turns"]
    assert got["texts"] == ["Hello, world."]
    assert (turn["start"], turn["end"], turn["language"], turn["state"]) == (10.5, 12, "en", "done")
    assert turn["words"] == [
        {"text": "Hello,", "start": 10.6, "end": 11},
        {"text": " world.", "start": 11, "end": 11.4},
    ]


async def test_settled_text_leaves_the_draft_at_once_and_a_new_draft_replaces_the_old(run: Any) -> None:
    events = [[draft("a", "one two three", language="en")], [delta("a", "one two")]]
    [turn] = (await run("transcript", TRANSCRIBED, events))["turns"]
    assert turn["draft"] == " three"
    [turn] = (await run("transcript", TRANSCRIBED, [*events, [draft("a", " four")]]))["turns"]
    assert turn["draft"] == " four"
    [turn] = (await run("transcript", TRANSCRIBED, [[draft("a", "won too")], [delta("a", "one two")]]))["turns"]
    assert turn["draft"] == ""


async def test_every_character_of_a_delta_is_kept_also_where_words_do_not_match_it(run: Any) -> None:
    words = [
        {"word": "你", "start": 0, "end": 1},
        {"word": "nothing", "start": 1, "end": 2},
        {"word": "好", "start": 2, "end": 3},
    ]
    got = await run("transcript", "m.timedWords('«你好» …', given)", words)
    assert "".join(word["text"] for word in got) == "«你好» …"
    assert [word["start"] for word in got] == [0, 2, None]


async def test_a_turn_without_text_is_no_turn(run: Any) -> None:
    events = [[started("a", 0)], [draft("a", "hm")], [completed("a", "")]]
    assert (await run("transcript", TRANSCRIBED, events))["turns"] == []


async def test_text_is_settled_up_to_the_last_word_of_the_first_turn_that_is_not_through(run: Any) -> None:
    events = [
        [started("a", 0)],
        [delta("a", "One two", ("One", 0.1, 0.5), ("two", 0.5, 0.9))],
        [stopped("a", 5_000)],
        [started("b", 6_000)],
    ]
    assert (await run("transcript", TRANSCRIBED, events))["settled"] == 0.9
    through = [*events, [completed("a", "One two")]]
    assert (await run("transcript", TRANSCRIBED, through))["settled"] == 6


async def test_a_failed_turn_keeps_what_was_settled_and_says_so(run: Any) -> None:
    failed = {"type": f"{PREFIX}.failed", "item_id": "a", "error": {}}
    [turn] = (await run("transcript", TRANSCRIBED, [[delta("a", "One")], [draft("a", " two")], [failed]]))["turns"]
    assert (turn["state"], turn["draft"], len(turn["words"])) == ("failed", "", 1)


async def test_when_a_session_is_lost_its_drafts_go_and_its_settled_text_stays(run: Any) -> None:
    code = """(() => {
      const transcript = new m.Transcript();
      given.forEach((event) => transcript.apply(event));
      transcript.closeOpenTurns();
      return transcript.turns.map((turn) => [m.textOf(turn), turn.draft, turn.state]);
    })()"""
    events = [delta("a", "One"), draft("a", " two"), started("b", 3_000), draft("b", "three")]
    assert await run("transcript", code, events) == [["One", "", "done"]]
