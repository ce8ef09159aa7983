from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest

from wavescribe.bench.command_line import public_url, running_command
from wavescribe.bench.compared_server import compared_server, server_name
from wavescribe.bench.measurement import Measurement
from wavescribe.bench.publishing import write

SECRET = "sk-not-to-be-seen"


def command_of(monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    monkeypatch.setattr(sys, "argv", ["/opt/bin/wavescribe", "bench", *words])
    return running_command()


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["compare", f"--server-flags=--api-key={SECRET}"], shlex.join(["compare", "--server-flags='--api-key=***'"])),
        (["load", "--api-key", SECRET, "--streams", "1"], "load --api-key '***' --streams 1"),
        (["load", f"--api-key={SECRET}"], "load '--api-key=***'"),
        (["load", "--", "--api-key", SECRET, "--workers", "2"], "load -- --api-key '***' --workers 2"),
        (["load", "--url", f"ws://a/v1?api_key={SECRET}&x={SECRET}"], "load --url 'ws://a/v1?api_key=***&x=***'"),
        (["load", f"--url=ws://a/v1?api_key={SECRET}"], "load '--url=ws://a/v1?api_key=***'"),
        (["load", f"--url=http://me:{SECRET}@a:80/v1"], "load '--url=http://***@a:80/v1'"),
        (
            ["compare", f"ws://a?key={SECRET}&model=m,model=n,key_env=KEY", "--server-flags", f"--api-key {SECRET}"],
            "compare 'ws://a?key=***&model=m,model=n,key_env=KEY' --server-flags '--api-key '\"'\"'***'\"'\"''",
        ),
        (["cost", "--corpus", "/home/me/speech"], "cost --corpus speech"),
        (["cost", "--corpus=/home/me/speech"], "cost --corpus=speech"),
        (["cost", "--lengths", "15,30", "--corpus", "speech/dev"], "cost --lengths 15,30 --corpus speech/dev"),
    ],
)
def test_a_command_is_told_without_keys_and_places_of_the_machine(
    words: list[str], shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command_of(monkeypatch, *words) == f"wavescribe bench {shown}"


def test_no_file_that_is_written_has_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["wavescribe", "bench", "load", "--api-key", SECRET, f"--url=ws://a?key={SECRET}"])
    write(Measurement("load", "so many", (), ()), tmp_path)
    assert "--api-key" in json.loads((tmp_path / "load.json").read_text())["command"]
    assert not any(SECRET in path.read_text() for path in tmp_path.iterdir())


def test_a_url_without_secrets_is_told_as_it_is() -> None:
    assert public_url("wss://host:8000/v1/realtime?intent=transcription") == (
        "wss://host:8000/v1/realtime?intent=transcription"
    )


def test_a_compared_server_is_named_without_its_key() -> None:
    server = compared_server(
        f"ws://a/v1?api_key={SECRET},model=m", language="en", rate=16_000, turns="none", silence_ms=0
    )
    assert SECRET in server.url
    assert server_name(server) == "ws://a/v1?api_key=*** m"
