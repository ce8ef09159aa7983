from __future__ import annotations

import re

import pytest

from wavescribe.api.authentication.client_secrets import ClientSecrets
from wavescribe.errors import OverloadedError


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000.75

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def minting(clock: Clock) -> ClientSecrets:
    return ClientSecrets(clock=clock, capacity=3)


def test_a_secret_is_found_with_what_it_was_bound_to_as_often_as_wanted(minting: ClientSecrets) -> None:
    session = object()
    value, secret = minting.mint(session, seconds=600, key_id="12345678")
    assert re.fullmatch(r"ek_[A-Za-z0-9_-]{43}", value)
    assert secret.expires_at == 1_600
    assert secret.session is session
    assert secret.key_id == "12345678"
    assert [minting.find(value) for _ in range(3)] == [secret] * 3


def test_secrets_are_all_different(minting: ClientSecrets) -> None:
    assert len({minting.mint(None, seconds=10, key_id="k")[0] for _ in range(3)}) == 3


@pytest.mark.parametrize("wrong", ["", "ek_", "ek_unknown", "né", "\udcff"])
def test_anything_else_is_not_found(wrong: str, minting: ClientSecrets) -> None:
    minting.mint(None, seconds=10, key_id="k")
    assert minting.find(wrong) is None


def test_part_of_a_secret_is_not_found(minting: ClientSecrets) -> None:
    value, _ = minting.mint(None, seconds=10, key_id="k")
    assert minting.find(value[:-1]) is None
    assert minting.find(value + "x") is None


def test_a_secret_is_found_until_it_expires_and_dropped_then(minting: ClientSecrets, clock: Clock) -> None:
    short, secret = minting.mint("short", seconds=10, key_id="k")
    long, _ = minting.mint("long", seconds=20, key_id="k")
    clock.now = secret.expires_at - 0.01
    assert minting.find(short) is secret
    clock.now = secret.expires_at
    assert minting.find(short) is None
    assert minting.find(long) is not None
    assert len(minting) == 1


def test_secrets_expire_by_their_time_not_by_their_age(minting: ClientSecrets, clock: Clock) -> None:
    long, _ = minting.mint("long", seconds=600, key_id="k")
    short, _ = minting.mint("short", seconds=10, key_id="k")
    clock.now += 11
    assert minting.find(long) is not None
    assert minting.find(short) is None


def test_at_the_limit_new_secrets_are_refused_and_the_old_ones_kept(minting: ClientSecrets, clock: Clock) -> None:
    values = [minting.mint(None, seconds=seconds, key_id="k")[0] for seconds in (600, 60, 300)]
    with pytest.raises(OverloadedError, match="3 client secrets are alive") as caught:
        minting.mint(None, seconds=10, key_id="k")
    assert caught.value.retry_after == 59
    assert all(minting.find(value) for value in values)
    clock.now += 60
    minting.mint(None, seconds=10, key_id="k")


def test_the_values_are_not_held(minting: ClientSecrets) -> None:
    value, secret = minting.mint(None, seconds=10, key_id="k")
    assert value not in repr(vars(minting))
    assert value not in repr(secret)


def test_the_place_of_a_secret_cannot_be_computed_from_its_value(clock: Clock) -> None:
    one, other = ClientSecrets(clock=clock), ClientSecrets(clock=clock)
    value, secret = one.mint(None, seconds=10, key_id="k")
    assert one._digest(value) != other._digest(value)
    assert other.find(value) is None
