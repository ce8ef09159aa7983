from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from wavescribe.audio.decoding import decode_audio
from wavescribe.bench.metrics.word_errors import error_rate, normalise
from wavescribe.demo import TEXT
from wavescribe.engines.base import DecodeRequest, Hypothesis, Piece, Samples
from wavescribe.engines.whisper import WhisperEngine
from wavescribe.engines.whisper.long_window import MARGIN_SECONDS, decode_in_blocks

RATE = 10


def blocks_of(answers: Sequence[Sequence[tuple[str, float]]]) -> Callable[[DecodeRequest], Hypothesis]:
    """A model with scripted answers: words and the seconds where they end in the block."""
    remaining = iter(answers)

    def decode(request: DecodeRequest) -> Hypothesis:
        REQUESTS.append(request)
        pieces = tuple(Piece((ord(text[0]),), text, end - 1, end, 0.9) for text, end in next(remaining))
        return Hypothesis(pieces, "de", 0.9, 0.1, -0.5, truncated=len(REQUESTS) == 1)

    return decode


REQUESTS: list[DecodeRequest] = []


@pytest.fixture(autouse=True)
def fresh_requests() -> None:
    REQUESTS.clear()


def window(seconds: float, prefix: tuple[int, ...] = ()) -> DecodeRequest:
    return DecodeRequest(np.arange(round(seconds * RATE), dtype=np.float32), prefix=prefix)


def test_each_block_starts_where_the_last_word_before_the_margin_ended() -> None:
    decode = blocks_of([[("a", 4.0), ("b", 10.0 - MARGIN_SECONDS), ("c", 9.5)], [("c", 1.0), ("d", 5.0)]])
    hypothesis = decode_in_blocks(decode, window(15), 10 * RATE, RATE)
    assert [(piece.text, piece.end) for piece in hypothesis.pieces] == [
        ("a", 4.0),
        ("b", 9.0),
        ("c", 10.0),
        ("d", 14.0),
    ]
    assert [request.samples[0] for request in REQUESTS] == [0, 90]
    assert [len(request.samples) for request in REQUESTS] == [100, 60]
    assert hypothesis.truncated


def test_a_block_without_words_is_passed_up_to_its_margin() -> None:
    decode = blocks_of([[], [("a", 2.0)]])
    hypothesis = decode_in_blocks(decode, window(15), 10 * RATE, RATE)
    assert [(piece.text, piece.end) for piece in hypothesis.pieces] == [("a", 11.0)]


def test_words_in_the_margin_of_a_block_without_others_are_heard_in_the_next() -> None:
    decode = blocks_of([[("a", 9.8)], [("a", 0.8)]])
    hypothesis = decode_in_blocks(decode, window(15), 10 * RATE, RATE)
    assert [(piece.text, round(piece.end or 0, 3)) for piece in hypothesis.pieces] == [("a", 9.8)]
    assert [request.samples[0] for request in REQUESTS] == [0, 90]


def test_words_that_the_decoder_puts_at_the_very_start_do_not_stop_the_blocks() -> None:
    decode = blocks_of([[("a", 0.0)], [("b", 2.0)]])
    assert [piece.text for piece in decode_in_blocks(decode, window(15), 10 * RATE, RATE).pieces] == ["b"]


def test_the_prefix_goes_on_in_the_next_block_where_it_was_left() -> None:
    decode = blocks_of([[("a", 4.0), ("b", 8.0), ("c", 9.9)], [("c", 1.0)]])
    decode_in_blocks(decode, window(15, prefix=(97, 98, 99)), 10 * RATE, RATE)
    assert [request.prefix for request in REQUESTS] == [(97, 98, 99), (99,)]


def test_the_language_of_the_first_block_is_that_of_the_others() -> None:
    decode = blocks_of([[("a", 8.0)], [("b", 1.0)]])
    decode_in_blocks(decode, window(15), 10 * RATE, RATE)
    assert [request.language for request in REQUESTS] == [None, "de"]


@pytest.fixture(scope="module")
def reading() -> Samples:
    package = importlib.util.find_spec("moonshine_voice")
    assert package is not None
    assert package.submodule_search_locations is not None
    path = Path(package.submodule_search_locations[0]) / "assets" / "two_cities.wav"
    return decode_audio(path, sample_rate=16_000, max_seconds=60)


@pytest.mark.model
def test_a_reading_longer_than_the_model_hears_is_heard_whole(base: WhisperEngine, reading: Samples) -> None:
    (hypothesis,) = base.decode([DecodeRequest(reading, language="en")])
    assert error_rate([(normalise(TEXT, "en"), normalise(hypothesis.text, "en"))]).rate < 0.1
    ends = [piece.end for piece in hypothesis.pieces if piece.end is not None]
    assert len(ends) == len(hypothesis.pieces)
    assert max(ends) > 40


@pytest.mark.model
def test_a_long_prefix_is_forced_over_the_blocks(base: WhisperEngine, reading: Samples) -> None:
    (free,) = base.decode([DecodeRequest(reading, language="en")])
    prefix = tuple(token for piece in free.pieces for token in piece.token_ids)[:-6]
    (forced,) = base.decode([DecodeRequest(reading, language="en", prefix=prefix)])
    assert tuple(token for piece in forced.pieces for token in piece.token_ids)[: len(prefix)] == prefix
    assert forced.text == free.text
