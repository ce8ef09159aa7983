"""What the strategies cost on Qwen3-ASR: counted tokens and operations, and time on this machine.

python -m wavescribe.bench.qwen_cost --audio FILE                             a toy model, counted as if of 0.6B
python -m wavescribe.bench.qwen_cost --audio FILE --random-weights 0.6B       the real size, timed
python -m wavescribe.bench.qwen_cost --audio FILE --cut-pauses                speech that closes no segment
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from wavescribe.audio.decoding import decode_audio
from wavescribe.bench.hearing_anew import HearingAnew
from wavescribe.bench.pauses import without_pauses
from wavescribe.bench.streamed import run_streamed
from wavescribe.engines.base import (
    DecodeRequest,
    EngineInfo,
    FileOptions,
    FileTranscription,
    Hypothesis,
    Samples,
    StateReport,
)
from wavescribe.engines.qwen3.configuration import SHAPES, ModelShape
from wavescribe.engines.qwen3.options import FloorPolicy
from wavescribe.engines.qwen3.random_engine import RandomEngine, random_engine
from wavescribe.engines.qwen3.work import Work
from wavescribe.errors import ConfigurationError
from wavescribe.streaming.fitting import fitted
from wavescribe.streaming.parameters import StrategyName, StreamParameters

STEP_SECONDS = 2.0

LEAST_COLUMNS = 110
"""What the table needs; a pipe has 80."""


@dataclass(slots=True)
class CountingEngine:
    """An engine that notes the work of each decode.

    Attributes:
        engine: decodes.
        spent: the work of each decode, in order.
        seconds: the time of each decode.
    """

    engine: RandomEngine
    spent: list[Work] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def info(self) -> EngineInfo:
        """What the engine can do."""
        return self.engine.info

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        """Decode and note."""
        before, started = self.engine.streams.stepper.work.copy(), time.perf_counter()
        found = self.engine.decode(requests)
        self.seconds.append(time.perf_counter() - started)
        self.spent.append(self.engine.streams.stepper.work.minus(before))
        return found

    def transcribe_file(self, samples: Samples, options: FileOptions) -> FileTranscription:
        """Passed on."""
        return self.engine.transcribe_file(samples, options)

    @property
    def state(self) -> StateReport | None:
        """What the engine keeps of streams."""
        return self.engine.state

    def forget(self, stream_id: str) -> None:
        """Passed on."""
        self.engine.forget(stream_id)

    def close(self) -> None:
        """Passed on."""
        self.engine.close()


@dataclass(frozen=True, slots=True)
class Cost:
    """What one strategy cost.

    Attributes:
        name: the strategy, and whether state was kept.
        steps: decodes.
        tokens: new decoder tokens of a decode, mean and most.
        gigaflop: operations of a decode in the counted size, mean, most, and of the last one.
        seconds: time of a decode, mean and most.
    """

    name: str
    steps: int
    tokens: tuple[float, int]
    gigaflop: tuple[float, float, float]
    seconds: tuple[float, float]


def main(
    audio: Annotated[Path, typer.Option(help="A recording of speech.", exists=True, dir_okay=False)],
    seconds: Annotated[float, typer.Option(help="Length of the stream; the recording is repeated.")] = 60.0,
    random_weights: Annotated[str, typer.Option(help="Size that runs: toy, 0.6B or 1.7B.")] = "toy",
    counted: Annotated[str, typer.Option(help="Size whose operations are counted.")] = "0.6B",
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    cut_pauses: Annotated[bool, typer.Option("--cut-pauses", help="Cut the recording's pauses out.")] = False,
    feature_floor: Annotated[FloorPolicy, typer.Option(help="How the floor of the features is chosen.")] = "exact",
) -> None:
    """Stream a recording through every strategy, with state kept and without."""
    engine = random_engine(random_weights, device=device, floor=feature_floor)
    clip = decode_audio(audio, sample_rate=16_000, max_seconds=3600)
    clip = without_pauses(clip) if cut_pauses else clip
    if not len(clip):
        raise ConfigurationError(f"{audio}: nobody speaks in it")
    samples = np.tile(clip, int(-(-seconds * 16_000 // len(clip))))[: round(seconds * 16_000)]
    table = Table("strategy", "decodes", "tokens: mean", "most", "GFLOP: mean", "most", "last", "s: mean", "most")
    for cost in compare(engine, samples, SHAPES[counted if random_weights == "toy" else random_weights]):
        values = (*cost.tokens, *cost.gigaflop, *cost.seconds)
        table.add_row(cost.name, str(cost.steps), *(f"{value:.4g}" for value in values))
    Console(width=LEAST_COLUMNS if Console().width < LEAST_COLUMNS else None).print(table)


def compare(engine: RandomEngine, samples: Samples, counted: ModelShape) -> list[Cost]:
    """The cost of every strategy, as published and with kept state, on one recording.

    Args:
        engine: with random weights, of any size.
        samples: speech at 16 kHz.
        counted: the size whose operations are counted.
    """
    runs: list[tuple[StrategyName, bool]] = [
        ("cumulative", False),
        ("cumulative", True),
        ("sliced", False),
        ("windowed", False),
        ("windowed", True),
        ("segmented", True),
    ]
    return [_cost(engine, samples, counted, strategy, keeps) for strategy, keeps in runs]


def _cost(
    engine: RandomEngine, samples: Samples, counted: ModelShape, strategy: StrategyName, keeps_state: bool
) -> Cost:
    counting = CountingEngine(engine)
    streamed = counting if keeps_state else HearingAnew(counting)
    parameters = StreamParameters(strategy=strategy, step_seconds=STEP_SECONDS, language="en")
    run_streamed(streamed, samples, fitted(parameters, streamed.info))
    operations = [work.operations(counted) / 1e9 for work in counting.spent]
    tokens = [work.text_tokens for work in counting.spent]
    count = len(tokens)
    name = f"{strategy}, {'state kept' if keeps_state else 'every window anew'}"
    return Cost(
        name,
        count,
        (sum(tokens) / count, max(tokens)),
        (sum(operations) / count, max(operations), operations[-1]),
        (sum(counting.seconds) / count, max(counting.seconds)),
    )


if __name__ == "__main__":
    typer.run(main)
