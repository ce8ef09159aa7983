"""What the server counts, in Prometheus' terms. Each server has a registry of its own."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

STEP_BUCKETS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
LAG_BUCKETS = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 10.0, 20.0, 60.0)
LATENCY_BUCKETS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128)
FACTOR_BUCKETS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1.0, 2.0)


class Metrics:
    """The server's metrics."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._streams()
        self._steps()
        self._text()

    def watch(self, name: str, what: str, value: Callable[[], float]) -> None:
        """Add a gauge that is read when it is asked for.

        Args:
            name: without the prefix.
            what: its help.
            value: reads it.
        """
        Gauge(f"wavescribe_{name}", what, registry=self.registry).set_function(value)

    def _streams(self) -> None:
        self.active_streams = Gauge("wavescribe_active_streams", "Live streams that are open", registry=self.registry)
        self.refused_streams = Counter(
            "wavescribe_refused_streams",
            "Live streams refused, by reason: sessions, key, memory, lag, starting",
            ["reason"],
            registry=self.registry,
        )
        self.cut_streams = Counter(
            "wavescribe_cut_streams",
            "Live streams ended by a limit: backlog, session_length, idle, unread, message",
            ["limit"],
            registry=self.registry,
        )
        self.resumed_streams = Counter(
            "wavescribe_resumed_streams", "Sessions taken up by a client that came back", registry=self.registry
        )
        self.failed_streams = Counter(
            "wavescribe_failed_streams", "Live streams ended by a fault of the server", registry=self.registry
        )
        self.mute_streams = Counter(
            "wavescribe_mute_streams",
            "Times that a stream had speech and gave no text for long",
            registry=self.registry,
        )
        self.files = Counter("wavescribe_files", "Files transcribed", ["outcome"], registry=self.registry)
        self.refused_files = Counter(
            "wavescribe_refused_files",
            "Files refused by a limit: jobs, bytes, duration",
            ["limit"],
            registry=self.registry,
        )

    def _steps(self) -> None:
        self.step_seconds = Histogram(
            "wavescribe_step_seconds", "Wall time of an engine call", buckets=STEP_BUCKETS, registry=self.registry
        )
        self.step_factor = Histogram(
            "wavescribe_real_time_factor",
            "Wall time of a live step for each second of audio that is new in it",
            buckets=FACTOR_BUCKETS,
            registry=self.registry,
        )
        self.batch_size = Histogram(
            "wavescribe_batch_size", "Steps in an engine call", buckets=BATCH_BUCKETS, registry=self.registry
        )
        self.steps_failed = Counter(
            "wavescribe_steps_failed", "Steps that the engine failed on", registry=self.registry
        )
        self.steps_skipped = Counter(
            "wavescribe_steps_skipped", "Steps that live streams skipped under load", registry=self.registry
        )

    def _text(self) -> None:
        self.lag_seconds = Histogram(
            "wavescribe_lag_seconds",
            "Audio spoken and not yet decoded when text settled, in seconds of audio",
            buckets=LAG_BUCKETS,
            registry=self.registry,
        )
        self.first_text_seconds = Histogram(
            "wavescribe_first_text_seconds",
            "Audio from the start of a turn's speech to its first text, in seconds of audio received",
            buckets=LATENCY_BUCKETS,
            registry=self.registry,
        )
        self.final_seconds = Histogram(
            "wavescribe_final_seconds",
            "From a turn's end, asked for or detected, to its last text",
            buckets=LATENCY_BUCKETS,
            registry=self.registry,
        )
        self.audio_seconds = Counter(
            "wavescribe_audio_seconds", "Audio received by live streams, in seconds", registry=self.registry
        )
        self.words = Counter("wavescribe_words", "Units of text settled", registry=self.registry)
        self.turns_failed = Counter("wavescribe_turns_failed", "Turns that ended in failure", registry=self.registry)
