"""What the server and an engine's process tell each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wavescribe.engines.base import (
    Answer,
    DecodeRequest,
    EngineInfo,
    FileOptions,
    Hypothesis,
    Samples,
    Segment,
    StateReport,
)
from wavescribe.errors import (
    ConfigurationError,
    EngineError,
    InvalidRequestError,
    ModelNotFoundError,
    WavescribeError,
    WeightsError,
)

_KINDS: dict[str, type[WavescribeError]] = {
    kind.__name__: kind
    for kind in (ConfigurationError, EngineError, InvalidRequestError, ModelNotFoundError, WeightsError)
}


@dataclass(frozen=True, slots=True)
class Decode:
    """Decode windows; answered by Decoded or Failed."""

    requests: tuple[DecodeRequest, ...]


@dataclass(frozen=True, slots=True)
class OpenFile:
    """Begin a file's transcription; answered by FileOpened or Failed."""

    number: int
    samples: Samples
    options: FileOptions


@dataclass(frozen=True, slots=True)
class NextSegment:
    """Go on with a file; answered by NextOfFile or Failed."""

    number: int


@dataclass(frozen=True, slots=True)
class CloseFile:
    """Give a file up; answered by NextOfFile without a segment."""

    number: int


@dataclass(frozen=True, slots=True)
class Forget:
    """A stream has ended; answered by Forgotten."""

    stream_id: str


Call = Decode | OpenFile | NextSegment | CloseFile | Forget


@dataclass(frozen=True, slots=True)
class Ready:
    """The engine is loaded.

    Attributes:
        info: what it can do.
        keeps_state: whether it wants to hear of streams that have ended.
        state: what it keeps of streams, where it keeps anything.
    """

    info: EngineInfo
    keeps_state: bool
    state: StateReport | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """The process has the whole call; comes before the answer to each."""


@dataclass(frozen=True, slots=True)
class FileOpened:
    """A file's transcription has begun; see FileTranscription."""

    language: str
    language_probability: float
    duration: float


@dataclass(frozen=True, slots=True)
class NextOfFile:
    """A file's next segment, or None at its end."""

    segment: Segment | None


@dataclass(frozen=True, slots=True)
class Failed:
    """The call, or the loading, failed; exceptions themselves do not travel between processes unharmed."""

    kind: str
    message: str
    code: str | None = None
    param: str | None = None

    @classmethod
    def of(cls, error: Exception) -> Failed:
        """Describe an exception."""
        if not isinstance(error, WavescribeError):
            return cls("EngineError", f"the engine failed: {error!r}")
        if isinstance(error, InvalidRequestError):
            kind = "ModelNotFoundError" if isinstance(error, ModelNotFoundError) else "InvalidRequestError"
            return cls(kind, str(error), error.code, error.param)
        return cls(type(error).__name__, str(error))

    def error(self) -> WavescribeError:
        """The exception again."""
        kind = _KINDS.get(self.kind, EngineError)
        if issubclass(kind, InvalidRequestError):
            return kind(self.message, code=self.code, param=self.param)
        return kind(self.message)


@dataclass(frozen=True, slots=True)
class Decoded:
    """The answers to Decode, in order; of each request that failed for itself, how; and what is kept of streams."""

    answers: tuple[Hypothesis | Failed, ...]
    state: StateReport | None = None

    @classmethod
    def of(cls, answers: Iterable[Answer], state: StateReport | None) -> Decoded:
        """Describe an engine's answers, and what it keeps after them."""
        return cls(tuple(each if isinstance(each, Hypothesis) else Failed.of(each) for each in answers), state)

    def each(self) -> list[Answer]:
        """The engine's answers again."""
        return [each.error() if isinstance(each, Failed) else each for each in self.answers]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Nothing is kept of the stream any more, and this of others."""

    state: StateReport | None = None


Reply = Ready | Taken | Decoded | FileOpened | NextOfFile | Forgotten | Failed
