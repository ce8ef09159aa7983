"""Whether what a client presents opens the server."""

from __future__ import annotations

from wavescribe.api.authentication.client_secrets import SECRET_PREFIX, ClientSecrets
from wavescribe.api.authentication.credentials import ANONYMOUS, Credential, key_id
from wavescribe.api.authentication.keys import ApiKeys
from wavescribe.api.authentication.refusals import DEAD_SECRET, MISSING_KEY, SECRET_OUT_OF_PLACE, WRONG_KEY, Refusal


class CredentialCheck:
    """Knows the server's keys and the client secrets.

    Args:
        keys: the server's keys; without any, everybody may come.
        secrets: the client secrets.
    """

    def __init__(self, keys: ApiKeys, secrets: ClientSecrets) -> None:
        self._keys = keys
        self._secrets = secrets

    def check(self, presented: str | None, *, takes_secrets: bool) -> Credential | Refusal:
        """Whether a client may use a route.

        Args:
            presented: the key or secret that it presents, or None.
            takes_secrets: whether client secrets open this route.
        """
        if presented is None:
            return MISSING_KEY if self._keys.required else ANONYMOUS
        if self._keys.know(presented):
            return Credential("key", key_id(presented))
        if takes_secrets and (secret := self._secrets.find(presented)):
            return Credential("secret", secret.key_id, secret.session)
        if self._keys.required:
            return _refusal(presented, takes_secrets)
        if takes_secrets and presented.startswith(SECRET_PREFIX):
            return DEAD_SECRET  # its session would start without the configuration that it was made for
        return ANONYMOUS


def _refusal(presented: str, takes_secrets: bool) -> Refusal:
    if not presented.startswith(SECRET_PREFIX):
        return WRONG_KEY
    return DEAD_SECRET if takes_secrets else SECRET_OUT_OF_PLACE
