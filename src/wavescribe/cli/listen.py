"""`wavescribe listen`: live text of the microphone, a pipe or an address."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from wavescribe.capture import SAMPLE_RATE
from wavescribe.capture.address import address_blocks
from wavescribe.capture.background import MOST_BLOCKS, MOST_LIVE_BLOCKS, Background
from wavescribe.capture.microphone import microphone_blocks
from wavescribe.capture.pipe import container_blocks, raw_blocks
from wavescribe.cli.captions import captions
from wavescribe.cli.subtitle_options import LINE_LENGTH, LINES, SPEED, LineLength, Lines, Speed
from wavescribe.cli.whole_file import check_writable, write_whole
from wavescribe.engines.base import Samples
from wavescribe.errors import AudioSourceError, ConfigurationError
from wavescribe.local.streaming import stream
from wavescribe.rendering.growing_transcript import GrowingTranscript, TranscriptFormat
from wavescribe.rendering.subtitle_layout import SubtitleStyle
from wavescribe.settings import load_settings

PIPE = "-"

STOPPING = (signal.SIGINT, signal.SIGTERM)


def listen_command(
    source: Annotated[
        str | None,
        typer.Argument(
            help="- for standard input, or a URL (http, rtsp, ...) or file; the microphone when not given.",
            metavar="[SOURCE]",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            "-o",
            help="File to write as text settles: .srt, .vtt or .txt; repeatable. One that is there already stays as it "
            "is until then.",
        ),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Server to transcribe on, as http://localhost:8000; without it, this machine.")
    ] = None,
    api_key: Annotated[
        str | None, typer.Option(help="Key that the server wants.", envvar="WAVESCRIBE_CLIENT_KEY")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Model name, directory or Hugging Face id.")] = None,
    language: Annotated[
        str | None, typer.Option(help="ISO 639-1 code or English name; detected when not given.")
    ] = None,
    prompt: Annotated[str, typer.Option(help="Text in the style wanted.")] = "",
    keyword: Annotated[list[str] | None, typer.Option(help="Name or word to expect; repeatable.")] = None,
    delay: Annotated[
        str | None, typer.Option(help="How long text is held back: minimal, low, medium, high or xhigh.")
    ] = None,
    silence_ms: Annotated[int, typer.Option(help="Silence that ends a line, in milliseconds.", min=100)] = 500,
    raw: Annotated[
        int | None,
        typer.Option(help="Standard input is headerless 16-bit mono PCM of this many samples a second.", min=2000),
    ] = None,
    device: Annotated[str | None, typer.Option(help="Microphone: its number or a part of its name.")] = None,
    max_line_length: LineLength = LINE_LENGTH,
    max_lines: Lines = LINES,
    reading_speed: Speed = SPEED,
) -> None:
    """Show live text of the microphone, of audio piped in, or of a URL.

    Text that may still change is dimmed. Ctrl-C ends it: what was said by then is transcribed and written. The files
    are whole at any time.

    Examples: wavescribe listen --output meeting.srt

    ffmpeg -i talk.mp4 -f wav - | wavescribe listen - --url http://localhost:8000
    """
    style = SubtitleStyle(max_line_length, max_lines, reading_speed)
    files = [_OutputFile(path, GrowingTranscript(_form(path), style)) for path in output or ()]
    # As the settings do, which name the value that is wrong.
    checked = load_settings(delay=delay).delay if delay is not None else None
    for file in files:
        file.check()
    wanted: dict[str, Any] = {
        "url": url,
        "api_key": api_key,
        "model": model,
        "language": language,
        "prompt": prompt,
        "keywords": tuple(keyword or ()),
        "delay": checked,
        "silence_ms": silence_ms,
    }
    blocks = _blocks(source, raw, device)
    asyncio.run(_listen(blocks, MOST_LIVE_BLOCKS if source is None else MOST_BLOCKS, wanted, files))


def _blocks(source: str | None, raw: int | None, device: str | None) -> Iterator[Samples]:
    if raw is not None and source != PIPE:
        raise typer.BadParameter("it tells what standard input is; give - as SOURCE", param_hint="--raw")
    if source is None:
        return microphone_blocks(device)
    if source != PIPE:
        return address_blocks(source)
    if sys.stdin.isatty():
        raise AudioSourceError(
            "standard input is a terminal; pipe audio into it: ffmpeg ... -f wav - | wavescribe listen -"
        )
    descriptor = sys.stdin.fileno()
    return container_blocks(descriptor) if raw is None else raw_blocks(descriptor, raw)


def _form(path: Path) -> TranscriptFormat:
    for form in get_args(TranscriptFormat):
        if path.suffix.lower() == f".{form}":
            return form  # type: ignore[no-any-return]  # one of the literal's own values
    raise typer.BadParameter(
        f"{path} must end in .srt, .vtt or .txt, which says what is written", param_hint="--output"
    )


@dataclass(frozen=True, slots=True)
class _OutputFile:
    path: Path
    transcript: GrowingTranscript

    def check(self) -> None:
        """Find out whether it can be written, and leave it as it is.

        Raises:
            ConfigurationError: it cannot be.
        """
        try:
            check_writable(self.path)
        except OSError as error:
            raise ConfigurationError(f"cannot write {self.path}: {error.strerror}") from error

    def write(self) -> None:
        """Replace the file by what has settled.

        Raises:
            ConfigurationError: it cannot be written.
        """
        try:
            write_whole(self.path, self.transcript.content)
        except OSError as error:
            raise ConfigurationError(f"cannot write {self.path}: {error.strerror}") from error


async def _listen(
    blocks: Iterator[Samples], most_blocks: int, wanted: dict[str, Any], files: Sequence[_OutputFile]
) -> None:
    """Show and write until the source ends, or until the first signal to stop and what was heard by then is through."""
    source = Background(blocks, most_blocks)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for number in STOPPING:
            loop.remove_signal_handler(number)  # the next one ends the program at once
        source.stop()

    for number in STOPPING:
        loop.add_signal_handler(number, stop)
    try:
        with captions() as shown:
            async with aclosing(stream(source, sample_rate=SAMPLE_RATE, **wanted)) as events:
                async for event in events:
                    shown.take(event)
                    changed = [file for file in files if file.transcript.take(event)]
                    await asyncio.gather(*(asyncio.to_thread(file.write) for file in changed))
            # Also where nobody said anything: the stream was there.
            await asyncio.gather(*(asyncio.to_thread(file.write) for file in files))
    finally:
        source.stop()  # a thread may wait for its next block, which need not come
