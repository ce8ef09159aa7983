"""Streams that have left, told to engines that keep state of streams: at once, or when their last step is done."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from wavescribe.engines.base import Engine, KeepsState

logger = logging.getLogger(__name__)


class Departures:
    """Tells an engine which streams have left. It never blocks: a thread of its own does the telling.

    A stream may leave while the engine still works on a step of it, or is about to. What that step leaves behind has to
    go too: the stream is told after it.

    Args:
        engine: any engine; nothing happens for one that keeps no state.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine if isinstance(engine, KeepsState) else None
        self._under_way: Counter[str] = Counter()
        self._left: set[str] = set()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="forget")

    def begin(self, streams: Iterable[str]) -> None:
        """An engine call with steps of these streams begins."""
        self._under_way.update(streams)

    def end(self, streams: Iterable[str]) -> None:
        """Such a call has ended."""
        self._under_way.subtract(streams)
        self._under_way += Counter()  # streams without a call are forgotten
        for stream in [each for each in self._left if not self._under_way[each]]:
            self._left.remove(stream)
            self._tell(stream)

    def leave(self, stream: str) -> None:
        """A stream has left."""
        if self._engine is None:
            return
        if self._under_way[stream]:
            self._left.add(stream)
        else:
            self._tell(stream)

    def close(self, *, wait: bool = False) -> None:
        """Tell of no more streams than have left.

        Args:
            wait: whether the telling of those is waited for; this blocks.
        """
        self._engine = None
        self._thread.shutdown(wait=wait)

    def _tell(self, stream: str) -> None:
        if self._engine is not None:
            self._thread.submit(self._engine.forget, stream).add_done_callback(_log_failure)


def _log_failure(told: Future[None]) -> None:
    if not told.cancelled() and (error := told.exception()) is not None:
        logger.error("the engine could not forget a stream", exc_info=error)
