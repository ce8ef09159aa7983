from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from wavescribe.engines.base import DecodeRequest, FileOptions, Samples
from wavescribe.engines.whisper import WhisperEngine
from wavescribe.errors import InvalidRequestError

pytestmark = pytest.mark.model

Clip = Callable[[str], Samples]


def words(text: str) -> list[str]:
    return "".join(character for character in text.lower() if character.isalnum() or character == " ").split()


def test_a_window_is_heard(base: WhisperEngine, clip: Clip) -> None:
    (hypothesis,) = base.decode([DecodeRequest(clip("en/quick_brown_fox"), language="en")])
    assert words(hypothesis.text) == ["the", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog"]
    assert hypothesis.language == "en"
    assert hypothesis.no_speech_probability < 0.6
    assert hypothesis.average_logprob > -1
    assert not hypothesis.truncated


def test_answers_come_in_the_order_of_the_requests_and_equal_single_calls(base: WhisperEngine, clip: Clip) -> None:
    requests = [DecodeRequest(clip(name), language="en") for name in ("en/quick_brown_fox", "en/hello_world")]
    together = base.decode(requests)
    alone = [base.decode([request])[0] for request in requests]
    assert together == alone
    assert "fox" in together[0].text
    assert "fox" not in together[1].text


def test_the_forced_prefix_comes_first_and_the_text_goes_on_after_it(base: WhisperEngine, clip: Clip) -> None:
    samples = clip("en/quick_brown_fox")
    (free,) = base.decode([DecodeRequest(samples, language="en")])
    prefix = tuple(token for piece in free.pieces[:3] for token in piece.token_ids)
    (forced,) = base.decode([DecodeRequest(samples, language="en", prefix=prefix)])
    assert tuple(token for piece in forced.pieces[:3] for token in piece.token_ids) == prefix
    assert forced.text == free.text


def test_a_prefix_that_was_not_said_is_kept_all_the_same(base: WhisperEngine, clip: Clip) -> None:
    (other,) = base.decode([DecodeRequest(clip("en/hello_world"), language="en")])
    prefix = tuple(token for piece in other.pieces for token in piece.token_ids)
    (forced,) = base.decode([DecodeRequest(clip("en/quick_brown_fox"), language="en", prefix=prefix)])
    assert forced.text.startswith(other.text)


def test_word_times_rise_and_lie_within_the_window(base: WhisperEngine, clip: Clip) -> None:
    samples = clip("en/quick_brown_fox")
    (hypothesis,) = base.decode([DecodeRequest(samples, language="en")])
    times = [(piece.start, piece.end) for piece in hypothesis.pieces]
    assert all(start is not None and end is not None and start <= end for start, end in times)
    starts = [start for start, _ in times if start is not None]
    assert all(before <= after for before, after in pairwise(starts))
    assert starts[-1] > starts[0] + 1
    assert max(end for _, end in times if end is not None) <= len(samples) / 16_000 + 0.1


def test_times_are_left_out_when_they_are_not_wanted(base: WhisperEngine, clip: Clip) -> None:
    (hypothesis,) = base.decode([DecodeRequest(clip("en/hello_world"), language="en", times=False)])
    assert hypothesis.pieces
    assert all(piece.start is None and piece.end is None for piece in hypothesis.pieces)


def test_the_token_budget_ends_a_decode_and_says_so(base: WhisperEngine, clip: Clip) -> None:
    (hypothesis,) = base.decode([DecodeRequest(clip("en/quick_brown_fox"), language="en", token_budget=3)])
    assert sum(len(piece.token_ids) for piece in hypothesis.pieces) == 3
    assert hypothesis.truncated


@pytest.mark.parametrize(("name", "language"), [("en/counting", "en"), ("es/conteo", "es"), ("ja/kazoeru", "ja")])
def test_the_language_is_detected(base: WhisperEngine, clip: Clip, name: str, language: str) -> None:
    (hypothesis,) = base.decode([DecodeRequest(clip(name))])
    assert hypothesis.language == language
    assert 0 < hypothesis.language_probability < 1


def test_characters_of_several_tokens_stay_whole(base: WhisperEngine, clip: Clip) -> None:
    (hypothesis,) = base.decode([DecodeRequest(clip("zh/jishu"), language="zh")])
    assert "\N{REPLACEMENT CHARACTER}" not in hypothesis.text
    assert any(len(piece.token_ids) > 1 for piece in hypothesis.pieces) or len(hypothesis.text) >= 5


def test_silence_is_marked_as_no_speech(base: WhisperEngine) -> None:
    (hypothesis,) = base.decode([DecodeRequest(np.zeros(48_000, dtype=np.float32), language="en")])
    assert hypothesis.no_speech_probability > 0.6


def test_a_language_that_the_model_does_not_know_is_refused(tiny_english: WhisperEngine, clip: Clip) -> None:
    with pytest.raises(InvalidRequestError, match="'de'"):
        tiny_english.decode([DecodeRequest(clip("en/hello_world"), language="de")])


def test_a_language_of_larger_models_alone_is_refused_and_not_listed(base: WhisperEngine, clip: Clip) -> None:
    assert len(base.info.languages) == 99
    with pytest.raises(InvalidRequestError, match="'yue'"):
        base.decode([DecodeRequest(clip("en/hello_world"), language="yue")])


def test_the_english_model_needs_no_detection(tiny_english: WhisperEngine, clip: Clip) -> None:
    (hypothesis,) = tiny_english.decode([DecodeRequest(clip("en/quick_brown_fox"))])
    assert hypothesis.language == "en"
    assert "fox" in hypothesis.text
    assert tiny_english.info.languages == ("en",)
    assert not tiny_english.info.translates


def test_keywords_and_context_reach_the_model(base: WhisperEngine, clip: Clip) -> None:
    samples = clip("en/hello_world")
    (plain,) = base.decode([DecodeRequest(samples, language="en")])
    (told,) = base.decode([DecodeRequest(samples, language="en", context="HELLO, WORLD! HELLO, WORLD! HELLO, WORLD!")])
    assert told.text != plain.text
    assert words(told.text)[:2] == words(plain.text)[:2]


def test_a_file_becomes_segments_with_words(base: WhisperEngine, clip: Clip) -> None:
    samples = clip("en/counting")
    transcription = base.transcribe_file(samples, FileOptions(word_times=True))
    segments = list(transcription.segments)
    assert transcription.language == "en"
    assert transcription.duration == len(samples) / 16_000
    assert [segment.id for segment in segments] == list(range(len(segments)))
    assert sum(len(segment.words) for segment in segments) == 10


def test_a_silent_file_has_no_segments(base: WhisperEngine) -> None:
    transcription = base.transcribe_file(np.zeros(32_000, dtype=np.float32), FileOptions())
    assert list(transcription.segments) == []


def test_a_noisy_file_without_speech_has_no_segments(base: WhisperEngine) -> None:
    noise = np.random.default_rng(1).normal(0, 0.05, 48_000).astype(np.float32)
    assert list(base.transcribe_file(noise, FileOptions()).segments) == []


def test_translation_gives_english(base: WhisperEngine, clip: Clip) -> None:
    transcription = base.transcribe_file(clip("es/conteo"), FileOptions(task="translate"))
    text = " ".join(segment.text for segment in transcription.segments).lower()
    assert any(word in text for word in ("one", "1"))


def test_the_english_model_refuses_to_translate(tiny_english: WhisperEngine, clip: Clip) -> None:
    with pytest.raises(InvalidRequestError, match="cannot translate"):
        tiny_english.transcribe_file(clip("en/hello_world"), FileOptions(task="translate"))
