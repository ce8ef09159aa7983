from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.model, pytest.mark.timeout(600)]

SERIOUS = ("serious", "critical")


async def faults(opened: Any, axe: str) -> list[tuple[str, list[str]]]:
    """What axe-core finds wrong and calls serious or critical."""
    await opened.page.evaluate(axe)
    found = await opened.page.evaluate("axe.run()")
    assert found["passes"]
    return [
        (violation["id"], [node["html"] for node in violation["nodes"]])
        for violation in found["violations"]
        if violation["impact"] in SERIOUS
    ]


async def overflow(opened: Any) -> int:
    """Pixels that the page is wider than its window."""
    return int(await opened.page.evaluate("document.documentElement.scrollWidth - innerWidth"))


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("phone", [False, True])
async def test_no_state_of_the_page_has_a_serious_fault_or_is_too_wide(
    serve: Any, open_page: Any, spoken: Any, fox: Path, two_cities: Path, axe: str, colours: str, phone: bool
) -> None:
    locked = serve("--model", "whisper-tiny.en", "--api-key=sk-right")
    options = {"phone": phone, "color_scheme": colours, "requests_may_fail": True}
    async with open_page(locked.http, sound=spoken(two_cities), **options) as opened:

        async def check(state: str) -> None:
            assert (state, await faults(opened, axe)) == (state, [])
            assert (state, await overflow(opened)) == (state, 0)
            await opened.picture(f"{state} {colours} {'phone' if phone else 'desktop'}")

        await check("idle")
        await opened.page.click("#microphone")
        await opened.page.fill("#key", "sk-wrong")
        await opened.page.keyboard.press("Enter")
        await opened.until_text("not accepted", "#key-error")
        await check("key dialog")
        await opened.page.fill("#key", "sk-right")
        await opened.page.keyboard.press("Enter")
        await opened.until_text("times", ".settled")
        await opened.page.wait_for_selector(".draft:not(:empty)")
        await check("live")
        await opened.page.click("#room")
        await check("large captions")
        await opened.page.keyboard.press("Escape")
        await opened.page.click("#pause")
        await opened.state("paused")
        await check("paused")
        await opened.stop()
        await check("captions")
        await opened.page.click("#clear")
        await check("clear dialog")
        await opened.page.click("#clear-dialog [value=clear]")
        await opened.page.wait_for_selector("body[data-empty]")
        await opened.page.set_input_files("#file", {"name": "a.mp3", "mimeType": "audio/mpeg", "buffer": b"no sound"})
        await opened.trouble()
        await check("trouble")
        await opened.page.set_input_files("#file", two_cities)
        await opened.page.wait_for_selector(".word")
        await check("file")
        await opened.page.click("#cancel")


async def test_settled_text_is_announced_and_drafts_are_not(
    english_server: Any, open_page: Any, spoken: Any, fox: Path
) -> None:
    async with open_page(english_server.http, sound=spoken(fox, fox)) as opened:
        await opened.page.click("#microphone")
        await opened.page.wait_for_selector(".draft:not(:empty)")
        live = opened.page.locator("#captions [aria-live]")
        assert await live.evaluate_all("(parts) => parts.every((part) => part.matches('.settled[aria-live=polite]'))")
        assert await opened.page.locator(".draft:not(:empty)").get_attribute("aria-hidden") == "true"
        await opened.until_text("lazy dog", "#captions [aria-live='polite']")
        await opened.stop()


async def test_a_region_is_there_before_the_text_that_is_announced_in_it(
    english_server: Any, open_page: Any, fox: Path
) -> None:
    async with open_page(english_server.http) as opened:
        await opened.page.evaluate(
            """() => {
              window.shown = [];
              new MutationObserver((changes) => changes.forEach(({ target, attributeName }) => {
                if (attributeName === "hidden" && !target.hidden) window.shown.push(target.innerText.includes("fox"));
              })).observe(document.querySelector("#captions"), { attributes: true, subtree: true });
            }"""
        )
        await opened.page.set_input_files("#file", fox)
        await opened.until_text("lazy dog", "#captions [aria-live='polite']")
        assert await opened.page.evaluate("window.shown") == [False]


async def test_everything_can_be_done_with_the_keyboard(
    english_server: Any, open_page: Any, spoken: Any, fox: Path
) -> None:
    async with open_page(english_server.http, sound=spoken(fox)) as opened:
        keyboard = opened.page.keyboard

        async def tab_to(selector: str) -> None:
            for _ in range(30):
                if await opened.page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
                    return
                await keyboard.press("Tab")
            pytest.fail(f"the Tab key does not lead to {selector}")

        await tab_to("#microphone")
        await keyboard.press("Enter")
        await opened.state("live")
        # The button that was pressed is gone: the focus is on the one that ends what it began.
        assert await opened.page.evaluate("document.activeElement.id") == "stop"
        await opened.until_text("lazy dog", ".settled")
        await keyboard.press("Enter")
        await opened.state("idle")
        assert await opened.page.evaluate("document.activeElement.id") == "microphone"
        await opened.page.evaluate("document.activeElement.blur()")
        await tab_to(".word")
        await keyboard.press("ArrowRight")
        await keyboard.press("ArrowRight")
        assert await opened.page.evaluate("document.activeElement.textContent") == "brown"
        await keyboard.press("Enter")
        await opened.page.wait_for_selector(".word.playing")
        await tab_to("[data-format=vtt]")
        async with opened.page.expect_download():
            await keyboard.press("Space")


async def test_the_theme_follows_the_system_until_the_reader_chooses_and_is_remembered(
    english_server: Any, open_page: Any
) -> None:
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    async with open_page(english_server.http, color_scheme="dark") as opened:
        dark = await opened.page.evaluate(paper)
        await opened.page.click("#theme")
        light = await opened.page.evaluate(paper)
        assert dark != light
        assert "Light" in await opened.page.get_attribute("#theme", "aria-label")
        await opened.page.reload()
        await opened.page.wait_for_function("() => document.querySelector('#model').textContent")
        assert await opened.page.evaluate(paper) == light
        await opened.page.click("#theme")
        assert await opened.page.evaluate(paper) == dark


async def test_large_captions_show_only_text_and_leave_with_escape(
    english_server: Any, open_page: Any, spoken: Any, fox: Path
) -> None:
    async with open_page(english_server.http, sound=spoken(fox)) as opened:
        await opened.page.click("#microphone")
        await opened.until_text("lazy dog", ".settled")
        small = await opened.page.evaluate(
            "parseFloat(getComputedStyle(document.querySelector('.turn-text')).fontSize)"
        )
        await opened.page.click("#room")
        large = await opened.page.evaluate(
            "parseFloat(getComputedStyle(document.querySelector('.turn-text')).fontSize)"
        )
        assert large > 2.5 * small
        for hidden in (".bar", ".live-row", ".turn-time"):
            assert await opened.page.locator(hidden).first.is_hidden()
        await opened.page.keyboard.press("Escape")
        assert await opened.page.locator(".bar").is_visible()
        assert await opened.page.evaluate("document.activeElement.id") == "room"
        await opened.stop()
