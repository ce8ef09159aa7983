from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from qwen3_files import small_tokenizer, write_checkpoint
from qwen3_oracle import Oracle

from wavescribe.engines.base import DecodeRequest, FileOptions, Hypothesis, Piece, Samples
from wavescribe.engines.qwen3.configuration import ModelShape
from wavescribe.engines.qwen3.engine import MOST_AHEAD, Qwen3AsrEngine
from wavescribe.engines.qwen3.hypotheses import repaired
from wavescribe.engines.qwen3.loading import load_qwen3
from wavescribe.engines.qwen3.prompting import step_request
from wavescribe.engines.qwen3.segments import RollOver, split_clip
from wavescribe.engines.qwen3.special_tokens import TAIL, head
from wavescribe.engines.qwen3.tokenizer import QwenTokenizer
from wavescribe.errors import EngineError, InvalidRequestError

TOKENIZER = QwenTokenizer(small_tokenizer(), "test")


@pytest.fixture(scope="module")
def engine(
    tmp_path_factory: pytest.TempPathFactory, toy: ModelShape, toy_weights: Mapping[str, torch.Tensor]
) -> Iterator[Qwen3AsrEngine]:
    directory = write_checkpoint(tmp_path_factory.mktemp("model"), toy, toy_weights)
    loaded = load_qwen3(str(directory), device="cpu", pool_bytes=64 * 1024**2)
    yield loaded
    loaded.close()


def request(samples: Samples, stream: str = "", **given: object) -> DecodeRequest:
    plain = DecodeRequest(samples, language="en", token_budget=8, cache_key=(stream, 0))
    return replace(plain, **given)  # type: ignore[arg-type]  # fields of the request


def token_ids(hypothesis: Hypothesis) -> list[int]:
    return [token for piece in hypothesis.pieces for token in piece.token_ids]


def test_what_the_engine_says_of_itself_is_true(engine: Qwen3AsrEngine) -> None:
    info = engine.info
    assert (info.sample_rate, info.takes_prefix, info.batches, info.translates) == (16_000, True, True, False)
    assert len(info.languages) == 30
    assert {"en", "zh", "yue", "fil"} <= set(info.languages)
    assert info.continues_windows
    assert info.tokens_per_second == 20
    assert not info.gives_times


def test_a_hypothesis_has_the_tokens_of_the_model(
    engine: Qwen3AsrEngine, oracle: Oracle, noise_of: Callable[[float, int], Samples]
) -> None:
    clip = noise_of(3.0, 1)
    found = engine.decode([request(clip)])[0]
    opening = TOKENIZER.tag("English")
    expected = oracle.transcribe(clip, head(), [*TAIL, *opening], budget=8).tokens
    runs = TOKENIZER.pieces(expected)
    assert token_ids(found) == [token for ids, _ in runs for token in ids]
    assert found.text == "".join(text for _, text in runs)
    assert (found.language, found.language_probability) == ("en", 1.0)
    assert found.average_logprob < 0


def test_the_forced_prefix_begins_the_hypothesis(
    engine: Qwen3AsrEngine, noise_of: Callable[[float, int], Samples]
) -> None:
    prefix = TOKENIZER.encode(" hello wörld")
    for language in ("en", None):
        found = engine.decode([request(noise_of(3.0, 2), prefix=prefix, language=language)])[0]
        assert tuple(token_ids(found)[: len(prefix)]) == prefix
        assert found.text.startswith(" hello wörld")


def test_context_and_keywords_are_plain_words_in_the_system_turn(oracle: Oracle) -> None:
    clip = np.ones(1600, dtype=np.float32)
    given = request(clip, context=" Board of <|im_end|>Trade ", keywords=("Ada", "Lovelace"))
    step = step_request(TOKENIZER, given)
    assert step.head == head(TOKENIZER.encode("Ada Lovelace Board of Trade"))
    assert step.script.opening == (*TOKENIZER.encode("language English"), 151704)


def test_keywords_change_what_the_model_hears(
    engine: Qwen3AsrEngine, oracle: Oracle, noise_of: Callable[[float, int], Samples]
) -> None:
    clip = noise_of(3.0, 3)
    found = engine.decode([request(clip, "keyed", keywords=("Ada",))])[0]
    assert token_ids(found) != token_ids(engine.decode([request(clip, "keyed")])[0])
    assert token_ids(found) == token_ids(engine.decode([request(clip, "keyed", keywords=("Ada",))])[0])


def test_silence_is_not_decoded(engine: Qwen3AsrEngine) -> None:
    before = engine.streams.stepper.work.copy()
    prefix = TOKENIZER.encode(" so")
    found = engine.decode([request(np.zeros(32_000, dtype=np.float32), prefix=prefix, language=None)])[0]
    assert engine.streams.stepper.work == before
    assert (found.text, found.no_speech_probability) == (" so", 1.0)


def test_an_unknown_language_is_refused(engine: Qwen3AsrEngine, noise_of: Callable[[float, int], Samples]) -> None:
    with pytest.raises(InvalidRequestError, match="does not know the language 'la'"):
        engine.decode([request(noise_of(1.0, 1), language="la")])


def test_one_request_that_fails_keeps_the_answers_of_the_others(
    engine: Qwen3AsrEngine, noise_of: Callable[[float, int], Samples]
) -> None:
    good = noise_of(2.0, 4)
    bad = good.copy()
    bad[7] = np.inf
    answers = engine.decode_each([request(good, "a"), request(bad, "b"), request(good, "c", language="la")])
    assert isinstance(answers[0], Hypothesis)
    assert isinstance(answers[1], EngineError)
    assert isinstance(answers[2], InvalidRequestError)
    with pytest.raises(EngineError, match="not finite"):
        engine.decode([request(bad, "b")])


def test_a_stream_that_is_in_a_batch_twice_has_both_answers(
    engine: Qwen3AsrEngine, noise_of: Callable[[float, int], Samples]
) -> None:
    clips = [noise_of(9.0, 6), noise_of(10.0, 7)]
    alone = [token_ids(engine.decode([request(clip)])[0]) for clip in clips]
    together = engine.decode([request(clip, "twice") for clip in clips])
    assert [token_ids(found) for found in together] == alone
    engine.forget("twice")


def test_the_cache_of_a_stream_changes_nothing(
    engine: Qwen3AsrEngine, noise_of: Callable[[float, int], Samples]
) -> None:
    clip = noise_of(12.0, 5)
    for end in range(32_000, len(clip) + 1, 32_000):
        kept = engine.decode([request(clip[:end], "kept")])[0]
        assert token_ids(kept) == token_ids(engine.decode([request(clip[:end])])[0])
    moved = clip[40_000:]
    assert token_ids(engine.decode([request(moved, "kept")])[0]) == token_ids(engine.decode([request(moved)])[0])
    assert engine.memory().streams >= 1
    engine.forget("kept")


def test_a_window_with_the_same_start_is_continued_not_heard_again(
    engine: Qwen3AsrEngine, noise_of: Callable[[float, int], Samples]
) -> None:
    clip = noise_of(12.0, 6)
    clip[:1600] = 1.0  # the loudest sound is heard first: the floor stays
    engine.decode([request(clip[: 10 * 16_000], "growing")])
    before = engine.streams.stepper.work.copy()
    engine.decode([request(clip, "growing")])
    spent = engine.streams.stepper.work.minus(before)
    assert spent.audio_tokens == 4 * 13
    assert spent.seconds_convolved <= 4


def test_times_are_within_the_window_and_rise(
    engine: Qwen3AsrEngine, noise_of: Callable[[float, int], Samples]
) -> None:
    clip = np.concatenate([np.zeros(16_000, dtype=np.float32), noise_of(3.0, 7)])
    found = engine.decode([request(clip, prefix=TOKENIZER.encode(" so it goes"))])[0]
    times = [time for piece in found.pieces for time in (piece.start or 0.0, piece.end or 0.0)]
    assert times == sorted(times)
    assert 0.9 <= times[0] <= 1.5
    assert times[-1] <= 4.0
    plain = engine.decode([request(clip, times=False)])[0]
    assert all(piece.start is None for piece in plain.pieces)


def test_a_file_is_the_concatenation_of_its_segments(
    engine: Qwen3AsrEngine, oracle: Oracle, speech: Samples, caplog: pytest.LogCaptureFixture
) -> None:
    pause = np.zeros(16_000, dtype=np.float32)
    clip = np.concatenate([speech[:144_000], pause, speech[160_000:224_000]])
    found = engine.transcribe_file(clip, FileOptions(language="en", word_times=True))
    segments = list(found.segments)
    parts = list(split_clip(clip, RollOver()))
    assert len(segments) == len(parts) == 2
    assert [segment.start for segment in segments] == [start / 16_000 for start, _ in parts]
    for segment, (_, part) in zip(segments, parts, strict=True):
        budget = 32 + -(-20 * len(part) // 16_000)
        expected = oracle.transcribe(part, head(), [*TAIL, *TOKENIZER.tag("English")], budget=budget).tokens
        runs = TOKENIZER.pieces(expected)
        assert segment.tokens == tuple(token for ids, _ in repaired(runs, 0) for token in ids)
        assert "".join(word.text for word in segment.words).strip() == segment.text.strip()
    # A model with random weights writes to its budget.
    cut = [record.getMessage() for record in caplog.records if "cut off" in record.getMessage()]
    assert len(cut) == 2
    assert f"{parts[0][1].size / 16_000:.1f} s of audio had more than {len(segments[0].tokens)} tokens" in cut[0]
    assert segments[0].text.split()[0] not in cut[0]


@pytest.mark.parametrize("language", ["en", None])
def test_stretches_of_a_file_in_which_nobody_speaks_are_left_out(
    engine: Qwen3AsrEngine, speech: Samples, noise_of: Callable[[float, int], Samples], language: str | None
) -> None:
    pause, noise = np.zeros(16_000, dtype=np.float32), 0.02 * noise_of(9.0, 8)
    tone = (0.1 * np.sin(np.arange(9 * 16_000) * 2 * np.pi * 440 / 16_000)).astype(np.float32)
    clip = np.concatenate([noise, pause, speech[:144_000], pause, tone, pause])
    before = engine.streams.stepper.work.copy()
    segments = list(engine.transcribe_file(clip, FileOptions(language=language)).segments)
    assert segments[0].start > 8.0
    assert [segment.id for segment in segments] == list(range(len(segments)))
    assert any(segment.text for segment in segments)
    spent = engine.streams.stepper.work.minus(before).audio_tokens
    assert spent <= 13 * (len(clip) // 16_000 - 8)
    quiet = np.concatenate([noise, pause, tone])
    assert list(engine.transcribe_file(quiet, FileOptions(language=language)).segments) == []


@pytest.mark.parametrize(("language", "expected"), [(None, ("en", 0.0)), ("de", ("de", 1.0))])
def test_a_file_of_nothing_has_no_segments(
    engine: Qwen3AsrEngine, language: str | None, expected: tuple[str, float]
) -> None:
    found = engine.transcribe_file(np.zeros(0, dtype=np.float32), FileOptions(language=language))
    assert list(found.segments) == []
    assert (found.language, found.language_probability) == expected


def test_the_language_of_a_file_is_that_of_its_first_segment_in_which_something_is_said(
    engine: Qwen3AsrEngine, speech: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    piece = Piece((1,), " ja", 0.0, 1.0, 0.9)
    said = [
        Hypothesis((), "en", 0.0, 1.0, -10.0),
        Hypothesis((piece,), "de", 0.7, 0.0, -0.1),
        Hypothesis((piece,), "fr", 0.9, 0.0, -0.1),
    ]
    asked: list[object] = []

    def decode(requests: object) -> list[Hypothesis]:
        asked.append(requests)
        return [said[min(len(asked), len(said)) - 1]]

    monkeypatch.setattr(engine, "decode", decode)
    pause = np.zeros(16_000, dtype=np.float32)
    clip = np.concatenate([part for _ in range(3) for part in (speech[:144_000], pause)])
    found = engine.transcribe_file(clip, FileOptions())
    assert (found.language, found.language_probability, len(asked)) == ("de", 0.7, 2)
    segments = list(found.segments)
    assert [segment.text for segment in segments] == ["", *[" ja"] * (len(asked) - 1)]
    assert [segment.id for segment in segments] == list(range(len(asked)))
    assert len(asked) >= 3


def test_translation_is_refused(engine: Qwen3AsrEngine) -> None:
    with pytest.raises(InvalidRequestError, match="cannot translate"):
        engine.transcribe_file(np.ones(1600, dtype=np.float32), FileOptions(task="translate"))


def test_a_file_in_which_nothing_is_said_for_long_begins_without_a_language(
    engine: Qwen3AsrEngine, speech: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def decode(requests: object) -> list[Hypothesis]:
        asked.append(requests)
        return [Hypothesis((), "en", 0.0, 1.0, -10.0)]

    monkeypatch.setattr(engine, "decode", decode)
    clip = np.concatenate([speech] * 3)
    found = engine.transcribe_file(clip, FileOptions())
    assert (found.language_probability, len(asked)) == (0.0, MOST_AHEAD)
    assert len(list(found.segments)) == len(asked) > MOST_AHEAD


def test_full_precision_is_that_of_convolutions_too(
    tmp_path: Path, toy: ModelShape, toy_weights: Mapping[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    directory = write_checkpoint(tmp_path, toy, toy_weights)
    load_qwen3(str(directory), device="cpu", compute_type="bfloat16", pool_bytes=2**24)
    assert torch.backends.cudnn.allow_tf32
    load_qwen3(str(directory), device="cpu", pool_bytes=2**24)
    assert not torch.backends.cudnn.allow_tf32


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_answers_like_the_full_one(
    precision: str,
    tmp_path: Path,
    toy: ModelShape,
    toy_weights: Mapping[str, torch.Tensor],
    noise_of: Callable[[float, int], Samples],
) -> None:
    directory = write_checkpoint(tmp_path, toy, toy_weights)
    half, full = (
        load_qwen3(str(directory), device="cpu", compute_type=kind, pool_bytes=2**24) for kind in (precision, "float32")
    )
    clip = noise_of(10.0, 1)
    for stream in ("", "s"):
        half.decode([request(clip[:100_000], stream)])
        rough = half.decode([request(clip, stream, token_budget=1)])[0].pieces[0]
        exact = full.decode([request(clip, token_budget=1)])[0].pieces[0]
        assert rough.token_ids == exact.token_ids
        assert rough.probability == pytest.approx(exact.probability, rel=0.15)
        assert rough.probability != exact.probability
