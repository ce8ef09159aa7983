from __future__ import annotations

import pytest

from wavescribe.engines.whisper import WhisperEngine
from wavescribe.engines.whisper.alignment import token_boundaries
from wavescribe.engines.whisper.features import padded_length
from wavescribe.engines.whisper.pieces import group_tokens

TEXTS = [
    " 들려드리려고 합니다. 네덜란드에서 롤러블레이드를 탔어요.",
    " नमस्ते, आप कैसे हैं?",
    " ที่นี่มีผู้หญิงที่นั่งอยู่",
    "我们都在走向天堂，龘靐齉。",
    "お待たせいたしました。",
    " שלום, מה שלומך היום?",
    " გამარჯობა, როგორ ხარ?",
    " Ça va ? 😀👩‍👩‍👧 naïve",
]


def decode_bytes(ids: list[int]) -> str:
    return bytes(ids).decode("utf-8", errors="replace")


def test_tokens_that_share_a_character_stay_together() -> None:
    ids = list("a你b".encode())
    assert group_tokens(ids, decode_bytes) == [([97], "a"), (ids[1:4], "你"), ([98], "b")]


def test_an_unfinished_character_at_the_end_is_left_out() -> None:
    assert group_tokens(list("a你".encode())[:-1], decode_bytes) == [([97], "a")]


def test_a_character_that_the_model_did_not_finish_takes_nothing_after_it_with_it() -> None:
    ids = [*"你".encode(), 0xE4, *b"ab", *"好".encode()]
    found = group_tokens(ids, decode_bytes)
    assert "".join(text for _, text in found) == "你\ufffdab好"
    assert [token for group, _ in found for token in group] == ids
    assert len(group_tokens([0xE4, 0xE4, 0xE4, 0xE4, 97], decode_bytes)) == 2


def test_tokens_that_finish_one_character_and_begin_the_next_stay_together_however_many() -> None:
    text = "롤러블레이드"
    data = text.encode()
    # Each token but the first has the end of one character and the first byte of the next.
    table = [data[:1], *(data[first : first + 3] for first in range(1, len(data), 3))]
    assert [len(part) for part in table] == [1, 3, 3, 3, 3, 3, 2]
    found = group_tokens(range(len(table)), lambda ids: b"".join(table[i] for i in ids).decode(errors="replace"))
    assert found == [(list(range(len(table))), text)]


@pytest.mark.model
@pytest.mark.parametrize("text", TEXTS)
def test_groups_of_the_real_tokens_of_any_language_are_its_text(text: str, base: WhisperEngine) -> None:
    tokenizer = base.faster_whisper.hf_tokenizer
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    groups = group_tokens(ids, tokenizer.decode)
    assert "".join(part for _, part in groups) == text
    assert [token for group, _ in groups for token in group] == ids


def test_a_token_starts_where_the_path_first_reaches_it() -> None:
    path = [(0, 0), (0, 1), (0, 2), (1, 3), (1, 4), (2, 5), (2, 6)]
    assert token_boundaries(path, 2) == [0.0, 0.06, 0.1]


def test_a_path_that_ends_early_still_gives_a_time_for_every_token() -> None:
    assert token_boundaries([(0, 0), (1, 10)], 3) == [0.0, 0.2, 0.2, 0.2]


def test_the_encoder_input_is_the_window_plus_padding_not_thirty_seconds() -> None:
    assert padded_length(8 * 16_000) == round(9.5 * 16_000)


def test_short_windows_are_padded_to_the_floor_and_long_ones_stop_at_thirty_seconds() -> None:
    assert padded_length(16_000) == 5 * 16_000
    assert padded_length(40 * 16_000) == 30 * 16_000


def test_a_thorough_decode_gets_the_thirty_seconds_of_the_training() -> None:
    assert padded_length(16_000, thorough=True) == 30 * 16_000
