"""How glibc's allocator serves a process of many threads that take and leave large blocks of sound."""

from __future__ import annotations

import ctypes
import sys

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
"""Parameters of mallopt(3), as malloc.h numbers them."""

LARGE_BYTES = 64 * 1024
"""Blocks from here on, a second of sound and more, are the kernel's again as soon as they are free."""


def keep_memory_compact() -> bool:
    """Keep the memory that freed sound leaves behind small; to be called before threads are started.

    By default each thread takes its blocks from a heap of its own, and after the first large block was freed also the
    large ones: streams that come and go leave holes that no other thread fills.

    Returns:
        Whether the allocator took it; others than glibc's have no such parameters.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(M_MMAP_THRESHOLD, LARGE_BYTES) and mallopt(M_ARENA_MAX, 1))
