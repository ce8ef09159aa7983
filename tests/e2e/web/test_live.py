from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.model, pytest.mark.timeout(600)]


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
        await opened.page.wait_for_function(
            "(before) => document.querySelector('#elapsed').textContent != before", arg=elapsed
        )
        await opened.stop()


async def test_a_browser_that_cannot_convert_the_rate_is_helped(
    english_server: Any, open_page: Any, spoken: Any, fox: Path
) -> None:
    """Firefox connects a microphone only to a context of the microphone's own rate."""
    async with open_page(english_server.http, sound=spoken(fox)) as opened:
        await opened.page.evaluate(
            """() => {
              const connect = AudioContext.prototype.createMediaStreamSource;
              AudioContext.prototype.createMediaStreamSource = function (stream) {
                window.rate = this.sampleRate;
                if (this.sampleRate === 24000) throw new DOMException("other rate", "NotSupportedError");
                return connect.call(this, stream);
              };
            }"""
        )
        await opened.page.click("#microphone")
        await opened.until_text("quick brown fox.*lazy dog", ".settled")
        assert await opened.page.evaluate("window.rate") != 24_000
        await opened.stop()


async def test_meters_show_level_delay_and_language(server: Any, open_page: Any, spoken: Any, fox: Path) -> None:
    async with open_page(server.http, sound=spoken(fox, fox)) as opened:
        await opened.page.click("#microphone")
        await opened.page.wait_for_function("() => Number(document.querySelector('#level').ariaValueNow) > 20")
        await opened.until_text("English", "#heard-language")
        await opened.until_text(r"^\d+\.\d s$", "#delay")
        await opened.stop()


async def test_a_second_start_goes_on_after_the_first(
    english_server: Any, open_page: Any, spoken: Any, fox: Path
) -> None:
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


async def test_what_was_said_right_before_stop_is_settled(
    english_server: Any, open_page: Any, spoken: Any, fox: Path
) -> None:
    async with open_page(english_server.http, sound=spoken(fox)) as opened:
        await opened.page.click("#microphone")
        await opened.page.wait_for_selector(".draft:not(:empty)")
        assert await opened.settled() == ""
        await opened.stop()
        assert "quick brown" in await opened.settled()
        assert await opened.draft() == ""


async def test_stop_while_the_microphone_is_asked_for_gives_it_up(
    english_server: Any, open_page: Any, spoken: Any, fox: Path
) -> None:
    async with open_page(english_server.http, sound=spoken(fox)) as opened:
        await opened.page.evaluate(
            """() => {
              const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
              navigator.mediaDevices.getUserMedia = async (wanted) => {
                await new Promise((allow) => { window.allow = allow; });
                window.stream = await ask(wanted);
                return window.stream;
              };
            }"""
        )
        await opened.page.click("#microphone")
        await opened.page.wait_for_function("() => window.allow")
        await opened.page.click("#stop")
        await opened.state("idle")
        assert await opened.page.inner_text("#trouble") == ""
        await opened.page.evaluate("window.allow()")
        await opened.page.wait_for_function("() => window.stream?.getTracks().every((t) => t.readyState === 'ended')")
        assert await opened.page.locator("body[data-state='idle']").count() == 1


async def test_sound_that_the_system_takes_away_is_told_until_it_is_back(
    english_server: Any, open_page: Any, spoken: Any, fox: Path
) -> None:
    async with open_page(english_server.http, sound=spoken(fox, fox)) as opened:
        await opened.page.evaluate(
            """() => {
              const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
              navigator.mediaDevices.getUserMedia = async (wanted) => (window.stream = await ask(wanted));
              window.tell = (type) => window.stream.getAudioTracks()[0].dispatchEvent(new Event(type));
            }"""
        )
        await opened.page.click("#microphone")
        await opened.state("live")
        await opened.page.evaluate("window.tell('mute')")
        await opened.until_text("has muted the sound", "#notice")
        await opened.page.evaluate("window.tell('unmute')")
        await opened.until_text("^$", "#notice")
        await opened.until_text("lazy dog", ".settled")
        await opened.stop()


async def test_a_shared_tab_is_captioned_and_stops_with_its_sound(
    english_server: Any, open_page: Any, spoken: Any, fox: Path
) -> None:
    """A headless browser has no dialog to share a tab: the sound it would give comes from the fake microphone."""
    async with open_page(english_server.http, sound=spoken(fox)) as opened:
        await opened.page.evaluate(
            """() => {
              window.fetch = new Proxy(fetch, { apply: (ask, page, given) => (window.asked = true, ask(...given)) });
              navigator.mediaDevices.getDisplayMedia = async (wanted) => {
                window.wanted = { ...wanted, first: !window.asked };
                window.stream = await navigator.mediaDevices.getUserMedia({ audio: true });
                document.createElement("canvas").captureStream().getTracks().forEach((t) => window.stream.addTrack(t));
                return window.stream;
              };
            }"""
        )
        await opened.page.click("#tab")
        await opened.until_text("lazy dog", ".settled")
        assert await opened.page.evaluate("Boolean(window.wanted.audio && window.wanted.video)")
        # The press that browsers ask for must not have to outlive a request.
        assert await opened.page.evaluate("window.wanted.first && window.asked")
        await opened.page.evaluate(
            "window.stream.getTracks().forEach((track) => { track.stop(); track.dispatchEvent(new Event('ended')); })"
        )
        assert "sound has ended" in await opened.trouble()
        await opened.state("idle")


async def test_a_tab_without_sound_is_explained(english_server: Any, open_page: Any) -> None:
    async with open_page(english_server.http) as opened:
        await opened.page.evaluate(
            "() => { navigator.mediaDevices.getDisplayMedia = async () => "
            "document.createElement('canvas').captureStream(); }"
        )
        await opened.page.click("#tab")
        assert "no sound" in await opened.trouble()
