"""The seam between the server and a speech model: requests, hypotheses and the Engine protocol."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from wavescribe.errors import WavescribeError

Samples = npt.NDArray[np.float32]
"""Mono audio, shape (samples,), float32 in [-1, 1]."""

Task = Literal["transcribe", "translate"]


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What an engine can do.

    Attributes:
        name: the model name it is served under.
        sample_rate: samples per second that it hears.
        languages: ISO 639-1 codes that it transcribes.
        max_window_seconds: longest audio that the model hears at once; a longer window costs several decodes.
        takes_prefix: whether forced prefix tokens are honoured.
        gives_times: whether pieces can carry start and end times that are measured; without, they may be estimates.
        batches: whether several requests in one call cost less than one by one.
        translates: whether it can translate speech to English text.
        continues_windows: whether a step whose window starts where the stream's last one did costs only what is new.
        most_streams: streams whose state fits the engine's memory at the same time; None where it keeps none.
        tokens_per_second: more than any language's speech needs in its vocabulary; loops run to their budget.
    """

    name: str
    sample_rate: int
    languages: tuple[str, ...]
    max_window_seconds: float
    takes_prefix: bool
    gives_times: bool
    batches: bool
    translates: bool
    continues_windows: bool = False
    most_streams: int | None = None
    tokens_per_second: int = 10


@dataclass(frozen=True, slots=True)
class DecodeRequest:
    """One step: the audio of a window and what is already known about it.

    Attributes:
        samples: the window's audio at the engine's rate.
        language: ISO 639-1 code, or None to have it detected.
        context: text that came before the window, or the client's prompt; "" for none.
        keywords: words that are likely to occur.
        prefix: token ids that the hypothesis must start with (settled text of this window).
        token_budget: most tokens that may be generated after the prefix.
        times: whether start and end of each piece are wanted.
        thorough: whether a slower decode that is less prone to loops is worth it.
        cache_key: (stream id, window start); same key, same window start of the same stream.
            A cache under it may save time and must never change a result.
    """

    samples: Samples
    language: str | None = None
    context: str = ""
    keywords: tuple[str, ...] = ()
    prefix: tuple[int, ...] = ()
    token_budget: int = 224
    times: bool = True
    thorough: bool = False
    cache_key: tuple[str, int] = ("", 0)


@dataclass(frozen=True, slots=True)
class Piece:
    """The smallest run of tokens that is whole text (a token, or several that share a character).

    Attributes:
        token_ids: the run's token ids, in order.
        text: its text, with leading space where the model writes one.
        start: seconds from the start of the window, or None without times.
        end: seconds from the start of the window, or None without times.
        probability: the model's probability of the run (mean over its tokens), 0 to 1.
    """

    token_ids: tuple[int, ...]
    text: str
    start: float | None
    end: float | None
    probability: float


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """The engine's answer for a window.

    Attributes:
        pieces: the text, forced prefix included.
        language: ISO 639-1 code that the decode used.
        language_probability: 1.0 when the language was given, 0.0 when none was and none was detected.
        no_speech_probability: the model's belief that the window has no speech, 0 to 1.
        average_logprob: mean log probability of the generated tokens.
        truncated: True when the token budget ended the decode, not the model.
    """

    pieces: tuple[Piece, ...]
    language: str
    language_probability: float
    no_speech_probability: float
    average_logprob: float
    truncated: bool = False

    @property
    def text(self) -> str:
        """The whole text of the window."""
        return "".join(piece.text for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Word:
    """A spoken word of a file; start and end in seconds from the start of the file."""

    text: str
    start: float
    end: float
    probability: float


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a file's transcript; times in seconds from the start of the file.

    The fields are those of a segment of the OpenAI API's verbose_json.
    """

    id: int
    seek: int
    start: float
    end: float
    text: str
    tokens: tuple[int, ...]
    temperature: float
    average_logprob: float
    compression_ratio: float
    no_speech_probability: float
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class FileOptions:
    """How a whole file is transcribed.

    Attributes:
        language: ISO 639-1 code, or None to have it detected.
        task: "transcribe", or "translate" to English.
        prompt: text in the style wanted, or that came before; "" for none.
        keywords: words that are likely to occur.
        temperature: 0 decodes by beam search and raises the temperature only where that fails.
        word_times: whether segments carry words.
    """

    language: str | None = None
    task: Task = "transcribe"
    prompt: str = ""
    keywords: tuple[str, ...] = ()
    temperature: float = 0.0
    word_times: bool = False


@dataclass(frozen=True, slots=True)
class FileTranscription:
    """A file's transcription under way: reading `segments` does the work, and stopping to read stops it.

    Attributes:
        language: ISO 639-1 code, given or detected.
        language_probability: 1.0 when the language was given, 0.0 when none was and none was detected.
        duration: seconds of audio.
        segments: the segments in order, computed as they are read.
    """

    language: str
    language_probability: float
    duration: float
    segments: Iterator[Segment] = field(repr=False)


class Engine(Protocol):
    """A speech model. Calls may come from several threads, as many at once as the engine has workers.

    A cache inside an engine is only performance: with it dropped between any two calls, results are the same.
    """

    @property
    def info(self) -> EngineInfo:
        """What this engine can do."""

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        """Decode each request's window; the answers come in the order of the requests.

        Raises:
            EngineError: the model failed.
        """

    def transcribe_file(self, samples: Samples, options: FileOptions) -> FileTranscription:
        """Transcribe a whole recording with the best offline decoding.

        Raises:
            InvalidRequestError: the language or the task is not one of this engine's.
            EngineError: the model failed.
        """

    def close(self) -> None:
        """Free the model's memory; the engine is not used afterwards."""


Answer = Hypothesis | WavescribeError
"""What one request of a batch got: its hypothesis, or what was wrong with it alone."""


@runtime_checkable
class AnswersEach(Protocol):
    """An engine that answers every request of a batch for itself. Optional: see `engines.answers`."""

    def decode_each(self, requests: Sequence[DecodeRequest]) -> list[Answer]:
        """As Engine.decode, with an error in the place of each request that failed; the others have their answers.

        Raises:
            EngineError: the engine failed on the whole call.
        """


@dataclass(frozen=True, slots=True)
class StateReport:
    """What an engine keeps of streams between their steps.

    Attributes:
        streams: streams of which something is kept.
        held_bytes: bytes that are theirs.
        free_bytes: bytes set aside for streams that none has.
        largest_bytes: bytes of the stream that has most.
    """

    streams: int = 0
    held_bytes: int = 0
    free_bytes: int = 0
    largest_bytes: int = 0

    def __add__(self, other: StateReport) -> StateReport:
        """Two engines' reports as one."""
        return StateReport(
            self.streams + other.streams,
            self.held_bytes + other.held_bytes,
            self.free_bytes + other.free_bytes,
            max(self.largest_bytes, other.largest_bytes),
        )


@runtime_checkable
class KeepsState(Protocol):
    """An engine that keeps state of streams between their steps. Optional: see `engines.answers`."""

    @property
    def state(self) -> StateReport | None:
        """What was kept after the last call, None for nothing ever; told at once, also while a call is under way."""

    def forget(self, stream_id: str) -> None:
        """A stream has ended, and no step of it is under way: what is kept of it is freed now.

        A stream that is not known has been forgotten already.

        Args:
            stream_id: as in the cache keys of its requests.
        """


@runtime_checkable
class Supervised(Protocol):
    """An engine whose work is done by processes that are replaced when they are lost."""

    @property
    def alive(self) -> int:
        """Processes that are at work or ready for it."""

    @property
    def restarts(self) -> int:
        """Processes that were lost and replaced, or are being replaced."""
