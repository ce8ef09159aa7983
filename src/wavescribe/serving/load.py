"""How busy the workers are: what a step takes, how many streams speak, and how far behind they are."""

from __future__ import annotations

import math
from collections import deque

SPEAKING_SECONDS = 5.0
"""A stream whose last step is no older than this counts as speaking: nobody speaks for so long without one."""

LAG_SECONDS = 15.0
"""Lags of this long ago still tell how full the machine is."""

SMOOTHING = 0.1
"""Weight of the newest step in the mean: a pause's short steps and a loop's long retry are outliers."""

OWN_SHARE = 0.035
"""The part of a processor that a stream costs beside its decodes: 0.013 for protocol and voice activity detection in
the server's process; the rest is what decodes lose to so many streams (docs/performance.md)."""

LEAST_SHARE = 0.1
"""What the workers have left of their processors however many streams there are."""


class Load:
    """The measured load of one engine. It reads no clock: every call that depends on time is told it.

    Args:
        workers: steps at the same time.
        threads: processors that all workers together keep busy.
        processors: how many the machine has; None where the workers have their own.
    """

    def __init__(self, workers: int, *, threads: int = 1, processors: int | None = None) -> None:
        self._workers = workers
        self._threads = threads
        self._processors = processors
        self._expected_seconds = 0.0
        self._step_seconds: float | None = None
        self._last_step: dict[str, float] = {}
        self._lags: deque[tuple[float, float]] = deque()

    @property
    def step_seconds(self) -> float:
        """Seconds that a live step takes on its worker: a moving mean; what is expected before there is one."""
        return self._expected_seconds if self._step_seconds is None else self._step_seconds

    def expect(self, seconds: float) -> None:
        """What a step will probably take on a full machine."""
        self._expected_seconds = seconds

    def took(self, seconds: float) -> None:
        """A live step took so long on its worker."""
        mean = self._step_seconds
        self._step_seconds = seconds if mean is None else mean + SMOOTHING * (seconds - mean)

    def asked(self, stream: str) -> None:
        """A live stream has asked for a step: it counts as speaking as long as it waits for the answer."""
        self._last_step[stream] = math.inf

    def seen(self, stream: str, now: float) -> None:
        """A live stream has just been opened, or its step is answered."""
        self._last_step[stream] = now

    def left(self, stream: str) -> None:
        """A stream is closed."""
        self._last_step.pop(stream, None)

    def speaking(self, now: float) -> int:
        """Live streams that speak or have just been opened."""
        self._last_step = {stream: last for stream, last in self._last_step.items() if now - last <= SPEAKING_SECONDS}
        return len(self._last_step)

    def interval(self, now: float) -> float:
        """Seconds between two steps of a stream that the workers can keep up."""
        return self._interval(self.step_seconds, self.speaking(now))

    def interval_with_another(self, now: float) -> float:
        """The same with one stream more.

        Steps that took less than expected do not count: beside few others, or at the beginning of speech, their windows
        are shorter than on a full machine.
        """
        return self._interval(max(self.step_seconds, self._expected_seconds), self.speaking(now) + 1)

    def _interval(self, step_seconds: float, streams: int) -> float:
        lost = 0.0
        if self._processors is not None:
            lost = max(0.0, self._threads + OWN_SHARE * streams - self._processors)
        return step_seconds * streams / (self._workers * max(LEAST_SHARE, 1 - lost / self._threads))

    def settled(self, lag: float, now: float) -> None:
        """A live stream's text settled with so many seconds of audio not yet decoded."""
        self._lags.append((now, lag))
        self._forget(now)

    def lag(self, now: float, share: float = 0.95) -> float:
        """The percentile of the lags of late, in seconds of audio; 0 where none was measured."""
        self._forget(now)
        lags = sorted(lag for _, lag in self._lags)
        return lags[min(len(lags) - 1, int(len(lags) * share))] if lags else 0.0

    def _forget(self, now: float) -> None:
        while self._lags and now - self._lags[0][0] > LAG_SECONDS:
            self._lags.popleft()
