"""A source that is read in a thread of its own, so that it can be stopped while it waits for sound."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator

from wavescribe.engines.base import Samples

MOST_BLOCKS = 256
"""Blocks that wait to be taken; then the source is not read, and a pipe or a server holds what follows."""


MOST_LIVE_BLOCKS = 12_000
"""The same of a microphone, which nothing holds: ten minutes of 20 blocks a second, while a model is loaded."""


class Background:
    """Iterates over a source's blocks.

    The thread does not keep the program from ending: nothing can wake one that waits for a device or a network.

    Args:
        blocks: the source; read from one thread only.
        most: blocks that may wait.
    """

    def __init__(self, blocks: Iterator[Samples], most: int = MOST_BLOCKS) -> None:
        self._source = blocks
        self._most = most
        self._waiting: deque[Samples] = deque()
        self._changed = threading.Condition()
        self._ended = False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._read, name="audio source", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Samples]:
        """The blocks as they come, up to the end of the source or, after `stop`, to what was read by then.

        Raises:
            Exception: what the source raised.
        """
        while (block := self._take()) is not None:
            yield block

    def stop(self) -> None:
        """End the iteration; returns at once."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _take(self) -> Samples | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ended)
            if not self._waiting:
                if self._error is not None:
                    raise self._error
                return None
            self._changed.notify_all()
            return self._waiting.popleft()

    def _read(self) -> None:
        try:
            for block in self._source:
                if not self._put(block):
                    return
        except Exception as error:  # raised again where the blocks are taken
            self._error = error
        finally:
            self.stop()

    def _put(self, block: Samples) -> bool:
        """Add a block; False when nobody wants more."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._waiting) < self._most or self._ended)
            if self._ended:
                return False
            self._waiting.append(block)
            self._changed.notify_all()
            return True
