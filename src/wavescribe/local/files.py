"""A file to its transcript, with the best offline decoding."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from wavescribe.audio.decoding import decode_audio
from wavescribe.audio.parts import cut_into_parts
from wavescribe.engines.base import Engine, FileOptions, Samples, Task
from wavescribe.languages import language_code
from wavescribe.local.audio_limit import naming_the_setting
from wavescribe.local.engines import local_engine, local_settings
from wavescribe.serving.file_parts import PartwiseTranscription
from wavescribe.serving.file_result import FileResult

SHORTEST_SECONDS = 0.1
"""Shortest audio that is transcribed, as in the OpenAI API."""


def transcribe(
    path: str | Path | BinaryIO,
    *,
    model: str | None = None,
    language: str | None = None,
    task: Task = "transcribe",
    prompt: str = "",
    keywords: tuple[str, ...] = (),
) -> FileResult:
    """Transcribe an audio or video file in this process.

        result = wavescribe.transcribe("talk.mp3")
        print(result.text)
        for word in result.words:
            print(f"{word.start:7.2f} {word.text}")

    The model is loaded by the first call and stays loaded for those that follow.

    Args:
        path: a file in a usual container with any audio codec that FFmpeg decodes, or its bytes as a seekable binary
            file.
        model: model name, directory or Hugging Face id; the default is that of WAVESCRIBE_MODEL, or whisper-base.
        language: ISO 639-1 code or English name, or None to have it detected.
        task: "transcribe", or "translate" to English.
        prompt: text in the style wanted, or that came before.
        keywords: words that are likely to occur.

    Returns:
        The transcript: `text`, `language` (ISO 639-1), `duration` in seconds, `segments`, and `words` with start and
        end in seconds and probability.

    Raises:
        InvalidRequestError: the file cannot be read, is no audio (AudioFormatError), too short or too long (4 hours,
            or WAVESCRIBE_MAX_AUDIO_SECONDS), or the model does not have the language or the task.
        WeightsError: the model's files are missing or damaged.
        ModelNotFoundError: there is no such model.
        EngineError: the model failed.
    """
    settings = local_settings(model)
    options = FileOptions(
        language=language_code(language) if language else None,
        task=task,
        prompt=prompt,
        keywords=tuple(keywords),
        word_times=True,
    )
    engine = local_engine(settings)
    source = Path(path) if isinstance(path, str) else path
    samples = decode_whole(source, engine, settings.max_audio_seconds)
    return transcribe_samples(engine, samples, options)


def decode_whole(source: Path | BinaryIO, engine: Engine, max_seconds: float) -> Samples:
    """A file's audio at the engine's rate, shape (samples,), float32.

    Raises:
        InvalidRequestError: it cannot be read, is no audio, too short or too long.
    """
    # In a thread: in the main one, PyAV would swallow an interrupt and take it for the end of the file.
    with naming_the_setting(), ThreadPoolExecutor(1) as thread:
        return thread.submit(
            decode_audio,
            source,
            sample_rate=engine.info.sample_rate,
            max_seconds=max_seconds,
            min_seconds=SHORTEST_SECONDS,
        ).result()


def transcribe_samples(
    engine: Engine, samples: Samples, options: FileOptions, progress: Callable[[float], None] = lambda _: None
) -> FileResult:
    """Transcribe decoded audio.

    Args:
        engine: the engine.
        samples: shape (samples,), float32, at the engine's rate.
        options: how.
        progress: told the position in seconds after each segment.

    Raises:
        InvalidRequestError: the engine does not have the language or the task.
        EngineError: the model failed.
    """

    def go_on(position: float) -> bool:
        progress(position)
        return True

    return PartwiseTranscription(engine, options, go_on).run(cut_into_parts([samples], engine.info.sample_rate))
