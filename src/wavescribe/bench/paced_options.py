"""The options that `latency`, `load` and `compare` share: which server, what is said to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, get_args

import typer

from wavescribe.bench.asked_session import DEFAULT_RATE
from wavescribe.bench.gold_times import RATE, GoldTimes
from wavescribe.bench.material import spoken_recordings
from wavescribe.bench.realtime_client import Target
from wavescribe.bench.server_process import ServerProcess, server_process
from wavescribe.bench.stream_plan import StreamPlan, Turns, gap_seconds, plan_streams
from wavescribe.engines.whisper import load_whisper
from wavescribe.errors import ConfigurationError

Corpus = Annotated[
    Path | None, typer.Option(help="Directory of manifest.jsonl; without it, recordings of installed packages.")
]
Url = Annotated[
    str, typer.Option(help="Server to measure, http(s) or ws(s); without it, one is started on this machine.")
]
ServerFlags = Annotated[
    list[str] | None, typer.Argument(help="After --, flags of the server that is started: -- --workers 2")
]
Model = Annotated[str, typer.Option(help="The transcription model's name for sessions at --url.")]
Seconds = Annotated[float, typer.Option(help="Audio of each stream, in seconds.")]
TurnsOption = Annotated[
    str,
    typer.Option(
        help="Who ends turns: manual (the client, 0.2 s after each recording's speech), server, or none (one turn)."
    ),
]
SilenceMs = Annotated[int, typer.Option(help="Silence that ends a turn where the server ends them.")]
Rate = Annotated[
    int | None,
    typer.Option(help="Samples per second on the wire; without it, 16000 to a server started here, 24000 to others."),
]
Language = Annotated[str, typer.Option(help="ISO 639-1 code of what is said.")]
Kinds = Annotated[str, typer.Option(help="Kinds of recordings that are said.")]
ApiKey = Annotated[str, typer.Option(envvar="WAVESCRIBE_BENCH_API_KEY", help="Sent as a bearer token, to every URL.")]
Aligner = Annotated[str, typer.Option(help="The Whisper model that finds the times of the gold words.")]
Output = Annotated[Path | None, typer.Option(help="Write JSON, pictures and report.html into this directory.")]


def checked_turns(text: str) -> Turns:
    """The name of who ends turns.

    Raises:
        ConfigurationError: there is no such way.
    """
    for known in get_args(Turns):
        if text == known:
            return known  # type: ignore[no-any-return]  # get_args gives the literals as Any
    raise ConfigurationError(f"--turns {text!r} is unknown; expected one of {', '.join(get_args(Turns))}")


def wire_rate(rate: int | None, url: str) -> int:
    """Samples per second on the wire: as given, or what the server takes.

    Args:
        rate: as given, or None.
        url: of the server, "" for one that is started here; others may know no other rate than the API's own.
    """
    return rate or (DEFAULT_RATE if url else RATE)


@dataclass(frozen=True, slots=True)
class Speech:
    """What is said to a server.

    Attributes:
        corpus: directory, or None for installed recordings.
        kinds: kinds of recordings, separated by commas.
        language: ISO 639-1 code.
        seconds: audio of each stream.
        turns: who ends turns.
        aligner: the model that finds the times of the gold words.
        silence_ms: silence that ends a turn where the server ends them.
    """

    corpus: Path | None
    kinds: str
    language: str
    seconds: float
    turns: Turns
    aligner: str
    silence_ms: int

    def plans(self, streams: int) -> list[StreamPlan]:
        """A plan for each of so many streams.

        Raises:
            ConfigurationError: there are no such recordings.
        """
        recordings = spoken_recordings(self.corpus, self.kinds.split(","), [self.language])
        engine = load_whisper(self.aligner, threads_per_worker=2)
        try:
            return plan_streams(
                recordings,
                GoldTimes(engine),
                streams=streams,
                seconds=self.seconds,
                turns=self.turns,
                gap_seconds=gap_seconds(self.turns, self.silence_ms),
            )
        finally:
            engine.close()


@contextmanager
def measured_server(target: Target, flags: list[str]) -> Iterator[tuple[Target, ServerProcess | None]]:
    """The server at the target's URL, or where it has none one started with the flags.

    Raises:
        ConfigurationError: both a URL and flags are given.
        ServerFailedError: the server did not start.
    """
    if target.url:
        if flags:
            raise ConfigurationError("flags of a server are for one that is started here: leave out --url")
        yield target, None
        return
    with server_process(flags) as server:
        yield replace(target, url=server.url), server
