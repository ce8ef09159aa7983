"""`wavescribe transcribe`: files and folders to text, json or subtitles."""

from __future__ import annotations

import os
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from wavescribe.cli.batch_jobs import Job, jobs_of, same_result
from wavescribe.cli.batch_record import BatchRecord
from wavescribe.cli.subtitle_options import LINE_LENGTH, LINES, SPEED, LineLength, Lines, Speed
from wavescribe.cli.whole_file import write_whole
from wavescribe.engines.base import Engine, FileOptions
from wavescribe.errors import InvalidRequestError, WavescribeError
from wavescribe.languages import language_code
from wavescribe.local.engines import local_engine
from wavescribe.local.files import decode_whole, transcribe_samples
from wavescribe.rendering.response_formats import render
from wavescribe.rendering.subtitle_layout import SubtitleStyle, lay_out
from wavescribe.rendering.subtitles import srt, vtt
from wavescribe.serving.file_result import FileResult
from wavescribe.settings import Settings, load_settings


class Format(StrEnum):
    """What is written."""

    TEXT = "text"
    JSON = "json"
    SRT = "srt"
    VTT = "vtt"


SUFFIXES = {Format.TEXT: ".txt", Format.JSON: ".json", Format.SRT: ".srt", Format.VTT: ".vtt"}


def transcribe_command(
    files: Annotated[
        list[Path],
        typer.Argument(help="Audio or video files, or folders of them.", metavar="FILE...", show_default=False),
    ],
    output_format: Annotated[Format, typer.Option("--format", "-f", help="What to write.")] = Format.TEXT,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Directory for one file per input; without it, print.", file_okay=False),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Do again what is done already.")] = False,
    model: Annotated[str | None, typer.Option(help="Model name, directory or Hugging Face id.")] = None,
    language: Annotated[
        str | None, typer.Option(help="ISO 639-1 code or English name; detected when not given.")
    ] = None,
    prompt: Annotated[str, typer.Option(help="Names and words to expect, or text in the style wanted.")] = "",
    threads: Annotated[int | None, typer.Option(help="CPU threads.", min=1)] = None,
    max_line_length: LineLength = LINE_LENGTH,
    max_lines: Lines = LINES,
    reading_speed: Speed = SPEED,
) -> None:
    """Transcribe files, or all audio and video in folders, with the best offline decoding.

    Each result is written whole or not at all. A file that cannot be read is reported, the others are done, and the
    exit code is 1. Run again, a batch leaves out the files that are done: those whose result is in the output
    directory, made with the same options, and that have not changed since.

    Examples: wavescribe transcribe talk.mp3 interview.m4a --format srt

    wavescribe transcribe recordings/ --format vtt --output subtitles/
    """
    style = SubtitleStyle(max_line_length, max_lines, reading_speed)
    settings = load_settings(model=model, threads_per_worker=threads)
    options = FileOptions(
        language=language_code(language) if language else None,
        prompt=prompt,
        word_times=output_format is not Format.TEXT,
    )
    # Without an output directory results are printed, of files that are named.
    named = [Job(path, Path(path.name)) for path in files]
    jobs = named if output is None else jobs_of(files, SUFFIXES[output_format])
    record = None
    if output is not None:
        _check_names(jobs)
        record = BatchRecord(output, _dependencies(settings, options, output_format, style))
        jobs = jobs if overwrite else _left(jobs, record)
    if not jobs:
        return
    engine = local_engine(settings.model_copy(update={"threads_per_worker": _threads(settings)}))
    batch = _Batch(engine, options, _Writer(output_format, style, output, record), settings.max_audio_seconds)
    if not batch.run(jobs):
        raise typer.Exit(1)


def _dependencies(
    settings: Settings, options: FileOptions, output_format: Format, style: SubtitleStyle
) -> dict[str, object]:
    """What a result depends on, beside its file."""
    subtitles = output_format in (Format.SRT, Format.VTT)
    made: dict[str, object] = {
        "model": settings.model,
        "compute_type": settings.compute_type,
        "format": output_format.value,
        "style": asdict(style) if subtitles else None,
    }
    return made | {"language": options.language, "prompt": options.prompt}


def _left(jobs: list[Job], record: BatchRecord) -> list[Job]:
    """The jobs that are not done; how many are is told."""
    left = [job for job in jobs if not record.has(job)]
    if done := len(jobs) - len(left):
        _say(f"{done} of {len(jobs)} files are done already; --overwrite does them again")
    elif not jobs:
        _say("no audio or video files there")
    return left


def _say(message: str) -> None:
    Console(stderr=True, soft_wrap=True).print(f"wavescribe: {message}", markup=False, highlight=False)


def _threads(settings: Settings) -> int:
    """CPU threads of the one decode that runs: all, unless the setting says otherwise."""
    if "threads_per_worker" in settings.model_fields_set:
        return settings.threads_per_worker
    return os.cpu_count() or 1


def _check_names(jobs: list[Job]) -> None:
    """See that no two results get the same name, as the later one would replace the earlier."""
    if (same := same_result(jobs)) is not None:
        raise typer.BadParameter(
            f"the results of {same[0].source} and {same[1].source} would have the same name; run them one by one",
            param_hint="FILE...",
        )


class _Writer:
    """Renders results, and writes them to the output directory or prints them."""

    def __init__(
        self, output_format: Format, style: SubtitleStyle, output: Path | None, record: BatchRecord | None
    ) -> None:
        self._format = output_format
        self._style = style
        self._output = output
        self._record = record

    def write(self, job: Job, result: FileResult) -> None:
        """Write a job's result.

        Raises:
            OSError: it cannot be written.
        """
        text = self._render(result)
        if self._output is None:
            typer.echo(text, nl=not text.endswith("\n"))
            return
        path = self._output / job.result
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text)
        if self._record is not None:
            self._record.add(job)

    def _render(self, result: FileResult) -> str:
        match self._format:
            case Format.SRT:
                return srt(lay_out(result.words, latest=result.duration, style=self._style))
            case Format.VTT:
                return vtt(lay_out(result.words, latest=result.duration, style=self._style))
            case Format.JSON:
                return render(result, "verbose_json", ("segment", "word"))[0]
            case _:
                return render(result, "text")[0]


class _Batch:
    """Several files, one after the other, with one progress bar each."""

    def __init__(self, engine: Engine, options: FileOptions, writer: _Writer, max_seconds: float) -> None:
        self._engine = engine
        self._options = options
        self._writer = writer
        self._max_seconds = max_seconds
        self._console = Console(stderr=True, soft_wrap=True)

    def run(self, jobs: list[Job]) -> bool:
        """Transcribe the files; True when all succeeded."""
        columns = (
            TextColumn("{task.description}", markup=False),  # square brackets in a file's name are its own
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
        )
        hidden = not self._console.is_interactive
        with Progress(*columns, console=self._console, transient=True, disable=hidden) as progress:
            results = [self._run_one(job, progress) for job in jobs]
        return all(results)

    def _run_one(self, job: Job, progress: Progress) -> bool:
        try:
            self._writer.write(job, self._transcribe(job.source, progress))
        except (WavescribeError, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            self._console.print(f"wavescribe: {job.source}: {reason}", markup=False, highlight=False)
            return False
        return True

    def _transcribe(self, path: Path, progress: Progress) -> FileResult:
        if path.is_dir():
            raise InvalidRequestError("is a directory; give --output for its results")
        samples = decode_whole(path, self._engine, self._max_seconds)
        task = progress.add_task(path.name, total=len(samples) / self._engine.info.sample_rate, speed="")
        result = transcribe_samples(
            self._engine, samples, self._options, lambda position: _advance(progress, task, position)
        )
        progress.remove_task(task)
        return result


def _advance(progress: Progress, task: TaskID, position: float) -> None:
    elapsed = progress.tasks[progress.task_ids.index(task)].elapsed
    progress.update(task, completed=position, speed=f"{position / elapsed:.1f}x" if elapsed else "")
