"""`wavescribe bench cost`: what streaming costs by length, for each strategy side by side, in one run on one engine.

Every length is a beginning of the same stream, so that one run of the longest gives the cost of all: what it had
cost when it had heard so much. The cumulative strategy costs more with each step; a run that passes its budget is
given up, and lengths beyond are told as such.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, get_args

import typer
from rich.console import Console
from rich.progress import track

from wavescribe.bench import paced_options as option
from wavescribe.bench.corpus import Recording, joined
from wavescribe.bench.cost_tables import cost_measurement
from wavescribe.bench.hearing_anew import HearingAnew
from wavescribe.bench.looped_clips import looped_clips
from wavescribe.bench.material import long_reading
from wavescribe.bench.offline import run_offline, warm_up
from wavescribe.bench.publishing import publish
from wavescribe.bench.strategy_cost import looped_text, strategy_cost
from wavescribe.bench.streamed import RATE
from wavescribe.engines.base import Engine
from wavescribe.engines.loading import load_engine, load_random_qwen3
from wavescribe.errors import ConfigurationError
from wavescribe.streaming.parameters import StrategyName


def cost(
    lengths: Annotated[str, typer.Option(help="Lengths in seconds.")] = "15,30,60,120,300,600,900",
    strategies: Annotated[str, typer.Option(help="Strategies to compare.")] = "cumulative,sliced,segmented,windowed",
    step_seconds: Annotated[float, typer.Option(help="Audio between two decodes of `windowed`.")] = 1.0,
    budget: Annotated[float, typer.Option(help="CPU seconds after which a strategy's run is given up.")] = 1800.0,
    loops: Annotated[
        bool, typer.Option(help="Measure over-emission on looped clips, too; never with random weights.")
    ] = True,
    model: Annotated[str, typer.Option(help="Model name, directory or Hugging Face id.")] = "whisper-base",
    random_weights: Annotated[
        str | None,
        typer.Option(
            help="For timing, in place of a model: Qwen3-ASR in this size (0.6B, 1.7B or toy) with random weights; it "
            "is made to write two and a half words a second."
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="Where the model runs: cpu or cuda.")] = "cpu",
    keep_state: Annotated[
        bool,
        typer.Option(
            "--keep-state/--hear-anew",
            help="Whether an engine that can continues the windows of a stream; the published recipes hear anew.",
        ),
    ] = True,
    corpus: option.Corpus = None,
    output: option.Output = None,
) -> None:
    """Compare what the strategies cost by length, and what they write of a clip said over and over."""
    wanted = _lengths(lengths)
    names = [checked_strategy(name) for name in strategies.split(",")]
    engine = _engine(model, random_weights, device, keep_state=keep_state)
    console = Console(stderr=True)
    recordings = long_reading(corpus)
    samples = joined(recordings, max(wanted))
    warm_up(engine, samples, "en")
    offline = {
        length: run_offline(engine, samples[: round(length * RATE)], "en").cpu_seconds
        for length in track(wanted, "offline", console=console, transient=True)
    }
    costs = [
        strategy_cost(engine, samples, name, step_seconds, budget)
        for name in track(names, "streaming", console=console, transient=True)
    ]
    clips = looped_clips(corpus) if loops and random_weights is None else []
    pairs = [(clip, name) for clip in clips for name in names]
    texts = [
        looped_text(engine, clip, name, step_seconds, budget)
        for clip, name in track(pairs, "looped clips", console=console, transient=True)
    ]
    publish(cost_measurement(engine.info.name, wanted, offline, costs, texts, budget, _material(recordings)), output)


def _material(recordings: Sequence[Recording]) -> str:
    seconds = sum(recording.seconds for recording in recordings)
    count = "one recording" if len(recordings) == 1 else f"{len(recordings)} recordings"
    return f"{count} of read speech, {seconds:.0f} s, over and over"


def _engine(model: str, random_weights: str | None, device: str, *, keep_state: bool) -> Engine:
    if random_weights is None:
        engine = load_engine(model, device=device, threads_per_worker=1)
    else:
        engine = load_random_qwen3(random_weights, device=device, threads=1)
    return engine if keep_state else HearingAnew(engine)


def _lengths(text: str) -> list[float]:
    try:
        lengths = sorted({float(part) for part in text.split(",")})
    except ValueError:
        lengths = []
    if not lengths or lengths[0] <= 0:
        raise ConfigurationError(f"--lengths {text!r}: expected seconds above 0, separated by commas")
    return lengths


def checked_strategy(name: str) -> StrategyName:
    """The strategy of that name.

    Raises:
        ConfigurationError: there is none.
    """
    for known in get_args(StrategyName):
        if name == known:
            return known  # type: ignore[no-any-return]  # get_args gives the literals as Any
    raise ConfigurationError(f"strategy {name!r} is unknown; expected one of {', '.join(get_args(StrategyName))}")
