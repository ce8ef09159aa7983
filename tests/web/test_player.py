from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.browser

SOUND = """(async () => {
  const { Recording } = await import("/web/scripts/recording.js");
  const recording = new Recording();
  recording.append(new Int16Array(48000));
  const sound = new m.RecordingSound(recording);
  const played = [0.1, 0.5].map((start) => sound.play(start, start + 0.2).then(() => "played", (error) => error.name));
  const outcomes = await Promise.all(played);
  sound.close();
  return outcomes;
})()"""


async def test_a_second_click_before_the_first_word_sounds_plays_the_second(run: Any) -> None:
    assert await run("player", SOUND) == ["played", "played"]
