"""What in the documentation is not run, and why not."""

from __future__ import annotations

GENERATED = ("docs/protocol.md",)
"""Pages whose blocks are what the code wrote when the page was made; another test compares them with the code."""

DOCKER = "needs the Docker daemon; tests/deploy runs the same steps without it"
ROOT = "changes the machine, as root"
DOWNLOAD = "downloads hundreds of megabytes"
MODEL = "needs a model that is not installed"

SECURE = (
    "WAVESCRIBE_CLIENT_KEY=$(cat keys.txt) SSL_CERT_FILE=certificate.pem "
    "wavescribe listen --url https://captions:8000 --output talk.srt"
)
"""The command that listens on the server that its page sets up before."""

COMMANDS = {
    "python3 -m venv venv && venv/bin/pip install '.[embedded]'": DOWNLOAD,
    "pip install '.[qwen]'": DOWNLOAD,
    "pip install --no-deps moonshine-voice pytest-audioeval": DOWNLOAD,
    "wavescribe serve --model Qwen/Qwen3-ASR-0.6B --device cuda": "needs a GPU and a download",
    "wavescribe serve --model DIR": MODEL,
    "wavescribe serve --model models/whisper-small-ct2": MODEL,
    "wavescribe serve --model small": DOWNLOAD,
    "sudo python3 -m venv /opt/wavescribe": ROOT,
    "sudo /opt/wavescribe/bin/pip install --require-hashes --no-deps -r requirements-server.lock": ROOT,
    "sudo /opt/wavescribe/bin/pip install --no-deps .": ROOT,
    "sudo install -D -m 644 deploy/wavescribe.toml /etc/wavescribe/wavescribe.toml": ROOT,
    "sudo install -m 600 keys.txt /etc/wavescribe/keys": ROOT,
    "sudo install -m 644 deploy/wavescribe.service /etc/systemd/system/": ROOT,
    "sudo systemctl enable --now wavescribe": ROOT,
    "sudo chown 10001 keys.txt && sudo chmod 400 keys.txt": ROOT,
    SECURE: "needs a server with a certificate and a key; another test starts one and runs it",
    "docker build -t wavescribe .": DOCKER,
    "docker run --rm -p 127.0.0.1:8000:8000 -v wavescribe-cache:/var/cache/wavescribe wavescribe": DOCKER,
    "docker run --rm -p 127.0.0.1:8000:8000 wavescribe serve --model whisper-tiny.en": DOCKER,
    "docker compose up --detach --wait": DOCKER,
}
"""Commands by their text."""

PROGRAMS = {
    "from livekit.agents import AgentSession": "needs livekit-agents, which is not locked here",
    "from pipecat.services.openai.stt import OpenAIRealtimeSTTService": "needs pipecat-ai, which is not locked here",
    'import fs from "node:fs";': "needs Node and the npm packages openai and ws",
    '{"id": "en_0001", "file": "audio/en_0001.flac", "seconds": 12.6, "language": "en", "kind": "short", '
    '"text": "The ferry leaves at nine.", "ref_quality": "human"}': "data; tests/bench/test_corpus.py reads it",
    'const protocols = ["realtime", `openai-insecure-api-key.${secret}`];': (
        "a piece of a page; tests/e2e/web/test_documentation.py runs it in one"
    ),
}
"""Programs by their first line."""
