"""`wavescribe bench repetition`: how much text is written of looped clips and of sound without speech."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from wavescribe.bench import paced_options as option
from wavescribe.bench.cost import checked_strategy
from wavescribe.bench.measurement import Measurement, TableData
from wavescribe.bench.metrics.over_emission import counted, over_emission
from wavescribe.bench.publishing import publish
from wavescribe.bench.streamed import RATE, StreamedRun, run_streamed
from wavescribe.bench.tempting_sounds import Sound, tempting_sounds
from wavescribe.engines.whisper import load_whisper
from wavescribe.streaming.parameters import StreamParameters


@dataclass(frozen=True, slots=True)
class Written:
    """What a strategy wrote of a sound.

    Attributes:
        recording: the sound's name.
        seconds: its length.
        strategy: the strategy's name.
        written: characters, normalised, without spaces; all that were written, marks too, where nothing was said.
        gold: characters of the gold text, normalised, without spaces.
        ratio: over-emission; None where nothing was said.
        decodes: that were made.
    """

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
    """Count the characters written of looped clips, silence, noise and tones."""
    names = [checked_strategy(name) for name in strategies.split(",")]
    chosen = tempting_sounds(corpus)
    engine = load_whisper(model, threads_per_worker=1)
    results: list[Written] = []
    for sound in track(chosen, "streaming", console=Console(stderr=True), transient=True):
        samples = sound.samples()
        for name in names:
            run = run_streamed(engine, samples, StreamParameters(strategy=name, language=sound.language))
            results.append(written_of(sound, len(samples) / RATE, name, run))
    publish(repetition_measurement(results, engine.info.name), output)


def written_of(sound: Sound, seconds: float, strategy: str, run: StreamedRun) -> Written:
    """What was written of a sound of so many seconds."""
    ratio = over_emission(sound.text, run.text, sound.language)
    # Of silence even a lone mark is too much.
    written = len(run.text) if ratio is None else counted(run.text, sound.language)
    return Written(sound.name, seconds, strategy, written, counted(sound.text, sound.language), ratio, len(run.steps))


def repetition_measurement(results: list[Written], model: str) -> Measurement:
    """What was written as a measurement."""
    ratios = [each.ratio for each in results if each.ratio is not None]
    invented = sum(each.written for each in results if each.ratio is None)
    quiet = sum(each.seconds for each in results if each.ratio is None)
    return Measurement(
        name="repetition",
        title=f"{_looped(ratios)}{invented} characters written where nothing was said",
        summary=(model, f"nothing was said in {quiet:.0f} s of what was streamed"),
        tables=(
            TableData(
                "text written",
                ("recording", "seconds", "strategy", "characters", "gold", "written to gold", "decodes"),
                tuple(_row(each) for each in results),
            ),
        ),
        data={"results": [asdict(each) for each in results]},
    )


def _looped(ratios: list[float]) -> str:
    if not ratios:
        return ""
    return f"looped clips: {min(ratios):.2f} to {max(ratios):.2f} characters written per character said; "


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
