from __future__ import annotations

import pytest

from wavescribe.api.models import ALIASES, ServedModels
from wavescribe.errors import ModelNotFoundError


@pytest.mark.parametrize("name", ["openai/whisper-tiny", *ALIASES, "gpt-4o-mini-transcribe-2025-12-15"])
def test_the_model_answers_to_its_name_and_to_those_stock_clients_write(name: str) -> None:
    described = ServedModels("openai/whisper-tiny").describe(name)
    assert described["id"] == name
    assert described["object"] == "model"
    assert isinstance(described["created"], int)


def test_no_model_named_means_the_default() -> None:
    ServedModels("whisper-base").check("")


@pytest.mark.parametrize("name", ["whisper-2", "gpt-4o", "whisper-base ", "gpt-4o-transcribe-x"])
def test_any_other_model_is_not_found(name: str) -> None:
    with pytest.raises(ModelNotFoundError, match=f"The model `{name}` does not exist") as caught:
        ServedModels("whisper-base").check(name)
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")


def test_only_the_model_itself_is_listed() -> None:
    listing = ServedModels("whisper-base").listing()
    assert listing["object"] == "list"
    assert [model["id"] for model in listing["data"]] == ["whisper-base"]
