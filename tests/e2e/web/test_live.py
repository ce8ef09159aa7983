from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.model]


async def test_captions_appear_while_the_microphone_hears_and_drafts_become_settled(
    server: Any, open_page: Any, spoken: Any, two_cities: Path, error_rate: Any
) -> None:
    async with open_page(server.http, sound=spoken(two_cities)) as opened:
        await opened.page.select_option("#language", "en")
        await opened.page.click("#microphone")
        await opened.page.wait_for_selector(".draft:not(:empty)", timeout=60_000)
        assert await opened.page.locator("body[data-state='live']").count() == 1
        await opened.until_text("best of times", ".settled")
        early = await opened.settled()
        assert len(early.split()) < 60
        await opened.until_text("comparison only")
        await opened.stop()
        text = await opened.settled()
        assert text.startswith(early)
        assert await opened.draft() == ""
        assert error_rate(text) <= 0.1
        assert float((await opened.page.inner_text(".turn-time")).replace("0:", "")) <= 2


async def test_what_is_said_while_paused_is_not_heard(
    english_server: Any, open_page: Any, spoken: Any, fox: Path, clips: Path
) -> None:
    sound = spoken(fox, clips / "en" / "counting.wav", fox)
    async with open_page(english_server.http, sound=sound) as opened:
        await opened.page.click("#microphone")
        await opened.until_text("lazy")
        await opened.page.click("#pause")
        await opened.state("paused")
        assert await opened.page.inner_text("#pause") == "Resume"
        await opened.until_text("dog", ".settled")
        elapsed = await opened.page.inner_text("#elapsed")
        await opened.page.wait_for_timeout(1_500)
        assert await opened.page.inner_text("#elapsed") == elapsed
        assert await opened.page.get_attribute("#level", "aria-valuenow") == "0"
        await opened.page.click("#pause")
        await opened.state("live")
        await opened.page.wait_for_function("(before) => document.querySelector('#elapsed').textContent != before", arg=elapsed)
        await opened.stop()


async def test_meters_show_level_delay_and_language(server: Any, open_page: Any, spoken: Any, fox: Path) -> None:
    async with open_page(server.http, sound=spoken(fox, fox)) as opened:
        await opened.page.click("#microphone")
        await opened.page.wait_for_function("() => Number(document.querySelector('#level').ariaValueNow) > 20")
        await opened.until_text("English", "#heard-language")
        await opened.until_text(r"^\d+\.\d s$", "#delay")
        await opened.stop()


async def test_a_second_start_goes_on_after_the_first(english_server: Any, open_page: Any, spoken: Any, fox: Path) -> None:
    async with open_page(english_server.http, sound=spoken(fox)) as opened:
        for text in ("lazy dog", "lazy dog.*lazy dog"):
            await opened.page.click("#microphone")
            await opened.until_text(text, ".settled")
            await opened.stop()
        times = await opened.page.locator(".turn-time").all_inner_texts()
        assert len(times) == 2
        assert times[0] < times[1]
        # Turns of the second session lie behind those of the first on one timeline.
        ends = await opened.page.evaluate("[...document.querySelectorAll('.word')].map((w) => w.source.word.end)")
        assert ends == sorted(ends)
