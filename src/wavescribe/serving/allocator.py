"""How glibc's allocator serves the server, which takes and leaves large blocks of sound, and its engine processes."""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""Parameters of mallopt(3), as malloc.h numbers them."""

LARGE_BYTES = 64 * 1024
"""Blocks from here on, a second of sound and more, are the kernel's again as soon as they are free."""

HEAP_BYTES = 32 * 1024 * 1024
"""The largest blocks that come from the heap: the most that mallopt(3) allows."""

KEPT_BYTES = 1024 * 1024 * 1024
"""Free memory at the end of the heap that is not given back: more than a decode takes."""


def keep_memory_compact() -> bool:
    """Keep the memory that freed sound leaves behind small; to be called before threads are started.

    By default each thread takes its blocks from a heap of its own, and after the first large block was freed also the
    large ones: streams that come and go leave holes that no other thread fills.

    Returns:
        Whether the allocator took it; others than glibc's have no such parameters.
    """
    return _tell((M_MMAP_THRESHOLD, LARGE_BYTES), (M_ARENA_MAX, 1))


def keep_memory_at_hand() -> bool:
    """Keep what a decode took for the next one; to be called before threads are started.

    By default the end of the heap goes back to the kernel after each decode and is cleared for the next one, and each
    thread does so with a heap of its own.

    Returns:
        Whether the allocator took it; others than glibc's have no such parameters.
    """
    return _tell((M_TRIM_THRESHOLD, KEPT_BYTES), (M_MMAP_THRESHOLD, HEAP_BYTES), (M_ARENA_MAX, 1))


def _tell(*parameters: tuple[int, int]) -> bool:
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(mallopt(parameter, value) for parameter, value in parameters)
