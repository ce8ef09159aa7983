from __future__ import annotations

import multiprocessing
import platform
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from wavescribe.serving.allocator import keep_memory_at_hand, keep_memory_compact

LARGE, BLOCKS = 50_000, 200
"""float32 values of a large block (200 kB), and how many there are at once: 40 MB."""


def megabytes() -> float:
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


def left_behind_by_large_blocks() -> float:
    """Megabytes that stay the process's after large blocks between small ones were freed."""
    assert keep_memory_compact()
    np.ones(10 * LARGE, dtype=np.float32)  # by default, freeing this one makes the heap take all smaller ones
    before = megabytes()
    large, small = [], []
    for _ in range(BLOCKS):
        large.append(np.ones(LARGE, dtype=np.float32))
        small.append(np.ones(300, dtype=np.float32))
    large.clear()
    assert len(small) == BLOCKS
    return megabytes() - before


def left_at_hand_by_large_blocks() -> float:
    """Megabytes that stay the process's after all large blocks were freed."""
    assert keep_memory_at_hand()
    before = megabytes()
    large = [np.ones(LARGE, dtype=np.float32) for _ in range(BLOCKS)]
    large.clear()
    return megabytes() - before


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is glibc's allocator that is told")
def test_freed_sound_is_given_back() -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as processes:
        assert processes.submit(left_behind_by_large_blocks).result() < 10


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is glibc's allocator that is told")
def test_what_a_decode_took_stays_at_hand() -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as processes:
        assert processes.submit(left_at_hand_by_large_blocks).result() > 30
