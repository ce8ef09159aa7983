"""The address of a server's realtime endpoint."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from wavescribe.errors import ConfigurationError

SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


def realtime_url(url: str) -> str:
    """The WebSocket address of a server's realtime sessions, without a query.

    Args:
        url: the server ("http://localhost:8000"), its API ("http://localhost:8000/v1") or the endpoint itself.

    Raises:
        ConfigurationError: this is no address of a server.
    """
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or not parts.netloc:
        raise ConfigurationError(f"{url!r} is no address of a server; it would be, say, http://localhost:8000")
    path = parts.path.rstrip("/")
    if not path.endswith("/realtime"):
        path += "/realtime" if path.endswith("/v1") else "/v1/realtime"
    return urlunsplit((SCHEMES[parts.scheme], parts.netloc, path, "", ""))
