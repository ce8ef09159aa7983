"""Token ids to pieces: byte-level tokens that share a character stay together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from wavescribe.engines.unfinished_character import UnfinishedCharacter


def group_tokens(token_ids: Sequence[int], decode: Callable[[list[int]], str]) -> list[tuple[list[int], str]]:
    """Split token ids into the smallest groups that decode to whole characters.

    Byte-level BPE cuts characters of several bytes (most of Chinese, Japanese, Thai) across tokens; such tokens
    decode to U+FFFD alone. One that the model did not finish keeps its U+FFFD, for the text after it is good; at the
    end it is left out.

    Returns:
        Groups in order, each with its ids and its text.
    """
    groups: list[tuple[list[int], str]] = []
    pending: list[int] = []
    unfinished = UnfinishedCharacter()
    for token_id in token_ids:
        pending.append(token_id)
        text = decode(pending)
        if not unfinished.follows(text):
            groups.append((pending, text))
            pending, unfinished = [], UnfinishedCharacter()
    return groups
