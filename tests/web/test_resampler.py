from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.browser

RESAMPLED = """(() => {
  const resampler = new m.Resampler(given.from, 24000);
  const output = [];
  for (let at = 0; at < given.samples.length; at += given.block) {
    output.push(...resampler.push(Float32Array.from(given.samples.slice(at, at + given.block))));
  }
  return output;
})()"""


def tone(frequency: float, rate: int, seconds: float = 0.5) -> list[float]:
    return [float(value) for value in np.sin(2 * np.pi * frequency * np.arange(int(rate * seconds)) / rate)]


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
async def test_a_tone_keeps_its_pitch_and_its_loudness(run: Any, rate: int) -> None:
    output = await run("resampler", RESAMPLED, {"from": rate, "samples": tone(1_000, rate), "block": 2_400})
    expected = np.array(tone(1_000, 24_000))
    assert 0 <= len(expected) - len(output) < 100
    inner = slice(200, len(output) - 200)
    assert np.abs(np.array(output)[inner] - expected[: len(output)][inner]).max() < 0.01


async def test_what_the_lower_rate_cannot_hold_is_filtered_out(run: Any) -> None:
    output = await run("resampler", RESAMPLED, {"from": 48_000, "samples": tone(16_000, 48_000), "block": 2_400})
    assert np.abs(np.array(output)[200:-200]).max() < 0.01


@pytest.mark.parametrize("block", [1, 127, 20_000])
async def test_the_size_of_blocks_changes_nothing(run: Any, block: int) -> None:
    given = {"from": 44_100, "samples": tone(440, 44_100, 0.2), "block": 441}
    expected = await run("resampler", RESAMPLED, given)
    output = await run("resampler", RESAMPLED, {**given, "block": block})
    assert output[: len(expected)] == expected[: len(output)]
    assert abs(len(output) - len(expected)) <= 1


async def test_the_same_rate_is_passed_through(run: Any) -> None:
    given = {"from": 24_000, "samples": [0.5, -0.5, 0.25], "block": 2}
    assert await run("resampler", RESAMPLED, given) == [0.5, -0.5, 0.25]
