"""What in the documentation is not run, and why not."""

from __future__ import annotations

GENERATED = ("docs/protocol.md",)
"""Pages whose blocks are what the code wrote when the page was made; another test compares them with the code."""

MICROPHONE = "needs a microphone"
DOCKER = "needs the Docker daemon; tests/deploy runs the same steps without it"
ROOT = "changes the machine, as root"
DOWNLOAD = "downloads hundreds of megabytes"
MODEL = "needs a model that is not installed"

COMMANDS = {
    "wavescribe listen --output meeting.srt": MICROPHONE,
    "wavescribe listen --url http://localhost:8000 --output talk.srt --output talk.txt": MICROPHONE,
    "wavescribe listen --device USB --language en --keyword Llanfair --output talk.srt": MICROPHONE,
    "python3 -m venv venv && venv/bin/pip install '.[embedded]'": DOWNLOAD,
    "pip install 'wavescribe[qwen]'": DOWNLOAD,
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
    "docker build -t wavescribe .": DOCKER,
    "docker run --rm -p 127.0.0.1:8000:8000 -v wavescribe-cache:/var/cache/wavescribe wavescribe": DOCKER,
    "docker run --rm -p 127.0.0.1:8000:8000 wavescribe serve --model whisper-tiny.en": DOCKER,
    "docker compose up --detach --wait": DOCKER,
}
"""Commands by their text."""

PROGRAMS = {
    "from livekit.agents import AgentSession": "needs livekit-agents, which is not locked here",
    "from pipecat.services.openai.stt import OpenAIRealtimeSTTService": "needs pipecat-ai, which is not locked here",
    'import fs from "node:fs";': "needs Node and the npm package openai",
    'const protocols = ["realtime", `openai-insecure-api-key.${secret}`];': (
        "a piece of a page; tests/e2e/web opens the same connection from a browser"
    ),
}
"""Programs by their first line."""
