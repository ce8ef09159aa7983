"""What the server counts, in Prometheus' terms. Each server has a registry of its own."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

STEP_BUCKETS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
LAG_BUCKETS = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 10.0, 20.0, 60.0)


class Metrics:
    """The server's metrics."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.active_streams = Gauge("wavescribe_active_streams", "Live streams that are open", registry=self.registry)
        self.refused_streams = Counter(
            "wavescribe_refused_streams", "Live streams refused because the server was full", registry=self.registry
        )
        self.step_seconds = Histogram(
            "wavescribe_step_seconds", "Wall time of an engine call", buckets=STEP_BUCKETS, registry=self.registry
        )
        self.steps_failed = Counter(
            "wavescribe_steps_failed", "Steps that the engine failed on", registry=self.registry
        )
        self.lag_seconds = Histogram(
            "wavescribe_lag_seconds",
            "Audio received and not yet decoded when text settled, in seconds of audio",
            buckets=LAG_BUCKETS,
            registry=self.registry,
        )
        self.audio_seconds = Counter(
            "wavescribe_audio_seconds", "Audio received by live streams, in seconds", registry=self.registry
        )
        self.words = Counter("wavescribe_words", "Units of text settled", registry=self.registry)
        self.turns_failed = Counter("wavescribe_turns_failed", "Turns that ended in failure", registry=self.registry)
        self.files = Counter("wavescribe_files", "Files transcribed", ["outcome"], registry=self.registry)
