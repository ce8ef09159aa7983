from __future__ import annotations

import hashlib
import itertools

import pytest
from starlette.datastructures import Headers

from wavescribe.api.authentication.credentials import (
    ANONYMOUS,
    SCOPE_KEY,
    Credential,
    chosen_subprotocol,
    credential_of,
    key_id,
    presented_key,
)

OFFERED = ("realtime", "openai-insecure-api-key.sk-test", "openai-agents-sdk.1")


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({"authorization": "Bearer sk-test"}, "sk-test"),
        ({"Authorization": "bearer   sk-test "}, "sk-test"),
        ({"api-key": "sk-test"}, "sk-test"),
        ({"Api-Key": " sk-test "}, "sk-test"),
        ({"authorization": "Bearer sk-bearer", "api-key": "sk-azure"}, "sk-bearer"),
        ({"authorization": "Basic dXNlcjpw", "api-key": "sk-azure"}, "sk-azure"),
        ({"authorization": "Bearer ", "api-key": "sk-azure"}, "sk-azure"),
        ({"authorization": "Bearer"}, None),
        ({"authorization": "sk-test"}, None),
        ({"authorization": "Basic dXNlcjpw"}, None),
        ({"api-key": ""}, None),
        ({}, None),
    ],
)
def test_the_key_is_found_in_headers(headers: dict[str, str], key: str | None) -> None:
    assert presented_key(Headers(headers)) == key


@pytest.mark.parametrize("offered", list(itertools.permutations(OFFERED)))
def test_the_key_is_found_in_subprotocols_in_any_order_and_realtime_is_answered(offered: tuple[str, ...]) -> None:
    assert presented_key(Headers(), offered) == "sk-test"
    assert chosen_subprotocol(offered) == "realtime"


def test_a_header_goes_before_a_subprotocol() -> None:
    assert presented_key(Headers({"authorization": "Bearer sk-header"}), OFFERED) == "sk-header"


@pytest.mark.parametrize("offered", [(), ("openai-insecure-api-key.",), ("realtime", "openai-beta.realtime-v1")])
def test_subprotocols_without_a_key_present_none(offered: tuple[str, ...]) -> None:
    assert presented_key(Headers(), offered) is None


@pytest.mark.parametrize("offered", [(), OFFERED[1:], ("Realtime",), ("openai-beta.realtime-v1",)])
def test_no_subprotocol_is_answered_where_realtime_is_not_offered(offered: tuple[str, ...]) -> None:
    assert chosen_subprotocol(offered) is None


def test_the_name_of_a_key_is_short_and_of_its_hash() -> None:
    assert key_id("sk-test") == hashlib.sha256(b"sk-test").hexdigest()[:8]
    assert len(key_id("\udcff")) == 8  # bytes that are no text arrive as surrogates


def test_a_connection_without_a_credential_is_anonymous() -> None:
    credential = Credential("key", "12345678")
    assert credential_of({}) == ANONYMOUS
    assert credential_of({SCOPE_KEY: credential}) is credential
