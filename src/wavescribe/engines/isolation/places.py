"""Who gets an engine process next: live streams before files, and never all of them for files."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from wavescribe.engines.isolation.process import EngineProcess
from wavescribe.errors import EngineLostError


class Places:
    """The engine processes that are at hand; taken and given back by threads.

    Args:
        patience: seconds that a taker waits for a process while none is alive.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._idle: deque[EngineProcess] = deque()
        self._alive: set[EngineProcess] = set()
        self._changed = threading.Condition()
        self._live_waiting = 0
        self._files_inside = 0

    @property
    def alive(self) -> int:
        """Processes that are loaded and have not been lost."""
        return len(self._alive)

    def add(self, process: EngineProcess) -> None:
        """A process is ready."""
        with self._changed:
            self._alive.add(process)
            self._idle.append(process)
            self._changed.notify_all()

    def lose(self, process: EngineProcess) -> None:
        """The process of a call is gone."""
        with self._changed:
            self._alive.discard(process)
            self._changed.notify_all()

    def lose_idle(self, process: EngineProcess) -> bool:
        """A process is gone; False when its call hears of that, True when it had none and nobody gets it any more."""
        with self._changed:
            self._changed.wait_for(lambda: process in self._idle or process not in self._alive)
            if process not in self._alive:
                return False
            self._idle.remove(process)
            self._alive.discard(process)
            self._changed.notify_all()
            return True

    @contextmanager
    def live(self) -> Iterator[EngineProcess]:
        """A process for a live step.

        Raises:
            EngineLostError: none is alive, and none came in time.
        """
        with self._changed:
            self._live_waiting += 1
            try:
                self._wait(lambda: bool(self._idle))
                process = self._idle.popleft()
            finally:
                self._live_waiting -= 1
        with self._taken(process):
            yield process

    @contextmanager
    def file(self, wanted: EngineProcess | None = None) -> Iterator[EngineProcess]:
        """A process for a piece of a file's work, when no live step waits; one of several is always left to those.

        Args:
            wanted: the process that has begun the file, or None for any.

        Raises:
            EngineLostError: the process wanted is gone, or none came in time.
        """
        with self._changed:
            self._wait(lambda: self._has_gone(wanted) or self._file_may_run(wanted))
            if self._has_gone(wanted):
                raise EngineLostError("the process that transcribed the file is gone")
            process = wanted or self._idle[0]
            self._idle.remove(process)
            self._files_inside += 1
        try:
            with self._taken(process):
                yield process
        finally:
            with self._changed:
                self._files_inside -= 1
                self._changed.notify_all()

    @contextmanager
    def this(self, wanted: EngineProcess) -> Iterator[EngineProcess]:
        """A certain process, as soon as it has nothing else to do; for what takes no time.

        Raises:
            EngineLostError: it is gone.
        """
        with self._changed:
            self._wait(lambda: self._has_gone(wanted) or wanted in self._idle)
            if self._has_gone(wanted):
                raise EngineLostError("the process is gone")
            self._idle.remove(wanted)
        with self._taken(wanted):
            yield wanted

    @contextmanager
    def _taken(self, process: EngineProcess) -> Iterator[None]:
        try:
            yield
        finally:
            with self._changed:
                if process in self._alive:
                    self._idle.append(process)
                self._changed.notify_all()

    def _has_gone(self, process: EngineProcess | None) -> bool:
        return process is not None and process not in self._alive

    def _file_may_run(self, wanted: EngineProcess | None) -> bool:
        if self._live_waiting or self._files_inside >= max(1, len(self._alive) - 1):
            return False
        return wanted in self._idle if wanted is not None else bool(self._idle)

    def _wait(self, ready: Callable[[], bool]) -> None:
        """Wait, with the lock held; busy processes are waited for, missing ones only for a while."""
        deadline = time.monotonic() + self._patience
        while not ready():
            if self._alive:
                deadline = time.monotonic() + self._patience
            if not self._changed.wait(max(0.0, deadline - time.monotonic())) and not self._alive:
                raise EngineLostError(f"no engine process was there for {self._patience:g} s")
