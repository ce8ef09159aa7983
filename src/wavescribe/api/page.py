"""`/`, the page of live captions, with its files under `/web/`. It holds no secrets, so it needs no key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from wavescribe.web.assets import Asset, load_assets

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "worker-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "media-src": "blob:",
    # 'self' covers the WebSockets of the same host (Content Security Policy Level 3, section 6.7.2.8).
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
"""What the page may load: nothing but its own files and its own server."""

FEATURES = {"microphone": "(self)", "display-capture": "(self)", "camera": "()", "geolocation": "()"}
"""What the page may ask its user for."""

HEADERS = {
    "content-security-policy": "; ".join(f"{name} {value}" for name, value in POLICY.items()),
    "permissions-policy": ", ".join(f"{name}={value}" for name, value in FEATURES.items()),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Kept, and asked for again each time: a new version of the server is a new page at once.
    "cache-control": "no-cache",
}


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What the page has to know of its server before a key is there; nothing of it is secret.

    Attributes:
        model: the served model's name.
        languages: ISO 639-1 codes that it transcribes.
        key_required: whether the API wants a key.
        streams: whether the model transcribes live.
        max_upload_bytes: the largest file that is taken.
        resume_seconds: how long a session outlives its connection.
    """

    model: str
    languages: Sequence[str]
    key_required: bool
    streams: bool
    max_upload_bytes: int
    resume_seconds: float


def page_router(facts: PageFacts) -> APIRouter:
    """The routes of the page.

    Args:
        facts: answered at `/web/server.json`.
    """
    router = APIRouter()
    assets = load_assets()

    async def page(request: Request) -> Response:
        return _answer(request, assets["index.html"])

    async def server_facts() -> Response:
        return JSONResponse(asdict(facts), headers={**HEADERS, "cache-control": "no-store"})

    async def file(request: Request, path: str) -> Response:
        if path not in assets:
            raise HTTPException(404)
        return _answer(request, assets[path])

    for path, endpoint in (("/", page), ("/web/server.json", server_facts), ("/web/{path:path}", file)):
        router.add_api_route(path, endpoint, methods=["GET", "HEAD"], response_model=None)
    return router


def _answer(request: Request, asset: Asset) -> Response:
    headers = {**HEADERS, "etag": asset.etag}
    if _is_known(request.headers.get("if-none-match", ""), asset.etag):
        return Response(status_code=304, headers=headers)
    return Response(asset.body, headers={**headers, "content-type": asset.content_type})


def _is_known(known: str, etag: str) -> bool:
    """Whether the client has the file already (RFC 9110, section 13.1.2: a weak comparison)."""
    return etag in (candidate.strip().removeprefix("W/") for candidate in known.split(","))
