from __future__ import annotations

from dataclasses import replace

import pytest

from wavescribe.engines.base import Hypothesis, Piece
from wavescribe.streaming.language import LanguageChoice


def heard(language: str, probability: float = 0.9, text: str = " word") -> Hypothesis:
    pieces = (Piece((1,), text, 0.0, 1.0, 0.9),) if text else ()
    return Hypothesis(pieces, language, probability, 0.0, -0.1)


def test_a_given_language_is_used_whatever_is_heard() -> None:
    choice = LanguageChoice("fr")
    choice.observe(heard("en", 1.0), 10.0)
    assert (choice.chosen, choice.current) == ("fr", "fr")


def test_nothing_is_known_before_the_first_hypothesis() -> None:
    choice = LanguageChoice(None)
    assert (choice.chosen, choice.current) == (None, "")


@pytest.mark.parametrize(
    ("probability", "seconds", "chosen"),
    [
        (0.9, 1.0, "de"),
        (0.9, 0.9, None),
        (0.89, 2.0, None),
        (0.89, 4.9, None),
        (0.2, 5.0, "de"),
    ],
)
def test_detection_is_kept_when_sure_of_a_second_or_after_five(
    probability: float, seconds: float, chosen: str | None
) -> None:
    choice = LanguageChoice(None)
    choice.observe(heard("de", probability), seconds)
    assert choice.chosen == chosen


def test_a_language_that_was_kept_stays() -> None:
    choice = LanguageChoice(None)
    choice.observe(heard("de"), 3.0)
    choice.observe(heard("nl", 1.0), 8.0)
    assert (choice.chosen, choice.current) == ("de", "de")


def test_until_it_is_kept_the_language_is_that_of_the_last_hypothesis() -> None:
    choice = LanguageChoice(None)
    choice.observe(heard("de", 0.5), 1.0)
    choice.observe(heard("nl", 0.5), 1.5)
    assert (choice.chosen, choice.current) == (None, "nl")


def test_a_language_that_was_not_detected_is_never_kept_and_hides_none_that_was() -> None:
    choice = LanguageChoice(None)
    choice.observe(heard("en", 0.0), 9.0)
    assert (choice.chosen, choice.current) == (None, "en")
    choice.observe(heard("de", 0.5), 1.0)
    choice.observe(heard("en", 0.0), 9.0)
    assert (choice.chosen, choice.current) == (None, "de")


def test_a_window_without_text_says_nothing_about_the_language() -> None:
    choice = LanguageChoice(None)
    choice.observe(heard("de", 1.0, text=""), 8.0)
    assert choice.chosen is None


def test_what_heard_no_speech_says_nothing_about_the_language() -> None:
    choice = LanguageChoice(None)
    choice.observe(replace(heard("ko", 0.9), no_speech_probability=0.7, average_logprob=-1.3), 8.0)
    assert (choice.chosen, choice.current) == (None, "")
