from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.model, pytest.mark.timeout(600)]

DROP = """async ([name, encoded]) => {
  const bytes = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name, { type: "audio/wav" }));
  for (const kind of ["dragenter", "dragover"]) {
    document.body.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
  }
  const shown = !document.getElementById("drop").hidden;
  document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  return shown;
}"""

WATCH_SOUND = """() => {
  window.played = [];
  const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function () {
    const from = this.currentTime;
    this.addEventListener("pause", () => window.played.push([from, this.currentTime]), { once: true });
    return play.call(this);
  };
  const start = AudioBufferSourceNode.prototype.start;
  AudioBufferSourceNode.prototype.start = function () {
    const samples = this.buffer.getChannelData(0);
    window.played.push([this.buffer.duration, Math.max(...samples)]);
    return start.call(this);
  };
}"""


async def test_a_dropped_file_is_transcribed_with_progress(
    server: Any, open_page: Any, encoded: Any, two_cities: Path, error_rate: Any
) -> None:
    async with open_page(server.http) as opened:
        labels = await opened.page.evaluate_handle(
            """() => {
              const labels = [];
              const watch = new MutationObserver(() => labels.push([
                document.getElementById("progress-label").textContent, document.getElementById("progress").value]));
              watch.observe(document.getElementById("progress-label"), { childList: true });
              return labels;
            }"""
        )
        assert await opened.page.evaluate(DROP, ["two cities.wav", encoded(two_cities)])
        assert await opened.page.locator("#drop").is_hidden()
        await opened.until_text(r"Transcribing \d:\d\d of 0:44", "#progress-label")
        await opened.until_text("best of times", ".settled")
        await opened.state("idle")
        assert error_rate(await opened.settled()) <= 0.1
        parts = [part for label, part in await labels.json_value() if "of 0:44" in label]
        assert len(parts) > 3
        assert parts == sorted(parts)
        assert 0 < parts[0] < 0.6
        assert len(await opened.page.locator(".turn").all()) > 1


async def test_a_clicked_word_of_a_file_is_heard_at_its_place(server: Any, open_page: Any, fox: Path) -> None:
    async with open_page(server.http, flags=("--autoplay-policy=no-user-gesture-required",)) as opened:
        await opened.page.evaluate(WATCH_SOUND)
        await opened.page.set_input_files("#file", fox)
        await opened.state("idle")
        word = opened.page.get_by_text("jumps", exact=True)
        await word.click()
        await opened.page.wait_for_function("() => window.played.length === 1")
        [[start, end]] = await opened.page.evaluate("window.played")
        given = await word.evaluate("(span) => span.source.word")
        assert start == pytest.approx(max(0, given["start"] - 0.1), abs=0.01)
        assert given["end"] <= end < given["end"] + 1
        await opened.page.click(".turn-time")
        await opened.page.wait_for_function("() => window.played.length === 2")


async def test_a_clicked_word_of_live_captions_is_heard(
    english_server: Any, open_page: Any, spoken: Any, fox: Path
) -> None:
    async with open_page(english_server.http, sound=spoken(fox)) as opened:
        await opened.page.evaluate(WATCH_SOUND)
        await opened.page.click("#microphone")
        await opened.until_text("lazy dog", ".settled")
        await opened.page.get_by_text("brown", exact=True).click()
        await opened.page.wait_for_function("() => window.played.length === 1")
        [[seconds, loudest]] = await opened.page.evaluate("window.played")
        assert 0.3 < seconds < 2
        assert loudest > 0.02
        await opened.stop()


async def test_captions_are_downloaded_in_four_formats(
    english_server: Any, open_page: Any, fox: Path, tmp_path: Path
) -> None:
    async with open_page(english_server.http) as opened:
        assert await opened.page.locator("#keep").is_hidden()
        await opened.page.set_input_files("#file", fox)
        await opened.state("idle")
        saved: dict[str, str] = {}
        for kind in ("txt", "srt", "vtt", "json"):
            async with opened.page.expect_download() as coming:
                await opened.page.click(f"[data-format={kind}]")
            download = await coming.value
            assert download.suggested_filename == f"{fox.stem}.{kind}"
            await download.save_as(tmp_path / kind)
            saved[kind] = (tmp_path / kind).read_text()
        text = await opened.settled()
        assert saved["txt"].strip() == text
        assert re.fullmatch(
            rf"1\n00:00:0\d,\d{{3}} --> 00:00:0\d,\d{{3}}\n{re.escape(text[:10])}.*\n", saved["srt"], re.S
        )
        assert saved["vtt"].startswith("WEBVTT\n\n00:00:0")
        body = json.loads(saved["json"])
        assert (body["text"], body["model"], body["languages"]) == (text, "whisper-tiny.en", ["en"])
        assert [word["word"] for word in body["turns"][0]["words"]] == text.split()


async def test_a_file_can_be_cancelled(server: Any, open_page: Any, two_cities: Path) -> None:
    async with open_page(server.http) as opened:
        await opened.page.set_input_files("#file", two_cities)
        await opened.page.wait_for_selector(".word")
        await opened.page.click("#cancel")
        await opened.state("idle")
        assert await opened.page.inner_text("#trouble") == ""
        assert "comparison only" not in await opened.settled()


async def test_captions_are_not_thrown_away_without_consent(english_server: Any, open_page: Any, fox: Path) -> None:
    async with open_page(english_server.http) as opened:
        await opened.page.set_input_files("#file", fox)
        await opened.until_text("lazy dog", ".settled")
        await opened.state("idle")
        await opened.page.click("#clear")
        await opened.page.click("#clear-dialog [data-close]")
        assert "lazy dog" in await opened.settled()
        await opened.page.click("#clear")
        await opened.page.click("#clear-dialog [value=clear]")
        await opened.page.wait_for_selector("body[data-empty]")
        assert await opened.settled() == ""
        assert await opened.page.locator("#keep").is_hidden()
