from __future__ import annotations

import pytest

from wavescribe.api.authentication.origins import AllowedOrigins
from wavescribe.errors import ConfigurationError


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:8000", "localhost:8000"),
        ("http://LOCALHOST:8000", "localhost:8000"),
        ("http://localhost:8000", "LocalHost:8000"),
        ("https://asr.example.com", "asr.example.com"),
        ("https://asr.example.com", "asr.example.com:443"),
        ("http://asr.example.com:80", "asr.example.com"),
        ("http://[::1]:8000", "[::1]:8000"),
    ],
)
def test_the_servers_own_pages_may_use_it(origin: str, host: str) -> None:
    assert AllowedOrigins().permit(origin, host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://evil.example", "localhost:8000"),
        ("http://localhost:3000", "localhost:8000"),
        ("http://localhost", "localhost:8000"),
        ("http://localhost:8000.evil.example", "localhost:8000"),
        ("http://evil.example/localhost:8000", "localhost:8000"),
        ("http://evil.example?://localhost:8000", "localhost:8000"),
        ("http://asr.example.com", "asr.example.com:443"),
        ("localhost:8000", "localhost:8000"),
        ("null", "localhost:8000"),
        ("", ""),
        ("http://", ""),
        ("http://:80", ""),
    ],
)
def test_other_pages_may_not(origin: str, host: str) -> None:
    assert not AllowedOrigins(["https://app.example.com"]).permit(origin, host)


@pytest.mark.parametrize(
    ("allowed", "origin"),
    [
        ("https://app.example.com", "https://app.example.com"),
        ("https://App.Example.com/", "https://app.example.com"),
        ("https://app.example.com:443", "https://app.example.com"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("chrome-extension://abcdef", "chrome-extension://abcdef"),
        ("null", "null"),
        ("*", "https://anything.example"),
        ("*", "null"),
    ],
)
def test_allowed_origins_may(allowed: str, origin: str) -> None:
    assert AllowedOrigins(["https://other.example", allowed]).permit(origin, "server:8000")


@pytest.mark.parametrize(
    "other", ["http://app.example.com", "https://app.example.com:8443", "https://x.app.example.com"]
)
def test_an_allowed_origin_allows_no_other_scheme_port_or_subdomain(other: str) -> None:
    assert not AllowedOrigins(["https://app.example.com"]).permit(other, "server:8000")


@pytest.mark.parametrize(
    "wrong",
    ["app.example.com", "https://app.example.com/page", "https://*.example.com", "https://a.example:x", "", "a b"],
)
def test_what_could_never_match_is_refused(wrong: str) -> None:
    with pytest.raises(ConfigurationError, match="is no origin; write it as in"):
        AllowedOrigins([wrong])
