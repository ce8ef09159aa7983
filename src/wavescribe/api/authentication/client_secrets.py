"""Client secrets: short-lived keys that a server hands to a browser, bound to the configuration of a session."""

from __future__ import annotations

import heapq
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

from wavescribe.errors import OverloadedError

SECRET_PREFIX = "ek_"


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """What a client secret stands for; its value is known to its holder only.

    Attributes:
        expires_at: the Unix time in whole seconds from which it opens nothing any more.
        session: the configuration of the sessions that it opens.
        key_id: the name of the key that minted it (`credentials.key_id`).
    """

    expires_at: int
    session: object
    key_id: str


class ClientSecrets:
    """Mints client secrets and finds them again until they expire; each may be used several times.

    A look-up takes the same time whatever is presented: secrets are held by keyed digests that nobody outside can
    compute, so how fast one is not found tells nothing about those that exist.

    Used from the event loop's thread only.

    Args:
        clock: the Unix time in seconds.
        capacity: secrets alive at the same time. At the limit new ones are refused: those that were handed out keep
            what they promise.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time, capacity: int = 1_000) -> None:
        self._clock = clock
        self._capacity = capacity
        self._digest_key = secrets.token_bytes(32)
        self._alive: dict[bytes, ClientSecret] = {}
        self._expiries: list[tuple[int, bytes]] = []

    def __len__(self) -> int:
        """How many are alive."""
        self._drop_expired()
        return len(self._alive)

    def mint(self, session: object, *, seconds: int, key_id: str) -> tuple[str, ClientSecret]:
        """Make a secret.

        Args:
            session: the configuration of the sessions that it opens; given back as it is.
            seconds: how long it opens new sessions.
            key_id: the name of the key that asks for it.

        Returns:
            Its value (`ek_...`), which is not kept, and what it stands for.

        Raises:
            OverloadedError: too many are alive.
        """
        now = self._drop_expired()
        if len(self._alive) >= self._capacity:
            wait = max(1, round(self._expiries[0][0] - now))
            raise OverloadedError(f"{self._capacity} client secrets are alive, the most there may be", retry_after=wait)
        value = SECRET_PREFIX + secrets.token_urlsafe(32)
        secret = ClientSecret(int(now) + seconds, session, key_id)
        digest = self._digest(value)
        self._alive[digest] = secret
        heapq.heappush(self._expiries, (secret.expires_at, digest))
        return value, secret

    def find(self, presented: str) -> ClientSecret | None:
        """What a presented secret stands for, or None when it is unknown or has expired."""
        self._drop_expired()
        return self._alive.get(self._digest(presented))

    def _digest(self, value: str) -> bytes:
        return blake2b(value.encode("utf-8", "surrogatepass"), key=self._digest_key, digest_size=32).digest()

    def _drop_expired(self) -> float:
        now = self._clock()
        while self._expiries and self._expiries[0][0] <= now:
            del self._alive[heapq.heappop(self._expiries)[1]]
        return now
