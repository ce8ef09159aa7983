"""What a client presents: from headers and WebSocket subprotocols to a key, and what the server keeps of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

KEY_SUBPROTOCOL = "openai-insecure-api-key."
"""How browsers, which cannot set headers on a WebSocket, carry a key: as the rest of an offered subprotocol."""

REALTIME_SUBPROTOCOL = "realtime"

SCOPE_KEY = "wavescribe.credential"
"""Where the ASGI scope of a connection holds its credential."""


@dataclass(frozen=True, slots=True)
class Credential:
    """Who a connection belongs to.

    Attributes:
        kind: "key" for one of the server's keys, "secret" for a client secret, "none" when nothing was checked.
        key_id: a short name for limits and logs from which the key cannot be told; of a secret, the name of the key
            that minted it.
        session: the session configuration that a client secret is bound to, or None.
    """

    kind: Literal["none", "key", "secret"]
    key_id: str
    session: object | None = None

    @property
    def holder(self) -> str:
        """Whose sessions are counted together: the key's name, or "" where nobody is known."""
        return "" if self.kind == "none" else self.key_id


ANONYMOUS = Credential("none", "anonymous")
"""Whoever comes while authentication is off."""


def credential_of(scope: Mapping[str, Any]) -> Credential:
    """The credential of a connection; anonymous where none was checked.

    Args:
        scope: the connection's ASGI scope.
    """
    found = scope.get(SCOPE_KEY, ANONYMOUS)
    assert isinstance(found, Credential)
    return found


def key_id(key: str) -> str:
    """A short name for a key from which it cannot be told: eight hexadecimal digits."""
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def presented_key(headers: Mapping[str, str], subprotocols: Sequence[str] = ()) -> str | None:
    """The key that a client presents, or None.

    The first of: `Authorization: Bearer KEY`, `api-key: KEY`, the subprotocol `openai-insecure-api-key.KEY`. An empty
    one, or an Authorization of another scheme, is passed over.

    Args:
        headers: the request's headers by their names in lower case.
        subprotocols: the subprotocols that a WebSocket client offers, in any order.
    """
    scheme, _, token = headers.get("authorization", "").strip().partition(" ")
    candidates = [
        token if scheme.lower() == "bearer" else "",
        headers.get("api-key", ""),
        *(name.removeprefix(KEY_SUBPROTOCOL) for name in subprotocols if name.startswith(KEY_SUBPROTOCOL)),
    ]
    return next((key for candidate in candidates if (key := candidate.strip())), None)


def chosen_subprotocol(offered: Sequence[str]) -> str | None:
    """The subprotocol to answer: `realtime` where it is offered, else none; never the one with the key."""
    return REALTIME_SUBPROTOCOL if REALTIME_SUBPROTOCOL in offered else None
