"""The documentation's program for a browser, in a browser."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from wavescribe.audio.decoding import decode_audio
from wavescribe.audio.pcm import encode_pcm16

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.model, pytest.mark.timeout(600)]

KEY = "sk-right-one"
PAGE = Path(__file__).parents[3] / "docs" / "openai-sdks.md"
RATE = 24_000

DRIVER = """([secret, base64]) => new Promise((resolve) => {
  let text = "";
  const show = (delta) => { text += delta; if (/dog/i.test(text)) resolve(text); };
  PROGRAM
  socket.onclose = ({ code, reason }) => resolve(`${text} closed with ${code} ${reason}`);
  socket.onopen = () => {
    const samples = new Int16Array(Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0)).buffer);
    for (let start = 0; start < samples.length; start += 2400) send(samples.subarray(start, start + 2400));
  };
})"""


def documented(first: str) -> str:
    """The block of JavaScript of the page that begins so."""
    blocks: list[str] = re.findall(r"```js\n(.*?)```", PAGE.read_text(), re.DOTALL)
    [found] = [block for block in blocks if block.startswith(first)]
    return found


def documented_request() -> dict[str, Any]:
    """What the page's command asks an ephemeral key for."""
    found = re.search(r"/v1/realtime/client_secrets .* -d '(.*)'", PAGE.read_text())
    assert found is not None
    asked: dict[str, Any] = json.loads(found[1])
    return asked


async def test_the_program_for_a_page_shows_what_is_said(serve: Any, open_page: Any, fox: Path) -> None:
    server = serve("--model", "whisper-tiny.en", f"--api-key={KEY}")
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {KEY}"}) as http:
        made = await http.post(f"{server.http}/v1/realtime/client_secrets", json=documented_request())
    program = documented("const protocols").replace("ws://localhost:8000", server.http.replace("http", "ws"))
    speech = np.concatenate([decode_audio(fox, sample_rate=RATE, max_seconds=60), np.zeros(2 * RATE, np.float32)])
    async with open_page(server.http) as opened:
        spoken = base64.b64encode(encode_pcm16(speech)).decode()
        driver = DRIVER.replace("PROGRAM", program)
        text = await opened.page.evaluate(driver, [made.json()["value"], spoken])
    assert "jumps over the lazy dog" in text.lower()
