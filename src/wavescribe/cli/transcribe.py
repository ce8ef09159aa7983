"""`wavescribe transcribe`: files to text, json or subtitles."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from wavescribe.audio.decoding import decode_audio
from wavescribe.cli.whole_file import write_whole
from wavescribe.engines.base import Engine, FileOptions, Samples, Segment
from wavescribe.engines.whisper import load_whisper
from wavescribe.errors import InvalidRequestError, WavescribeError
from wavescribe.languages import language_code
from wavescribe.rendering.response_formats import render
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
    files: Annotated[list[Path], typer.Argument(help="Audio or video files.", metavar="FILE...", show_default=False)],
    output_format: Annotated[Format, typer.Option("--format", "-f", help="What to write.")] = Format.TEXT,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Directory for one file per input; without it, print.", file_okay=False),
    ] = None,
    model: Annotated[str | None, typer.Option(help="Model name, directory or Hugging Face id.")] = None,
    language: Annotated[
        str | None, typer.Option(help="ISO 639-1 code or English name; detected when not given.")
    ] = None,
    prompt: Annotated[str, typer.Option(help="Names and words to expect, or text in the style wanted.")] = "",
    threads: Annotated[int | None, typer.Option(help="CPU threads.", min=1)] = None,
) -> None:
    """Transcribe files with the best offline decoding.

    Each result is written whole or not at all. A file that cannot be read is reported, the others are done, and the
    exit code is 1.

    Example: wavescribe transcribe talk.mp3 interview.m4a --format srt --output subtitles/
    """
    if output is not None:
        _check_names(files)
    settings = load_settings(model=model, threads_per_worker=threads)
    engine = load_whisper(settings.model, device=settings.device, threads_per_worker=_threads(settings))
    options = FileOptions(
        language=language_code(language) if language else None,
        prompt=prompt,
        word_times=output_format is not Format.TEXT,
    )
    batch = _Batch(engine, options, output_format, output, settings.max_audio_seconds)
    if not batch.run(files):
        raise typer.Exit(1)


def _threads(settings: Settings) -> int:
    """CPU threads of the one decode that runs: all, unless the setting says otherwise."""
    if "threads_per_worker" in settings.model_fields_set:
        return settings.threads_per_worker
    return os.cpu_count() or 1


def _check_names(files: list[Path]) -> None:
    """See that no two results get the same name, as the later one would replace the earlier."""
    seen: dict[str, Path] = {}
    for path in files:
        if path.stem in seen:
            raise typer.BadParameter(
                f"the results of {seen[path.stem]} and {path} would have the same name; run them one by one",
                param_hint="FILE...",
            )
        seen[path.stem] = path


class _Batch:
    """Several files, one after the other, with one progress bar each."""

    def __init__(
        self, engine: Engine, options: FileOptions, output_format: Format, output: Path | None, max_seconds: float
    ) -> None:
        self._engine = engine
        self._options = options
        self._format = output_format
        self._output = output
        self._max_seconds = max_seconds
        self._console = Console(stderr=True, soft_wrap=True)

    def run(self, files: list[Path]) -> bool:
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
            results = [self._run_one(path, progress) for path in files]
        return all(results)

    def _run_one(self, path: Path, progress: Progress) -> bool:
        try:
            result = self._transcribe(path, progress)
            self._write(path, self._render(result))
        except (WavescribeError, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            self._console.print(f"wavescribe: {path}: {reason}", markup=False, highlight=False)
            return False
        return True

    def _render(self, result: FileResult) -> str:
        wanted = "verbose_json" if self._format is Format.JSON else self._format.value
        return render(result, wanted, ("segment", "word"))[0]

    def _transcribe(self, path: Path, progress: Progress) -> FileResult:
        if path.is_dir():
            raise InvalidRequestError("is a directory; give the files in it")
        samples = self._decode(path)
        task = progress.add_task(path.name, total=len(samples) / self._engine.info.sample_rate, speed="")
        transcription = self._engine.transcribe_file(samples, self._options)
        segments: list[Segment] = []
        for segment in transcription.segments:
            segments.append(segment)
            _advance(progress, task, segment.end)
        progress.remove_task(task)
        return FileResult(transcription.language, transcription.duration, tuple(segments))

    def _decode(self, path: Path) -> Samples:
        """Decode in a thread: in the main one, PyAV would swallow an interrupt and take it for the end of the file."""
        rate = self._engine.info.sample_rate
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(
                decode_audio, path, sample_rate=rate, max_seconds=self._max_seconds, min_seconds=0.1
            ).result()

    def _write(self, source: Path, text: str) -> None:
        if self._output is None:
            typer.echo(text, nl=not text.endswith("\n"))
            return
        self._output.mkdir(parents=True, exist_ok=True)
        write_whole(self._output / f"{source.stem}{SUFFIXES[self._format]}", text)


def _advance(progress: Progress, task: TaskID, position: float) -> None:
    elapsed = progress.tasks[progress.task_ids.index(task)].elapsed
    progress.update(task, completed=position, speed=f"{position / elapsed:.1f}x" if elapsed else "")
