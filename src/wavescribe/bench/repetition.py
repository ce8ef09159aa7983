"""`wavescribe bench repetition`: how much text is written of looped clips and of sound without speech."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from wavescribe.bench import paced_options as option
from wavescribe.bench.corpus import Recording
from wavescribe.bench.cost import checked_strategy
from wavescribe.bench.material import all_recordings
from wavescribe.bench.measurement import Measurement, TableData
from wavescribe.bench.metrics.over_emission import over_emission
from wavescribe.bench.publishing import publish
from wavescribe.bench.streamed import run_streamed
from wavescribe.engines.whisper import load_whisper
from wavescribe.errors import ConfigurationError
from wavescribe.streaming.parameters import StreamParameters


@dataclass(frozen=True, slots=True)
class Written:
    """What a strategy wrote of a recording: characters, those of the gold text, their ratio, and decodes made."""

    recording: str
    seconds: float
    strategy: str
    written: int
    gold: int
    ratio: float | None
    decodes: int


def repetition(
    strategies: Annotated[str, typer.Option(help="Strategies to compare.")] = "windowed",
    model: Annotated[str, typer.Option(help="The Whisper model.")] = "whisper-base",
    corpus: option.Corpus = None,
    output: option.Output = None,
) -> None:
    """Count the characters written of a corpus's looped clips, silence, noise and tones."""
    names = [checked_strategy(name) for name in strategies.split(",")]
    chosen = [each for each in all_recordings(corpus) if each.tiled or (each.kind == "silence" and not each.text)]
    if not chosen:
        raise ConfigurationError("the recordings have neither looped clips nor silence: give --corpus DIR with some")
    engine = load_whisper(model, threads_per_worker=1)
    results: list[Written] = []
    for item in track(chosen, "streaming", console=Console(stderr=True), transient=True):
        for name in names:
            run = run_streamed(engine, item.samples(), StreamParameters(strategy=name, language=item.language))
            results.append(_written(item, name, run.text, len(run.steps)))
    publish(_measurement(results, engine.info.name), output)


def _written(item: Recording, strategy: str, text: str, decodes: int) -> Written:
    return Written(
        item.name, item.seconds, strategy, len(text), len(item.text), over_emission(item.text, text), decodes
    )


def _measurement(results: list[Written], model: str) -> Measurement:
    ratios = [each.ratio for each in results if each.ratio is not None]
    invented = sum(each.written for each in results if each.ratio is None)
    return Measurement(
        name="repetition",
        title=f"looped clips: at most {max(ratios, default=0):.2f} characters written per character said",
        summary=(model, f"{invented} characters were written where nothing was said"),
        tables=(
            TableData(
                "text written",
                ("recording", "seconds", "strategy", "characters", "gold", "written to gold", "decodes"),
                tuple(_row(each) for each in results),
            ),
        ),
        data={"results": [asdict(each) for each in results]},
    )


def _row(each: Written) -> tuple[str, ...]:
    return (
        each.recording,
        f"{each.seconds:.0f}",
        each.strategy,
        str(each.written),
        str(each.gold),
        "" if each.ratio is None else f"{each.ratio:.3f}",
        str(each.decodes),
    )
