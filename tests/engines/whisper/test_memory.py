from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from wavescribe.engines.base import DecodeRequest
from wavescribe.engines.whisper import load_whisper

WARM_UP, JUDGED = 60, 120
"""Windows that are decoded, each of another length."""

MOST_MEGABYTES = 30.0


def megabytes() -> float:
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


def growth_over_windows_of_every_length() -> float:
    engine = load_whisper("whisper-tiny.en", threads_per_worker=1)
    noise = np.random.default_rng(0).normal(0, 0.1, 10 * 16_000).astype(np.float32)
    # Longer ones first: what short windows add is not what a long one would have needed anyway.
    lengths = np.linspace(len(noise), 4 * 16_000, WARM_UP + JUDGED).astype(int)
    for length in lengths[:WARM_UP]:
        engine.decode([DecodeRequest(noise[:length], token_budget=10)])
    before = megabytes()
    for length in lengths[WARM_UP:]:
        engine.decode([DecodeRequest(noise[:length], token_budget=10)])
    return megabytes() - before


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="memory is read from Linux's /proc")
def test_windows_of_ever_other_lengths_take_no_more_memory() -> None:
    # A process of its own: in one where tests ran before, the kernels' place is filled already.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as processes:
        assert processes.submit(growth_over_windows_of_every_length).result() < MOST_MEGABYTES
