"""Who is let in: places for live streams, on the whole and for each key, and none when the machine is full."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from wavescribe.errors import OverloadedError
from wavescribe.serving.load import Load
from wavescribe.serving.metrics import Metrics

SOUND_SECONDS = 1.4
"""Sound that nearly every word waits for before it settles, at the default delay: part of its lag on any machine."""

RETRY_SECONDS = 10
"""What a refused client is told to wait."""


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why nobody is let in: the metric's label, and what the client is told."""

    reason: str
    message: str


class Admission:
    """Places for live streams.

    Args:
        most: places in all.
        most_of_a_key: places of one owner; 0 for no limit.
        most_lag: seconds after its end at which a word has to have settled, at the 95th percentile; a stream that
            would make it later is refused. 0 for no limit.
        least_interval: seconds between two steps of a stream on an idle machine.
        load: the measured load.
        metrics: where places and refusals are counted.
        clock: seconds, monotonic.
        most_in_memory: streams whose state fits the engine's memory; None where it keeps none.
    """

    def __init__(
        self,
        *,
        most: int,
        most_of_a_key: int,
        most_lag: float,
        least_interval: float,
        load: Load,
        metrics: Metrics,
        clock: Callable[[], float],
        most_in_memory: int | None = None,
    ) -> None:
        self._most = most
        self._most_in_memory = most_in_memory
        self._most_of_a_key = most_of_a_key
        self._most_lag = most_lag
        self._least_interval = least_interval
        self._load = load
        self._metrics = metrics
        self._clock = clock
        self._taken: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        """Places that are taken."""
        return self._taken.total()

    @contextmanager
    def place(self, owner: str = "", *, is_last_try: bool = True) -> Iterator[None]:
        """Hold a place.

        Args:
            owner: whose it is; "" for nobody known, who has no limit of his own.
            is_last_try: whether a refusal is one, and counts; else it is tried again.

        Raises:
            OverloadedError: the server or its machine is full, or the owner has all the places that one may have.
        """
        if (refusal := self._refusal(owner)) is not None:
            if is_last_try:
                self._metrics.refused_streams.labels(refusal.reason).inc()
            raise OverloadedError(refusal.message, retry_after=RETRY_SECONDS)
        self._taken[owner] += 1
        self._metrics.active_streams.inc()
        try:
            yield
        finally:
            self._taken[owner] -= 1
            self._taken += Counter()  # owners without a place are forgotten
            self._metrics.active_streams.dec()

    def _refusal(self, owner: str) -> _Refusal | None:
        if self.taken >= self._most:
            return _Refusal("sessions", f"Maximum concurrent sessions reached ({self._most}).")
        if self._most_in_memory is not None and self.taken >= self._most_in_memory:
            message = f"The model's memory holds the state of {self._most_in_memory} live streams, and all are open."
            return _Refusal("memory", message)
        if owner and self._most_of_a_key and self._taken[owner] >= self._most_of_a_key:
            return _Refusal("key", f"Maximum concurrent sessions of one key reached ({self._most_of_a_key}).")
        if self._most_lag and self.taken and self._expected_lag() > self._most_lag:
            message = "This machine transcribes as much live speech as it can; text would get later than "
            return _Refusal("lag", f"{message}{self._most_lag:g} s. Try again later.")
        return None

    def _expected_lag(self) -> float:
        """The lag that late words would have with one stream more.

        A late word waits for sound, for the next step and for that step's turn among those of all streams. With one
        Whisper base's stream, 6 and 8 that gives 2.6, 3.7 and 4.6 s where 2.7, 3.5 and 4.1 s were measured, with 12 and
        14 of tiny.en's 3.8 and 4.3 s where 3.4 and 5.5 s were (docs/performance.md). What is measured counts as well as
        what is computed: it knows of other programs on the machine.
        """
        now, load = self._clock(), self._load
        interval = load.interval_with_another(now)
        return SOUND_SECONDS + max(self._least_interval, interval) + max(interval, load.lag(now))
