"""`POST /v1/realtime/client_secrets`, and `/v1/realtime/transcription_sessions` in the older shape.

Both bind the configuration of a session to a client secret, which a server hands to a browser in place of its key.
"""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Callable, Collection
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from wavescribe.api.authentication.client_secrets import ClientSecrets
from wavescribe.api.authentication.credentials import credential_of
from wavescribe.api.realtime.beta_session import FORMATS, beta_as_ga, render_beta_session
from wavescribe.api.realtime.json_field import Field
from wavescribe.api.realtime.session_configuration import SessionConfiguration
from wavescribe.api.realtime.session_rendering import render_session
from wavescribe.api.realtime.session_update import SectionPaths, updated
from wavescribe.errors import InvalidRequestError, UploadTooLargeError

BODY_BYTES = 256 * 1024
"""Largest body; the longest prompt fits."""

SECONDS, SHORTEST, LONGEST = 600, 10, 7200
"""How long a secret opens sessions: when nothing is said, at least and at most."""

NO_EXPIRY = 0
"""`expires_at` of a session that has not begun."""

BETA_BODY_PATHS = SectionPaths(
    format="input_audio_format",
    transcription="input_audio_transcription",
    noise_reduction="input_audio_noise_reduction",
    turn_detection="turn_detection",
    include="include",
)
"""How errors name the sections of a body that is itself a session in the older shape."""

_ALPHANUMERIC = string.ascii_letters + string.digits


def client_secrets_router(
    minting: ClientSecrets,
    *,
    default_model: str,
    check_model: Callable[[str], None],
    languages: Collection[str],
) -> APIRouter:
    """The routes that mint client secrets.

    Args:
        minting: where the secrets are kept; each is bound to a `SessionConfiguration`.
        default_model: name of the model of sessions that name none.
        check_model: raises ModelNotFoundError for a model name that is not served.
        languages: ISO 639-1 codes that the engine transcribes.
    """
    router = APIRouter(prefix="/v1/realtime")
    defaults = SessionConfiguration.of_model(default_model)

    @router.post("/client_secrets")
    async def create_client_secret(request: Request) -> Response:
        body = await _json_object(request)
        seconds = _seconds(Field("expires_after", body.get("expires_after")))
        session = _or_empty(body.get("session"))
        configuration = updated(defaults, session, check_model=check_model, languages=languages)
        value, expires_at = _mint(minting, request, configuration, seconds)
        rendered = render_session(configuration, _session_id(), NO_EXPIRY)
        return _unstored({"value": value, "expires_at": expires_at, "session": rendered})

    @router.post("/transcription_sessions")
    async def create_transcription_session(request: Request) -> Response:
        session = await _json_object(request)
        expiry = Field("client_secret", _or_empty(session.get("client_secret"))).members().get("expires_at")
        seconds = SECONDS if expiry is None else _seconds(expiry)
        configuration = updated(
            defaults, _beta_as_ga(session), check_model=check_model, languages=languages, paths=BETA_BODY_PATHS
        )
        value, expires_at = _mint(minting, request, configuration, seconds)
        rendered = render_beta_session(configuration, _session_id(), NO_EXPIRY)
        return _unstored({**rendered, "client_secret": {"value": value, "expires_at": expires_at}})

    return router


def _mint(
    minting: ClientSecrets, request: Request, configuration: SessionConfiguration, seconds: int
) -> tuple[str, int]:
    value, secret = minting.mint(configuration, seconds=seconds, key_id=credential_of(request.scope).key_id)
    return value, secret.expires_at


def _seconds(expiry: Field) -> int:
    """How long a secret shall open sessions, from {"anchor", "seconds"} or null."""
    if expiry.value is None:
        return SECONDS
    members = expiry.members()
    if "anchor" in members:
        members["anchor"].choice(("created_at",))
    return members["seconds"].whole(SHORTEST, LONGEST) if "seconds" in members else SECONDS


def _beta_as_ga(session: dict[str, Any]) -> dict[str, Any]:
    """Today's shape of a body in the older one; an error in its format is named as the body names it."""
    if session.get("input_audio_format") is not None:
        Field("input_audio_format", session["input_audio_format"]).choice(FORMATS)
    return beta_as_ga(session)


async def _json_object(request: Request) -> dict[str, Any]:
    """The request's body; an empty one is an empty object.

    Raises:
        UploadTooLargeError: it is too long.
        InvalidRequestError: it is not a JSON object.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES:
            raise UploadTooLargeError(f"Maximum content size limit ({BODY_BYTES}) exceeded ({len(body)} bytes read)")
    try:
        parsed = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:  # of bytes that are no text, or no JSON, or nested without end
        raise InvalidRequestError("We could not parse the JSON body of your request.") from error
    if not isinstance(parsed, dict):
        raise InvalidRequestError("The body of your request must be a JSON object.", code="invalid_type")
    return parsed


def _or_empty(value: object) -> object:
    return {} if value is None else value


def _session_id() -> str:
    return "sess_" + "".join(secrets.choice(_ALPHANUMERIC) for _ in range(21))


def _unstored(body: dict[str, Any]) -> JSONResponse:
    """An answer with a secret in it, which no cache may keep."""
    return JSONResponse(body, headers={"cache-control": "no-store"})
