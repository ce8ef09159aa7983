from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.model, pytest.mark.timeout(600)]

KEY = "sk-right-one"


@pytest.fixture(scope="module")
def locked_server(serve: Any) -> Any:
    return serve("--model", "whisper-tiny.en", f"--api-key={KEY}")


@pytest.fixture(scope="module")
def small_server(serve: Any) -> Any:
    return serve("--model", "whisper-tiny.en", "--max-sessions", "1")


async def test_a_wrong_key_is_told_and_the_right_one_opens_the_session(
    locked_server: Any, open_page: Any, spoken: Any, fox: Path
) -> None:
    async with open_page(locked_server.http, sound=spoken(fox), requests_may_fail=True) as opened:
        await opened.page.evaluate(
            """() => {
              window.opened = [];
              window.WebSocket = class extends WebSocket {
                constructor(url, protocols) { super(url, protocols); window.opened.push(String(url), ...protocols); }
              };
            }"""
        )
        await opened.page.click("#microphone")
        await opened.page.wait_for_selector("#key-dialog[open]")
        assert await opened.page.inner_text("#key-error") == ""
        await opened.page.fill("#key", "sk-wrong-one")
        await opened.page.keyboard.press("Enter")
        await opened.until_text("not accepted", "#key-error")
        await opened.page.fill("#key", KEY)
        await opened.page.keyboard.press("Enter")
        await opened.until_text("lazy dog", ".settled")
        await opened.stop()
        kept = await opened.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
        assert KEY not in kept
        assert KEY not in await opened.page.content()
        opened_with = await opened.page.evaluate("window.opened")
        assert len([each for each in opened_with if each.startswith("ws")]) == 1
        assert any(each.startswith("openai-insecure-api-key.ek_") for each in opened_with)
        assert not any(KEY in each for each in opened_with)


async def test_a_dismissed_key_dialog_leaves_the_page_as_it_was(locked_server: Any, open_page: Any) -> None:
    async with open_page(locked_server.http, requests_may_fail=True) as opened:
        await opened.page.click("#microphone")
        await opened.page.wait_for_selector("#key-dialog[open]")
        await opened.page.keyboard.press("Escape")
        await opened.state("idle")
        assert await opened.page.inner_text("#trouble") == ""


async def test_a_file_is_transcribed_with_the_key_that_was_asked_for(
    locked_server: Any, open_page: Any, fox: Path
) -> None:
    async with open_page(locked_server.http, requests_may_fail=True) as opened:
        await opened.page.set_input_files("#file", fox)
        await opened.page.fill("#key", KEY)
        await opened.page.keyboard.press("Enter")
        await opened.until_text("lazy dog", ".settled")


async def test_a_full_server_says_that_it_is_full_and_takes_the_next_try(small_server: Any, open_page: Any) -> None:
    async with open_page(small_server.http) as opened:
        async with connect(f"{small_server.websocket}/v1/realtime") as other:
            await other.recv()
            await opened.page.click("#microphone")
            assert "server is full" in await opened.trouble()
            await opened.state("idle")
        await opened.page.click("#microphone")
        await opened.state("live")
        assert await opened.page.inner_text("#trouble") == ""
        await opened.stop()


async def test_a_blocked_microphone_is_explained(english_server: Any, open_page: Any) -> None:
    async with open_page(english_server.http, allow=False, flags=("--deny-permission-prompts",)) as opened:
        await opened.page.click("#microphone")
        assert "microphone is blocked" in await opened.trouble()
        await opened.state("idle")


@pytest.mark.parametrize(
    ("failure", "title"),
    [("NotFoundError", "No microphone was found"), ("NotReadableError", "The microphone cannot be opened")],
)
async def test_a_microphone_that_cannot_be_had_is_explained(
    english_server: Any, open_page: Any, failure: str, title: str
) -> None:
    async with open_page(english_server.http) as opened:
        await opened.page.evaluate(
            "(name) => { navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('no', name); }; }",
            failure,
        )
        await opened.page.click("#microphone")
        assert title in await opened.trouble()
        await opened.state("idle")


async def test_a_file_without_sound_is_explained_with_what_would_do(
    english_server: Any, open_page: Any, tmp_path: Path
) -> None:
    (tmp_path / "letter.mp3").write_text("Dear reader, this is no sound.")
    async with open_page(english_server.http, requests_may_fail=True) as opened:
        await opened.page.set_input_files("#file", tmp_path / "letter.mp3")
        trouble = await opened.trouble()
        assert "no sound that can be read" in trouble
        assert "mp3, m4a, wav" in trouble
        await opened.state("idle")


async def test_a_server_that_is_gone_is_explained(english_server: Any, open_page: Any, wire_to: Any, fox: Path) -> None:
    wire = await wire_to(english_server)
    async with open_page(wire.url, requests_may_fail=True) as opened:
        await wire.cut()
        await opened.page.click("#microphone")
        assert "cannot be reached" in await opened.trouble()
        await opened.page.click("#trouble button")
        assert await opened.page.inner_text("#trouble") == ""
        await opened.page.set_input_files("#file", fox)
        assert "cannot be reached" in await opened.trouble()
