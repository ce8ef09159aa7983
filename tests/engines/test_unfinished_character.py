from __future__ import annotations

import pytest

from wavescribe.engines.unfinished_character import UnfinishedCharacter

KOREAN = "롤러블레이드".encode()


def followed(*tokens: bytes) -> list[bool]:
    """What is said after each token of a run."""
    run = UnfinishedCharacter()
    return [run.follows(b"".join(tokens[:end]).decode(errors="replace")) for end in range(1, len(tokens) + 1)]


@pytest.mark.parametrize(
    ("tokens", "open_after"),
    [
        ((b"a",), [False]),
        ((b"\xe4", b"\xbd", b"\xa0"), [True, True, False]),
        ((b"\xf0", b"\x9f", b"\x98", b"\x80"), [True, True, True, False]),
        ((b"\xe4", b"a"), [True, False]),
        ((b"\xe4", b"\xe4", b"\xe4", b"\xe4"), [True, True, True, False]),
        ((KOREAN[:1], *(KOREAN[first : first + 3] for first in range(1, len(KOREAN), 3))), [True] * 6 + [False]),
        ((b"\xa0\xf0", b"\x9f", b"\x98", b"\x80"), [True, True, True, False]),
    ],
    ids=[
        "whole",
        "three bytes",
        "four bytes",
        "broken",
        "never finished",
        "each token ends one and begins one",
        "emoji",
    ],
)
def test_a_run_is_open_while_its_last_character_may_be_finished(
    tokens: tuple[bytes, ...], open_after: list[bool]
) -> None:
    assert followed(*tokens) == open_after
