from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.browser

RECORDED = """(() => {
  const recording = new m.Recording(given.seconds);
  let value = 0;
  for (const size of given.blocks) {
    recording.append(Int16Array.from({ length: size }, () => value++ % 30000));
  }
  const slice = [...recording.slice(given.from, given.to)];
  return { start: recording.start, end: recording.end, first: slice[0], last: slice.at(-1), length: slice.length };
})()"""


async def test_a_stretch_over_blocks_comes_back_as_it_was(run: Any) -> None:
    given = {"seconds": 10, "blocks": [1_200, 23_000, 1, 40_000], "from": 23_900, "to": 50_000}
    got = await run("recording", RECORDED, given)
    assert got == {"start": 0, "end": 64_201, "first": 23_900, "last": 49_999 % 30_000, "length": 26_100}


async def test_the_oldest_seconds_are_forgotten_at_the_bound_and_positions_stay(run: Any) -> None:
    got = await run("recording", RECORDED, {"seconds": 2, "blocks": [24_000 * 4 + 10], "from": 0, "to": 10**9})
    assert (got["start"], got["end"]) == (3 * 24_000, 4 * 24_000 + 10)
    assert got["first"] == 3 * 24_000 % 30_000
    assert got["length"] == 24_010
