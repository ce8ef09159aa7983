from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from wavescribe.api.realtime.items import Items
from wavescribe.api.realtime.session_configuration import (
    DRAFT,
    LOGPROBS,
    WORDS,
    SessionConfiguration,
    Transcription,
)
from wavescribe.api.realtime.transcription_events import LARGEST_EVENT, PREFIX, TranscriptionEvents
from wavescribe.streaming.events import Draft, Event, Settled, SettledWord, TurnEnded, TurnFailed

RATE = 16_000
PLAIN = SessionConfiguration.of_model("whisper-base")
OFF = replace(PLAIN, transcription=None)
EVERYTHING = replace(PLAIN, include=(LOGPROBS, WORDS, DRAFT))


class Texts:
    """The events of one session as parsed JSON."""

    def __init__(self) -> None:
        self.items = Items()
        self.events = TranscriptionEvents(self.items, RATE)

    def say(self, *events: Event, configuration: SessionConfiguration = PLAIN) -> list[dict[str, Any]]:
        frames = [frame for event in events for frame in self.events.render(event, configuration)]
        return [json.loads(frame.text, parse_constant=_refuse) for frame in frames]


def _refuse(constant: str) -> object:
    raise AssertionError(f"{constant} is not JSON")


def settled(turn: int, delta: str, start: float = 0.0, probability: float = 0.5, language: str = "en") -> Settled:
    word = SettledWord(delta.strip(), round(start * RATE), round((start + 1) * RATE), probability)
    return Settled(turn, delta, (word,), language, 0)


def ended(turn: int, transcript: str, seconds: float = 2.0, language: str = "en") -> TurnEnded:
    return TurnEnded(turn, transcript, language, 0, round(seconds * RATE))


def kinds(frames: list[dict[str, Any]]) -> list[str]:
    return [frame["type"].removeprefix(f"{PREFIX}.") for frame in frames]


def test_a_turn_is_its_deltas_and_what_they_join_to() -> None:
    texts = Texts()
    frames = texts.say(settled(0, "Hello"), settled(0, " you"), ended(0, "Hello you", 1.2344))
    assert kinds(frames) == ["delta", "delta", "completed"]
    assert [frame.get("delta") for frame in frames] == ["Hello", " you", None]
    item_id = frames[0]["item_id"]
    assert all(frame["item_id"] == item_id and frame["content_index"] == 0 for frame in frames)
    completed = frames[-1]
    assert (completed["transcript"], completed["languages"]) == ("Hello you", [{"code": "en"}])
    assert completed["usage"] == {"type": "duration", "seconds": 1.234}


def test_silence_completes_with_an_empty_transcript_and_no_language() -> None:
    [completed] = Texts().say(ended(0, "", language=""))
    assert (completed["transcript"], completed["usage"]["type"]) == ("", "duration")
    assert "languages" not in completed


def test_what_was_not_asked_for_is_not_there() -> None:
    frames = Texts().say(settled(0, "a"), Draft(0, " b", 0), ended(0, "a"))
    assert kinds(frames) == ["delta", "completed"]
    assert not {"logprobs", "words", "stash", "text"} & {key for frame in frames for key in frame}


def test_a_failed_turn_fails_and_says_nothing_of_what_is_inside() -> None:
    texts = Texts()
    failed = texts.say(settled(0, "a"), TurnFailed(0, "Traceback: secret", 0, RATE))[-1]
    message = f"Input transcription failed for item '{failed['item_id']}'."
    assert failed["error"] == {"type": "server_error", "code": "inference_failed", "message": message}
    after = texts.say(settled(1, "b"), ended(1, "b"), configuration=EVERYTHING)
    assert [word["word"] for word in after[-1]["words"]] == ["b"]


# Additions.


def test_words_and_logprobs_come_with_each_delta_and_all_of_them_at_the_end() -> None:
    frames = Texts().say(settled(0, "é", 1), settled(0, " b", 2, 1.0), ended(0, "é b"), configuration=EVERYTHING)
    first = {"word": "é", "start": 1.0, "end": 2.0, "probability": 0.5}
    second = {"word": "b", "start": 2.0, "end": 3.0, "probability": 1.0}
    assert [frame["words"] for frame in frames] == [[first], [second], [first, second]]
    assert frames[0]["logprobs"] == [{"token": "é", "logprob": round(math.log(0.5), 4), "bytes": [195, 169]}]
    assert frames[-1]["logprobs"] == frames[0]["logprobs"] + frames[1]["logprobs"]


@pytest.mark.parametrize("probability", [0.0, math.nan, -1.0])
def test_a_probability_without_a_logarithm_is_a_very_small_one(probability: float) -> None:
    [delta] = Texts().say(settled(0, "a", probability=probability), configuration=EVERYTHING)
    assert delta["logprobs"][0]["logprob"] < -20
    assert delta["words"][0]["probability"] == 0


def test_a_word_with_half_a_surrogate_pair_can_be_sent() -> None:
    [delta] = Texts().say(settled(0, "\ud83d"), configuration=EVERYTHING)
    assert delta["logprobs"][0]["bytes"] == [63]


@pytest.mark.parametrize(("include", "key", "other"), [(LOGPROBS, "logprobs", "words"), (WORDS, "words", "logprobs")])
def test_one_addition_comes_without_the_other(include: str, key: str, other: str) -> None:
    frames = Texts().say(settled(0, "a"), ended(0, "a"), configuration=replace(PLAIN, include=(include,)))
    assert all(key in frame and other not in frame for frame in frames)


def test_word_times_count_audio_that_the_core_never_had() -> None:
    texts = Texts()
    texts.events.offset_seconds = 2.5
    [delta] = texts.say(settled(0, "a", 1), configuration=EVERYTHING)
    assert (delta["words"][0]["start"], delta["words"][0]["end"]) == (3.5, 4.5)


def test_a_very_long_turn_completes_in_an_event_that_clients_take() -> None:
    texts, count = Texts(), 12_000
    for _ in range(count):
        texts.events.render(settled(0, " word"), EVERYTHING)
    [frame] = texts.events.render(ended(0, " word" * count), EVERYTHING)
    completed = json.loads(frame.text)
    assert len(frame.text) <= LARGEST_EVENT
    assert completed["transcript"] == " word" * count
    assert "words" not in completed


# Drafts.


def test_a_draft_shows_what_has_settled_and_what_has_not() -> None:
    frames = Texts().say(settled(0, "Hello"), Draft(0, " you", 0), Draft(0, "", 0), configuration=EVERYTHING)
    assert kinds(frames) == ["delta", "text", "text"]
    assert [(draft["text"], draft["stash"]) for draft in frames[1:]] == [("Hello", " you"), ("Hello", "")]
    assert all(draft["item_id"] == frames[0]["item_id"] and draft["content_index"] == 0 for draft in frames[1:])


@pytest.mark.parametrize(("wanted", "shown"), [(None, None), ("de-AT", "de"), ("", None)])
def test_a_draft_before_any_settled_text_has_a_language_only_when_one_is_known(
    wanted: str | None, shown: str | None
) -> None:
    configuration = replace(EVERYTHING, transcription=Transcription("whisper-base", wanted))
    [draft] = Texts().say(Draft(0, "Hallo", 0), configuration=configuration)
    assert draft.get("language") == shown
    assert ("language" in draft) == (shown is not None)


def test_a_draft_has_the_language_that_was_detected() -> None:
    frames = Texts().say(settled(0, "Ja", language="de"), Draft(0, " gut", 0), configuration=EVERYTHING)
    assert frames[-1]["language"] == "de"


def test_a_draft_of_the_next_turn_begins_without_the_text_of_the_last() -> None:
    texts = Texts()
    frames = texts.say(settled(0, "a"), ended(0, "a"), Draft(1, "b", 0), configuration=EVERYTHING)
    assert (frames[-1]["text"], frames[-1]["stash"]) == ("", "b")


# Cleared turns.


def test_nothing_of_a_cleared_turn_is_left_in_the_next_one() -> None:
    texts = Texts()
    texts.say(settled(0, "gone"), configuration=EVERYTHING)
    texts.events.clear(0)
    frames = texts.say(Draft(1, "b", 0), settled(1, "b"), ended(1, "b"), configuration=EVERYTHING)
    assert frames[0]["text"] == ""
    assert [frame.get("delta") for frame in frames[1:]] == ["b", None]
    assert [word["word"] for word in frames[-1]["words"]] == ["b"]


def test_a_turn_that_the_client_knows_to_be_cleared_is_not_spoken_of() -> None:
    texts = Texts()
    texts.events.silence(0)
    assert texts.say(settled(0, "gone"), Draft(0, " too", 0), configuration=EVERYTHING) == []
    texts.events.clear(0)
    assert kinds(texts.say(settled(1, "b"), ended(1, "b"))) == ["delta", "completed"]
    assert not texts.events._silenced


# Changes of the configuration.


def test_without_transcription_nothing_is_said() -> None:
    texts = Texts()
    item = texts.items.of_turn(0)
    assert texts.say(settled(0, "a"), Draft(0, "b", 0), ended(0, "a"), configuration=OFF) == []
    assert item.content == [{"type": "input_audio", "transcript": "a"}]
    assert texts.say(TurnFailed(1, "x", 0, 1), configuration=OFF) == []


def test_a_committed_turn_completes_as_it_was_committed() -> None:
    texts = Texts()
    texts.events.commit(0, PLAIN)
    texts.events.commit(1, OFF)
    assert kinds(texts.say(settled(0, "a"), ended(0, "a"), configuration=OFF)) == ["delta", "completed"]
    assert texts.say(settled(1, "b"), ended(1, "b"), configuration=PLAIN) == []
    assert texts.say(ended(2, ""), configuration=OFF) == []
    texts.events.commit(3, PLAIN)
    assert kinds(texts.say(TurnFailed(3, "x", 0, 1), configuration=OFF)) == ["failed"]
    assert not texts.events._configurations


def test_text_that_settled_while_transcription_was_off_comes_with_the_next_delta() -> None:
    texts = Texts()
    texts.say(settled(0, "a"), configuration=OFF)
    frames = texts.say(settled(0, " b"), ended(0, "a b"), configuration=EVERYTHING)
    assert [frame.get("delta") for frame in frames] == ["a b", None]
    assert [word["word"] for word in frames[0]["words"]] == ["a", "b"]


def test_text_that_settled_while_transcription_was_off_comes_at_the_latest_before_the_end() -> None:
    texts = Texts()
    texts.say(settled(0, "a"), configuration=OFF)
    frames = texts.say(ended(0, "a"))
    assert kinds(frames) == ["delta", "completed"]
    assert frames[0]["delta"] == "a"


def test_turns_that_are_given_up_fail_once_and_in_order_and_those_that_are_through_do_not() -> None:
    texts = Texts()
    for turn in range(4):
        texts.events.commit(turn, OFF if turn == 2 else PLAIN)
    texts.say(ended(0, "Hello"))
    texts.say(settled(1, "Half"))
    wanted = [texts.items.of_turn(turn).id for turn in (1, 3)]
    failures = [json.loads(frame.text) for frame in texts.events.give_up()]
    assert kinds(failures) == ["failed", "failed"]
    assert [failure["item_id"] for failure in failures] == wanted
    assert failures[0]["error"] == {
        "type": "server_error",
        "code": "session_ended",
        "message": f"The session ended before item '{wanted[0]}' was transcribed.",
    }
    assert texts.events.give_up() == []
