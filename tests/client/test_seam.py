from __future__ import annotations

from wavescribe.client.events import Draft, Settled, SpeechStarted, SpeechStopped, TurnEnded, TurnEvent, TurnFailed
from wavescribe.client.seam import Seam
from wavescribe.engines.base import Word


def settled(turn: int, *words: tuple[str, float, float]) -> Settled:
    timed = tuple(Word(text, start, end, 1.0) for text, start, end in words)
    return Settled(turn, "".join(word.text for word in timed), timed)


def told(seam: Seam, *events: TurnEvent) -> list[TurnEvent]:
    return [told for event in events for told in seam.take(event)]


def test_words_whose_middle_is_before_the_seam_are_left_out_and_the_turn_begins_at_it() -> None:
    assert told(
        Seam(1.0),
        SpeechStarted(0, 0.1),
        Draft(0, " It was"),
        settled(0, (" It", 0.1, 0.4)),
        settled(0, (" was", 0.4, 1.1), (" the", 0.9, 1.2)),
        Draft(0, " best"),
        settled(0, (" best", 1.2, 1.5)),
        SpeechStopped(0, 2.0),
        TurnEnded(0, " It was the best", "en", 0.1, 2.0),
    ) == [
        SpeechStarted(0, 1.0),
        settled(0, (" the", 1.0, 1.2)),
        Draft(0, " best"),
        settled(0, (" best", 1.2, 1.5)),
        SpeechStopped(0, 2.0),
        TurnEnded(0, " the best", "en", 1.0, 2.0),
    ]


def test_once_a_word_was_told_no_later_one_is_left_out() -> None:
    events = told(Seam(1.0), settled(0, (" the", 0.9, 1.2), (" best", 0.7, 0.9)), settled(0, (" of", 0.8, 0.9)))
    assert [word.text for event in events if isinstance(event, Settled) for word in event.words] == [
        " the",
        " best",
        " of",
    ]


def test_a_turn_that_says_nothing_after_the_seam_was_never_there_and_the_next_has_its_number() -> None:
    later: list[TurnEvent] = [
        SpeechStarted(1, 2.5),
        settled(1, (" best", 2.6, 2.9)),
        TurnEnded(1, " best", "en", 2.5, 3.5),
    ]
    assert told(
        Seam(1.0),
        SpeechStarted(0, 0.1),
        SpeechStopped(0, 2.0),
        later[0],
        settled(0, (" It", 0.1, 0.4)),
        TurnEnded(0, " It", "en", 0.1, 2.0),
        *later[1:],
    ) == [SpeechStarted(0, 2.5), settled(0, (" best", 2.6, 2.9)), TurnEnded(0, " best", "en", 2.5, 3.5)]


def test_a_later_turn_is_told_of_after_the_words_of_the_one_at_the_seam() -> None:
    events = told(Seam(1.0), SpeechStarted(0, 0.1), SpeechStarted(1, 2.5), settled(0, (" It", 1.1, 1.4)))
    assert [event.turn for event in events] == [0, 1, 0]


def test_a_turn_that_the_client_ended_after_the_seam_ends_empty_where_it_says_nothing_more() -> None:
    seam = Seam(1.0)
    assert told(seam, settled(0, (" It", 0.1, 0.4)), TurnEnded(0, " It", "en", 0.0, 1.0)) == []
    assert told(seam, TurnEnded(1, "", "", 0.0, 2.0)) == [TurnEnded(0, "", "", 1.0, 2.0)]


def test_a_turn_that_failed_is_told_of_and_speech_after_the_seam_waits_for_nothing() -> None:
    assert told(Seam(1.0), SpeechStarted(0, 0.1), TurnFailed(0, "lost")) == [
        SpeechStarted(0, 1.0),
        TurnFailed(0, "lost"),
    ]
    assert told(Seam(1.0), SpeechStarted(0, 1.5)) == [SpeechStarted(0, 1.5)]


def test_without_a_lead_in_and_without_times_every_event_is_told() -> None:
    events: list[TurnEvent] = [
        SpeechStarted(0, 0.0),
        settled(0, (" It", -0.1, 0.0)),
        TurnEnded(0, " It", "en", 0.0, 1.0),
    ]
    assert told(Seam(0.0), *events) == events
    assert told(Seam(1.0), Settled(0, " It", ())) == [Settled(0, " It", ())]
