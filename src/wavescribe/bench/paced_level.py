"""One level of load: a number of paced streams at once against a server, and what came of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from wavescribe.bench.file_client import PacedUploads
from wavescribe.bench.heard import Heard, hear
from wavescribe.bench.metrics.final_latency import final_latencies
from wavescribe.bench.metrics.first_text import first_texts
from wavescribe.bench.metrics.percentiles import Distribution, distribution
from wavescribe.bench.metrics.settle_lag import settle_lags, stated_lags
from wavescribe.bench.metrics.word_errors import ErrorRate, error_rate, normalise
from wavescribe.bench.realtime_client import PacedStream, StreamRecord, Target
from wavescribe.bench.server_counters import counted_between, read_counters
from wavescribe.bench.server_process import ServerProcess
from wavescribe.bench.stream_plan import StreamPlan, messages

LEAD_SECONDS = 0.5
"""Time between the last session's opening and the first sample."""

SPREAD = 0.618
"""Streams begin so many seconds apart, modulo one: spread over a second, as people do not begin at once."""


@dataclass(frozen=True, slots=True)
class StreamResult:
    """One stream of a level; times in seconds.

    Attributes:
        text: what the server wrote.
        turns: its turns with text.
        errors: against the gold text, normalised.
        settle_lags: arrival of each gold word minus its end.
        stated_lags: the same by the word ends that the server gives; empty where it gives none.
        final_text: for each recording of which the last part came, its last settled text minus the end of its speech.
        final_completed: the same for its turn's completion.
        first_texts: for each turn, its first text, settled or draft, minus the start of its first recording's speech.
        missing: gold words that never came.
        utterances: recordings that were said.
        failures: errors, lost connections, failed turns.
        refused: how the server refused the stream because it is full, or "".
        contradictions: turns whose transcript is not the join of their deltas.
    """

    text: str
    turns: tuple[str, ...]
    errors: ErrorRate
    settle_lags: tuple[float, ...]
    stated_lags: tuple[float, ...]
    final_text: tuple[float, ...]
    final_completed: tuple[float, ...]
    first_texts: tuple[float, ...]
    missing: int
    utterances: int
    failures: tuple[str, ...]
    refused: str
    contradictions: int


@dataclass(frozen=True, slots=True)
class LevelResult:
    """A level's streams and what they cost.

    Attributes:
        streams: each stream's result.
        audio_seconds: that were sent.
        wall_seconds: from the first sample to the last event or message.
        throughput: seconds of audio a second: the sum over the streams, each to its own last event or message. It is
            nearly their number where the server keeps up.
        slip: of every message sent, seconds after its deadline.
        client_cpu_seconds: CPU of this process meanwhile.
        server_cpu_seconds: CPU of the server meanwhile, where it is a process of this measurement.
        steps_skipped: as the server counts them, or None where it does not.
    """

    streams: tuple[StreamResult, ...]
    audio_seconds: float
    wall_seconds: float
    throughput: float
    slip: Distribution | None
    client_cpu_seconds: float
    server_cpu_seconds: float | None
    steps_skipped: float | None

    @property
    def served(self) -> list[StreamResult]:
        """The streams that were not refused."""
        return [stream for stream in self.streams if not stream.refused]

    @property
    def missing(self) -> int:
        """Gold words of the streams that were taken that never came."""
        return sum(stream.missing for stream in self.served)

    @property
    def words(self) -> int:
        """Gold words of the streams that were taken."""
        return self.missing + sum(len(stream.settle_lags) for stream in self.served)

    @property
    def missing_share(self) -> float | None:
        """The share of the gold words of the streams that were taken that never came; None without words."""
        return self.missing / self.words if self.words else None

    @property
    def utterances(self) -> int:
        """Recordings that were said to the streams that were taken."""
        return sum(stream.utterances for stream in self.served)

    @property
    def contradictions(self) -> int:
        """Turns whose transcript is not the join of their deltas."""
        return sum(stream.contradictions for stream in self.streams)

    @property
    def refusals(self) -> int:
        """Streams that the server refused."""
        return len(self.streams) - len(self.served)

    @property
    def failures(self) -> list[str]:
        """What went wrong on any stream."""
        return [failure for stream in self.streams for failure in stream.failures]

    @property
    def errors(self) -> ErrorRate:
        """Word errors of all streams that were taken."""
        return ErrorRate.total(stream.errors for stream in self.served)

    def pooled(self, name: str) -> Distribution | None:
        """A lag of all streams' words or recordings together: `settle_lags`, `stated_lags`, `final_text`, ..."""
        return distribution([value for stream in self.served for value in getattr(stream, name)])


async def run_level(target: Target, plans: Sequence[StreamPlan], server: ServerProcess | None = None) -> LevelResult:
    """Run a stream for each plan, all at once, at the pace of speech.

    Args:
        target: the server.
        plans: one a stream.
        server: its process, where it is one of this measurement.
    """
    streams = [_stream(target, plan) for plan in plans]
    await asyncio.gather(*(stream.open() for stream in streams))
    counted = await asyncio.to_thread(read_counters, target.url)
    cpu, server_cpu = time.process_time(), server.cpu_seconds() if server else None
    began = time.monotonic() + LEAD_SECONDS
    offsets = [index * SPREAD % 1 for index in range(len(streams))]
    await asyncio.gather(*(stream.run(began + offset) for stream, offset in zip(streams, offsets, strict=True)))
    cpu = time.process_time() - cpu
    server_after = server.cpu_seconds() if server else None
    records = [stream.record for stream in streams]
    return LevelResult(
        streams=tuple(stream_result(record, plan) for record, plan in zip(records, plans, strict=True)),
        audio_seconds=sum(record.sent_seconds for record in records),
        wall_seconds=max(offset + _end(record) for record, offset in zip(records, offsets, strict=True)),
        throughput=sum(record.sent_seconds / end for record in records if (end := _end(record))),
        slip=distribution([slip for record in records for slip in record.slips]),
        client_cpu_seconds=cpu,
        server_cpu_seconds=None if server_cpu is None or server_after is None else server_after - server_cpu,
        steps_skipped=counted_between(counted, await asyncio.to_thread(read_counters, target.url), "skipped"),
    )


def _end(record: StreamRecord) -> float:
    """When the last thing happened on a stream; waiting for what never comes is not counted."""
    return max(record.sent_seconds, record.events[-1][0] if record.events else 0.0)


def _stream(target: Target, plan: StreamPlan) -> PacedStream | PacedUploads:
    if target.takes_files:
        return PacedUploads(target, plan)
    return PacedStream(target, messages(plan, target.rate))


def stream_result(record: StreamRecord, plan: StreamPlan) -> StreamResult:
    """What a stream's record is worth against its gold text."""
    heard = hear(record.events)
    lags = settle_lags(plan.words, heard.emissions)
    finals = final_latencies(plan.utterances, heard.emissions, heard.completed)
    language = plan.language
    return StreamResult(
        text=heard.text,
        turns=heard.turns,
        errors=error_rate([(normalise(plan.text, language), normalise(heard.text, language))]),
        settle_lags=lags.lags,
        stated_lags=stated_lags([word.text for word in plan.words], heard.stated),
        final_text=finals.text,
        final_completed=finals.completed if plan.turns != "none" else (),
        first_texts=first_texts(plan.utterances, heard.emissions, heard.shown),
        missing=lags.missing,
        utterances=len(plan.utterances),
        failures=(*record.failures, *_failures(heard)),
        refused=record.refused,
        contradictions=heard.contradictions,
    )


def _failures(heard: Heard) -> list[str]:
    failed = [f"{heard.failed} turns failed"] if heard.failed else []
    if heard.foreign and not heard.turns:
        failed.append(f"the server's events are of another protocol: {', '.join(sorted(heard.foreign))}")
    return failed
