from __future__ import annotations

from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

import wavescribe.web
from wavescribe.api.page import PageFacts, page_router
from wavescribe.web.assets import load_assets

FACTS = PageFacts("whisper-base", ("en", "de"), True, True, 1_000, 30.0)
FOLDER = Path(wavescribe.web.__file__).parent


@pytest.fixture(scope="module")
def client() -> TestClient:
    app = FastAPI(openapi_url=None)
    app.include_router(page_router(FACTS))
    return TestClient(app)


def test_the_page_is_served_with_a_policy_that_lets_nothing_in_from_elsewhere(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert answer.content == (FOLDER / "index.html").read_bytes()
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"].split("; ")
    assert policy[0] == "default-src 'none'"
    assert {"script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"} <= set(policy)
    assert not any(word in " ".join(policy) for word in ("unsafe", "http", "*"))
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "microphone=(self), display-capture=(self)" in answer.headers["permissions-policy"]


@pytest.mark.parametrize("path", load_assets())
def test_every_file_has_its_content_type_and_the_same_headers(client: TestClient, path: str) -> None:
    answer = client.get(f"/web/{path}")
    assert answer.status_code == 200
    assert answer.content == (FOLDER / path).read_bytes()
    kinds = {"html": "text/html", "js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
    assert answer.headers["content-type"].split(";")[0] == kinds[path.rpartition(".")[2]]
    assert "content-security-policy" in answer.headers


def test_a_file_that_the_browser_has_is_not_sent_again(client: TestClient) -> None:
    etag = client.get("/web/scripts/main.js").headers["etag"]
    for known in (etag, f'"other", W/{etag}'):
        answer = client.get("/web/scripts/main.js", headers={"if-none-match": known})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
    assert client.get("/web/scripts/main.js", headers={"if-none-match": '"other"'}).status_code == 200


def test_head_answers_without_a_body(client: TestClient) -> None:
    answer = client.head("/")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) == (FOLDER / "index.html").stat().st_size


@pytest.mark.parametrize(
    "path",
    [
        "../settings.py",
        "%2e%2e/settings.py",
        "..%2fsettings.py",
        "scripts/../../settings.py",
        "assets.py",
        "",
        "scripts",
    ],
)
def test_nothing_but_the_files_of_the_page_is_served(server: Any, path: str) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)  # sends paths as they are
    with closing(connection):
        connection.request("GET", f"/web/{path}")
        answer = connection.getresponse()
        assert answer.status == 404
        assert b"Invalid URL" in answer.read()


def test_the_facts_of_the_server_are_there_without_a_key_and_are_not_kept(client: TestClient) -> None:
    answer = client.get("/web/server.json")
    assert answer.json() == {
        "model": "whisper-base",
        "languages": ["en", "de"],
        "key_required": True,
        "streams": True,
        "max_upload_bytes": 1_000,
        "resume_seconds": 30.0,
    }
    assert answer.headers["cache-control"] == "no-store"
