"""Whether the text of byte-level tokens ends inside a character."""

from __future__ import annotations

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

LONGEST_CHARACTER = 4
"""Bytes of the longest character in UTF-8: one that as many tokens have not finished is never finished."""


class UnfinishedCharacter:
    """Follows a run of tokens that grows by one at a time.

    A token may finish one character and begin the next, in Korean many times in a row: tokens are counted from the
    last character that was finished.
    """

    def __init__(self) -> None:
        self._finished = 0
        self._tokens = 0

    def follows(self, text: str) -> bool:
        """Whether the run ends in a character that the next tokens may finish.

        Args:
            text: of the run with its newest token; bytes of no character are U+FFFD in it.
        """
        before, self._finished = self._finished, len(text.rstrip(REPLACEMENT))
        self._tokens = 1 if self._finished > before else self._tokens + 1
        return text.endswith(REPLACEMENT) and self._tokens < LONGEST_CHARACTER
