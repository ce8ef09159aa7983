"""What one stream adds to the server's metrics."""

from __future__ import annotations

from wavescribe.serving.metrics import Metrics
from wavescribe.streaming.events import Draft, Event, Settled, TurnCommitted, TurnEnded, TurnFailed


class StreamMetrics:
    """Counts one stream's audio and events.

    Args:
        metrics: the server's.
        live: whether it is a live stream; only those have latencies.
        sample_rate: samples per second of the events' positions.
    """

    def __init__(self, metrics: Metrics, *, live: bool, sample_rate: int) -> None:
        self._metrics = metrics
        self._live = live
        self._sample_rate = sample_rate
        self._skipped = 0
        self._committed: dict[int, float] = {}
        """When each turn that has not ended was committed."""
        self._asked: float | None = None
        """When the client ended the turn that the core is about to commit."""
        self._texted = -1
        """The last turn that has had text."""

    def fed(self, seconds: float) -> None:
        """Audio came."""
        self._metrics.audio_seconds.inc(seconds)

    def skipped(self, steps: int) -> None:
        """The stream has skipped so many steps in all."""
        if steps > self._skipped:
            self._metrics.steps_skipped.inc(steps - self._skipped)
            self._skipped = steps

    def mute(self) -> None:
        """The stream had speech and gave no text for long."""
        self._metrics.mute_streams.inc()

    def end_asked(self, at: float) -> None:
        """The core comes to a turn's end that the client asked for, at that time of a monotonic clock."""
        self._asked = at

    def take(self, event: Event, *, lag: float, received: float, now: float) -> None:
        """Count an event.

        Args:
            event: the event.
            lag: seconds of audio received and not yet decoded.
            received: seconds of audio received.
            now: seconds of a monotonic clock.
        """
        match event:
            case Settled(words=words):
                self._metrics.words.inc(len(words))
                if self._live:
                    self._metrics.lag_seconds.observe(lag)
                self._first_text(event, received)
            case Draft(text=text) if text:
                self._first_text(event, received)
            case TurnCommitted(turn=turn):
                self._committed[turn] = now if self._asked is None else self._asked
                self._asked = None
            case TurnEnded(turn=turn) | TurnFailed(turn=turn):
                self._ended(turn, now)
                if isinstance(event, TurnFailed):
                    self._metrics.turns_failed.inc()
            case _:
                pass

    def _first_text(self, event: Settled | Draft, received: float) -> None:
        if event.turn == self._texted or event.cost is None:
            return
        self._texted = event.turn
        if self._live:
            self._metrics.first_text_seconds.observe(received - event.cost.start / self._sample_rate)

    def _ended(self, turn: int, now: float) -> None:
        committed = self._committed.pop(turn, None)
        if committed is not None and self._live:
            self._metrics.final_seconds.observe(now - committed)
