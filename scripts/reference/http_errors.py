"""The errors of the HTTP API, from the answers that the server makes of them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

from markdown import code, table
from starlette.responses import JSONResponse

from wavescribe.api.authentication.refusals import FOREIGN_ORIGIN, MISSING_KEY, WRONG_KEY, Refusal
from wavescribe.api.errors import INVALID, error_response, known_error, server_failure
from wavescribe.errors import (
    DrainingError,
    InvalidRequestError,
    ModelNotFoundError,
    OverloadedError,
    StorageError,
    UploadTooLargeError,
)

HEADERS = {"retry-after": "Retry-After", "www-authenticate": "WWW-Authenticate", "x-should-retry": "X-Should-Retry"}
"""Headers that tell a client what to do."""


def http_errors() -> str:
    """The table."""
    logging.getLogger("wavescribe.api.errors").setLevel(logging.CRITICAL)  # it would log what is made up here
    lines = sorted(_row(answer, when) for answer, when in _answers())
    return table(("status", "`type`", "`code`", "header", "when"), lines)


def _answers() -> Iterator[tuple[JSONResponse, str]]:
    yield (
        known_error(InvalidRequestError("", code="…")),
        "a field is missing or wrong (`param` names it), or no audio",
    )
    yield _refused(MISSING_KEY), "the server has keys, and none came"
    yield _refused(WRONG_KEY), "a wrong key, or an ephemeral key, which opens realtime sessions only"
    yield _refused(FOREIGN_ORIGIN), "a page of an origin that `--allowed-origin` does not name"
    yield known_error(ModelNotFoundError("", code="model_not_found")), "the model is not served here"
    yield error_response(404, "", INVALID), "there is no such address"
    yield error_response(405, "", INVALID, code="method_not_supported"), "not with this method"
    yield known_error(UploadTooLargeError("")), "more than `--max-upload-bytes`; the connection is closed"
    yield known_error(OverloadedError("")), "`--max-file-jobs` are in work, or too many ephemeral keys alive"
    yield known_error(DrainingError("")), "the server is about to stop"
    yield known_error(StorageError("")), "no room on the disk for the upload"
    yield server_failure(), "the server's fault; what failed is in its log"


def _refused(refusal: Refusal) -> JSONResponse:
    headers = {"www-authenticate": "Bearer"} if refusal.status == 401 else None
    return error_response(refusal.status, "", INVALID, code=refusal.code, headers=headers)


def _row(answer: JSONResponse, when: str) -> tuple[str, str, str, str, str]:
    error = json.loads(bytes(answer.body))["error"]
    named = [name for header, name in HEADERS.items() if header in answer.headers]
    return str(answer.status_code), code(error["type"]), code(error["code"] or "null"), ", ".join(named), when
