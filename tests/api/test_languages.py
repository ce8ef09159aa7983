from __future__ import annotations

import pytest
from faster_whisper.tokenizer import _LANGUAGE_CODES

from wavescribe.errors import InvalidRequestError
from wavescribe.languages import CODES, NAMES, language_code, language_name


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("en", "en"),
        ("EN", "en"),
        ("en-US", "en"),
        ("pt_BR", "pt"),
        ("zh-Hans-CN", "zh"),
        ("english", "en"),
        (" German ", "de"),
        ("haitian creole", "ht"),
        ("mandarin", "zh"),
        ("yue", "yue"),
    ],
)
def test_a_language_is_read_as_code_tag_or_english_name(written: str, code: str) -> None:
    assert language_code(written) == code


@pytest.mark.parametrize("written", ["xx", "klingon", "e", "12", "-", "en;de", "auto"])
def test_what_is_no_language_is_refused_in_the_words_of_openai(written: str) -> None:
    with pytest.raises(InvalidRequestError, match="must be specified in ISO-639-1 format") as caught:
        language_code(written)
    assert (caught.value.code, caught.value.param) == ("invalid_language_format", "language")
    assert f"'{written}'" in str(caught.value)


def test_every_language_of_whisper_has_a_full_lower_case_name() -> None:
    for code in _LANGUAGE_CODES:
        name = language_name(code)
        assert len(name) > 2
        assert name == name.lower()
        assert "_" not in name


def test_names_and_codes_are_each_others_inverse() -> None:
    assert all(CODES[language_name(code)] == code for code in NAMES)
    assert (language_name("en"), language_name("es"), language_name("zh")) == ("english", "spanish", "chinese")
