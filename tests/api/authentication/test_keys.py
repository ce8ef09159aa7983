from __future__ import annotations

from collections.abc import Callable
from hmac import compare_digest
from pathlib import Path

import pytest

from wavescribe.api.authentication.keys import ApiKeys
from wavescribe.errors import ConfigurationError

KEYS = ("sk-first", "sk-second", "sk-third")


@pytest.fixture
def written(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(content: bytes) -> Path:
        file = tmp_path / "keys.txt"
        file.write_bytes(content)
        return file

    return write


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_known(key: str) -> None:
    assert ApiKeys(KEYS).know(key)


@pytest.mark.parametrize("wrong", ["", "sk-firs", "sk-first ", "SK-FIRST", "sk-firstsk-second", "né", "\udcff"])
def test_anything_else_is_not_known(wrong: str) -> None:
    assert not ApiKeys(KEYS).know(wrong)


@pytest.mark.parametrize("presented", [*KEYS, "sk-wrong"])
def test_every_key_is_compared_whichever_matches(presented: str, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []

    def counted(one: bytes, other: bytes) -> bool:
        compared.append(other)
        return compare_digest(one, other)

    monkeypatch.setattr("wavescribe.api.authentication.keys.compare_digest", counted)
    ApiKeys(KEYS).know(presented)
    assert len(set(compared)) == len(compared) == len(KEYS)


def test_keys_are_required_as_soon_as_there_is_one() -> None:
    assert not ApiKeys().required
    assert ApiKeys(["k"]).required


def test_without_keys_nothing_is_known() -> None:
    assert not ApiKeys().know("")


def test_a_key_file_adds_its_lines_to_the_given_keys(written: Callable[[bytes], Path]) -> None:
    file = written(b"\xef\xbb\xbf# the team's keys\n\n  sk-alice  \r\n\t\nsk-bob#1\n   # sk-carol\n")
    keys = ApiKeys.load(["sk-given"], file)
    assert [key for key in ("sk-given", "sk-alice", "sk-bob#1") if keys.know(key)] == [
        "sk-given",
        "sk-alice",
        "sk-bob#1",
    ]
    assert not any(keys.know(key) for key in ("", "# sk-carol", "sk-carol", "# the team's keys", "  sk-alice  "))


def test_without_a_file_the_given_keys_are_all() -> None:
    assert ApiKeys.load(["sk-given"], None).know("sk-given")
    assert not ApiKeys.load([], None).required


@pytest.mark.parametrize("content", [b"", b"\n\n", b"# sk-nothing\n"])
def test_a_key_file_without_keys_does_not_leave_the_server_open(
    content: bytes, written: Callable[[bytes], Path]
) -> None:
    with pytest.raises(ConfigurationError, match=r"keys\.txt has no key in it"):
        ApiKeys.load(["sk-given"], written(content))


def test_a_key_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot read the API key file .*absent\.txt: No such file"):
        ApiKeys.load([], tmp_path / "absent.txt")


def test_a_key_file_that_is_no_text_is_named_and_not_quoted(written: Callable[[bytes], Path]) -> None:
    with pytest.raises(ConfigurationError, match=r"keys\.txt: it is not UTF-8 text") as caught:
        ApiKeys.load([], written(b"sk-secret\xff"))
    assert caught.value.__suppress_context__
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("key", ["sk two", "sk-né", "sk\n", "\tsk"])
def test_a_key_that_no_header_can_carry_is_refused_by_its_place(key: str, written: Callable[[bytes], Path]) -> None:
    with pytest.raises(ConfigurationError, match="API key number 2 has spaces") as caught:
        ApiKeys(["sk-good", key])
    assert key not in str(caught.value)


def test_a_bad_line_of_a_key_file_is_refused_by_its_number(written: Callable[[bytes], Path]) -> None:
    with pytest.raises(ConfigurationError, match=r"API key in line 3 of .*keys\.txt has spaces") as caught:
        ApiKeys.load([], written(b"# keys\nsk-good\nsk two\n"))
    assert "sk two" not in str(caught.value)


def test_an_empty_key_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="API key number 1 is empty"):
        ApiKeys([""])


def test_the_keys_are_not_held() -> None:
    assert "sk-first" not in repr(vars(ApiKeys(KEYS)))
