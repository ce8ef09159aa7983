"""The keys that the server was started with."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path

from wavescribe.errors import ConfigurationError

_SENDABLE = re.compile(r"[!-~]+")
"""What every client can put into a header as it is: printable ASCII without spaces."""


class ApiKeys:
    """The keys that open the server; none means that authentication is off.

    Only digests of the keys are held.

    Args:
        keys: the keys.

    Raises:
        ConfigurationError: a key is empty or has characters that no header can carry; the message tells its place,
            never the key.
    """

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._digests = [_digest(_sendable(key, f"number {place}")) for place, key in enumerate(keys, start=1)]

    @classmethod
    def load(cls, keys: Iterable[str], file: Path | None) -> ApiKeys:
        """The given keys together with those of a key file.

        Args:
            keys: keys given one by one.
            file: a text file with one key a line, or None; blank lines and lines that start with # are skipped.

        Raises:
            ConfigurationError: a key cannot be used, or the file cannot be read or has no key in it (an empty file
                would leave the server open).
        """
        return cls([*keys, *(_keys_of(file) if file is not None else ())])

    @property
    def required(self) -> bool:
        """Whether authentication is on."""
        return bool(self._digests)

    def know(self, presented: str) -> bool:
        """Whether this is one of the keys, in a time that does not depend on which one or how much of it is right."""
        digest = _digest(presented)
        # All are compared before the answer: to stop at the match would tell its place by the time taken.
        matches = [compare_digest(digest, known) for known in self._digests]
        return any(matches)


def _digest(key: str) -> bytes:
    # A client may send anything: bytes that are no text arrive as surrogates.
    return sha256(key.encode("utf-8", "surrogatepass")).digest()


def _sendable(key: str, place: str) -> str:
    if not key:
        raise ConfigurationError(f"API key {place} is empty; leave it out to run without authentication")
    if not _SENDABLE.fullmatch(key):
        raise ConfigurationError(
            f"API key {place} has spaces, control characters or characters outside ASCII; headers cannot carry them"
        )
    return key


def _keys_of(file: Path) -> list[str]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        # The original error would show bytes of the file.
        raise ConfigurationError(f"cannot read the API key file {file}: {reason}") from None
    stripped = [(number, line.strip()) for number, line in enumerate(lines, start=1)]
    keys = [
        _sendable(line, f"in line {number} of {file}") for number, line in stripped if line and not line.startswith("#")
    ]
    if not keys:
        raise ConfigurationError(f"the API key file {file} has no key in it; write one key a line")
    return keys
