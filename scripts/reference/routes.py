"""The addresses that the server answers at, from the application itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi.routing import APIRoute, APIWebSocketRoute

from wavescribe.api.server import build_app
from wavescribe.engines.base import EngineInfo
from wavescribe.settings import load_settings

OF_THE_PAGE = "/web/"


class Silent:
    """An engine that is never asked to decode: only the application's routes are looked at."""

    info = EngineInfo(
        "silent", 16_000, ("en",), 30.0, takes_prefix=True, gives_times=True, batches=False, translates=True
    )


def routes() -> dict[str, list[str]]:
    """Methods by path, "WebSocket" for those; the page's own files are left out."""
    engine: Any = Silent()
    found: dict[str, list[str]] = {}
    for route in _flat(build_app(engine, load_settings()).routes):
        if isinstance(route, APIWebSocketRoute):
            found.setdefault(route.path, []).append("WebSocket")
        elif isinstance(route, APIRoute) and not route.path.startswith(OF_THE_PAGE):
            path = route.path.replace(":path", "")
            found.setdefault(path, []).extend(sorted((route.methods or set()) - {"HEAD"}))
    return found


def _flat(routes: Iterable[Any]) -> Iterator[Any]:
    """The routes, those of included routers too, which some versions of fastapi keep together."""
    for route in routes:
        router = getattr(route, "original_router", None)
        yield from _flat(router.routes) if router is not None else (route,)
