from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wavescribe.engines.base import Piece
from wavescribe.streaming.units import Unit, comparison_key, continues_word, split_units, with_leading_punctuation

RATE = 16_000
FAR = 10**9


def pieces(*texts: str) -> list[Piece]:
    return [Piece((number,), text, None, None, 1.0) for number, text in enumerate(texts)]


def texts(*given_texts: str) -> list[str]:
    return [unit.text for unit in split_units(pieces(*given_texts), 0, FAR, RATE)]


def timed(*bounds: tuple[float | None, float | None], window_start: int = 0, window_end: int = FAR) -> list[Unit]:
    heard = [Piece((7,), " word", start, end, 1.0) for start, end in bounds]
    return split_units(heard, window_start, window_end, RATE)


@pytest.mark.parametrize(
    ("given_texts", "expected"),
    [
        ((" Hello", " world"), [" Hello", " world"]),
        ((" wor", "ld", "ly"), [" worldly"]),
        (("Hello", " world"), ["Hello", " world"]),
        ((" ", "hello"), [" hello"]),
        ((" twenty", "-", "five"), [" twenty-five"]),
        ((" don", "'", "t"), [" don't"]),
        ((" 3", ".", "5", " metres"), [" 3.5", " metres"]),
        ((" हिन", "्", "दी", " भाषा"), [" हिन्दी", " भाषा"]),
    ],
)
def test_white_space_sets_words_off(given_texts: tuple[str, ...], expected: list[str]) -> None:
    assert texts(*given_texts) == expected


@pytest.mark.parametrize(
    "characters",
    ["你好世界", "こんにちは", "カタカナー", "ｶﾀｶﾅ", "東京々", "ภาษา", "ລາວ", "ខមរ", "𠀀𠀁"],
    ids=["Chinese", "Hiragana", "Katakana", "half-width", "iteration mark", "Thai", "Lao", "Khmer", "extension B"],
)
def test_each_character_of_a_script_without_spaces_is_a_unit(characters: str) -> None:
    assert texts(*characters) == list(characters)


def test_a_thai_vowel_sign_stays_with_its_consonant() -> None:
    assert texts("ท", "ี", "่", "น", "ี", "่") == ["ที่", "นี่"]


def test_characters_that_share_a_token_are_one_unit() -> None:
    assert texts("你好", "世", "界") == ["你好", "世", "界"]


def test_the_byte_tokens_of_a_character_share_its_unit() -> None:
    heard = [Piece((11, 12, 13), "鿫", 0.0, 0.5, 0.9), Piece((14,), "好", 0.5, 1.0, 0.8)]
    assert [unit.token_ids for unit in split_units(heard, 0, FAR, RATE)] == [(11, 12, 13), (14,)]


def test_a_unit_has_the_tokens_of_all_its_pieces_in_order() -> None:
    heard = [Piece((5, 6), " wor", None, None, 1.0), Piece((7,), "ld", None, None, 1.0)]
    assert [unit.token_ids for unit in split_units(heard, 0, FAR, RATE)] == [(5, 6, 7)]


@pytest.mark.parametrize(
    ("given_texts", "expected"),
    [
        (("我", "用", "Py", "thon", "写", "代", "码"), ["我", "用", "Python", "写", "代", "码"]),
        (("我", " use", " Python", " 写"), ["我", " use", " Python", " 写"]),
        (("第", "1", "2", "章"), ["第", "12", "章"]),
        ((" iPhone", "を", "買", "う"), [" iPhone", "を", "買", "う"]),
    ],
)
def test_mixed_text_is_split_where_the_scripts_meet(given_texts: tuple[str, ...], expected: list[str]) -> None:
    assert texts(*given_texts) == expected


@pytest.mark.parametrize(
    ("given_texts", "expected"),
    [
        ((" Hello", ",", " world", "!"), [" Hello,", " world!"]),
        ((" (", "hello", ")"), [" (hello)"]),
        (("你", "好", "，", "世", "界", "。"), ["你", "好，", "世", "界。"]),
        (("は", "い", "」", "。"), ["は", "い」。"]),
        ((" 100", "%", " sure"), [" 100%", " sure"]),
    ],
)
def test_punctuation_belongs_to_the_unit_before_it(given_texts: tuple[str, ...], expected: list[str]) -> None:
    assert texts(*given_texts) == expected


def test_latin_text_after_the_punctuation_of_a_character_is_a_unit_of_its_own() -> None:
    assert texts("你", "好", "。", "Hello", " world") == ["你", "好。", "Hello", " world"]


@pytest.mark.parametrize("text", ["Hello", "3"])
def test_text_after_the_punctuation_of_a_settled_character_is_no_fragment(text: str) -> None:
    assert not continues_word("好。", text)


@given(st.lists(st.text(alphabet=" ab,.!-'1你好，。、「はカーกี่한é\u0301", max_size=4), max_size=20))
def test_units_join_to_the_text_and_the_tokens_of_the_hypothesis(given_texts: list[str]) -> None:
    heard = pieces(*given_texts)
    units = split_units(heard, 0, FAR, RATE)
    assert "".join(unit.text for unit in units) == "".join(given_texts)
    assert [token for unit in units for token in unit.token_ids] == list(range(len(heard)))


def test_no_pieces_are_no_units() -> None:
    assert split_units([], 0, FAR, RATE) == []


def test_times_become_positions_on_the_streams_timeline() -> None:
    units = timed((0.5, 1.0), (1.0, 1.25), window_start=32_000)
    assert [(unit.start, unit.end) for unit in units] == [(40_000, 48_000), (48_000, 52_000)]


def test_a_unit_lasts_from_its_first_piece_to_its_last() -> None:
    heard = [Piece((1,), " wor", 0.25, 0.5, 1.0), Piece((2,), "ld", 0.5, 0.75, 1.0)]
    assert [(unit.start, unit.end) for unit in split_units(heard, 0, FAR, RATE)] == [(4_000, 12_000)]


def test_times_beyond_the_window_are_clipped_to_its_end() -> None:
    units = timed((0.5, 9.0), (9.0, 10.0), window_start=16_000, window_end=32_000)
    assert [(unit.start, unit.end) for unit in units] == [(24_000, 32_000), (32_000, 32_000)]


def test_unknown_times_are_the_window() -> None:
    units = timed((None, None), window_start=16_000, window_end=32_000)
    assert [(unit.start, unit.end) for unit in units] == [(16_000, 32_000)]


def test_a_unit_never_ends_before_it_starts() -> None:
    assert [(unit.start, unit.end) for unit in timed((1.0, 0.5))] == [(16_000, 16_000)]


def test_the_probability_is_the_mean_over_the_pieces() -> None:
    heard = [Piece((1,), " wor", None, None, 0.5), Piece((2,), "ld", None, None, 1.0)]
    assert [unit.probability for unit in split_units(heard, 0, FAR, RATE)] == [0.75]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (" Hello", "hello"),
        (" world.", " world"),
        ("“Quoted”", "quoted"),
        ("ＡＢＣ", "abc"),
        ("ｶﾞ", "ガ"),
        ("Straße", "STRASSE"),
        ("好，", "好"),
        ("cafe\u0301", "CAF\u00c9"),
    ],
)
def test_case_width_and_edge_punctuation_do_not_count_in_comparison(one: str, other: str) -> None:
    assert comparison_key(one) == comparison_key(other)


@pytest.mark.parametrize(("one", "other"), [("don't", "dont"), ("3.5", "35"), ("a", "b"), (".", "?"), ("の", "ノ")])
def test_what_is_inside_a_unit_counts_in_comparison(one: str, other: str) -> None:
    assert comparison_key(one) != comparison_key(other)


def test_the_key_of_a_unit_is_that_of_its_text() -> None:
    assert Unit((1,), " World!", 0, 1, 1.0).key == "world"


@pytest.mark.parametrize(
    ("settled", "text", "expected"),
    [
        (" world", "ly", True),
        (" 1", "0", True),
        (" world", " news", False),
        (" world", ".", False),
        (" world", "", False),
        ("", "world", False),
        ("世", "界", False),
        ("世", "Hello", False),
        (" Hello", "世", False),
    ],
)
def test_only_letters_without_a_space_grow_a_word(settled: str, text: str, expected: bool) -> None:
    assert continues_word(settled, text) is expected


def unit(text: str, token: int = 1) -> Unit:
    return Unit((token,), text, 0, 100, 0.9)


def test_punctuation_at_the_start_is_joined_to_the_first_word() -> None:
    joined = with_leading_punctuation([unit(",", 1), unit(" have", 2), unit(" mercy", 3)])
    assert [(each.text, each.token_ids, each.key) for each in joined] == [
        (", have", (1, 2), "have"),
        (" mercy", (3,), "mercy"),
    ]


@pytest.mark.parametrize("texts", [[","], [" have", ","], ["'s", " here"], []])
def test_other_units_are_left_alone(texts: list[str]) -> None:
    units = [unit(text) for text in texts]
    assert with_leading_punctuation(units) == units
