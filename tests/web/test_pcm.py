from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.browser


async def test_samples_become_the_nearest_integers_and_what_is_too_loud_is_cut(run: Any) -> None:
    pcm = await run("pcm", "[...m.toPcm16(Float32Array.from(given))]", [0, 1, -1, 3, -3, 0.5, 0.00001])
    assert pcm == [0, 32767, -32767, 32767, -32767, 16384, 0]


async def test_base64_holds_the_little_endian_bytes_of_long_packets_too(run: Any) -> None:
    samples = np.random.default_rng(1).integers(-32768, 32768, 20_001, dtype=np.int16)
    encoded = await run("pcm", "m.toBase64(Int16Array.from(given))", samples.tolist())
    assert base64.b64decode(encoded) == samples.astype("<i2").tobytes()


async def test_integers_become_the_samples_that_they_were(run: Any) -> None:
    back = await run("pcm", "[...m.toFloat(m.toPcm16(Float32Array.from(given)))]", [0.25, -0.75, 0])
    assert back == pytest.approx([0.25, -0.75, 0], abs=1e-4)
