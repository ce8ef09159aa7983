"""Which web pages may use the server from a browser."""

from __future__ import annotations

import re
from collections.abc import Iterable

from wavescribe.errors import ConfigurationError

ANY = "*"

_DEFAULT_PORTS = {"http": "80", "https": "443"}
_ORIGIN = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>[^\s/:?#@*]+|\[[0-9a-f:.]+\])(:(?P<port>\d{1,5}))?")


class AllowedOrigins:
    """The server's own pages, and pages of the given origins.

    Args:
        allowed: origins as browsers write them (`https://app.example.com`, `http://localhost:3000`), `null` for pages
            without one, or `*` for every page.

    Raises:
        ConfigurationError: one of them is no origin and could never match.
    """

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self.listed = tuple(_normalised(origin) for origin in allowed)

    def permit(self, origin: str, host: str) -> bool:
        """Whether a page may use the server.

        Args:
            origin: the request's Origin header.
            host: the request's Host header. Schemes are not compared: behind a proxy the page's is https and the
                server's is http.
        """
        return ANY in self.listed or origin.lower() in self.listed or _is_own(origin, host)


def _normalised(origin: str) -> str:
    wanted = origin.strip().lower().removesuffix("/")
    if wanted in (ANY, "null"):
        return wanted
    found = _ORIGIN.fullmatch(wanted)
    if found is None:
        raise ConfigurationError(
            f"allowed origin {origin!r} is no origin; write it as in https://app.example.com or http://localhost:3000"
        )
    if found["port"] == _DEFAULT_PORTS.get(found["scheme"], ""):
        return f"{found['scheme']}://{found['host']}"  # browsers leave a default port out
    return wanted


def _is_own(origin: str, host: str) -> bool:
    scheme, _, page_host = origin.lower().partition("://")
    return bool(host) and _with_port(page_host, scheme) == _with_port(host.lower(), scheme)


def _with_port(host: str, scheme: str) -> str:
    default = _DEFAULT_PORTS.get(scheme, "")
    return host if re.search(r":\d+$", host) else f"{host}:{default}"
