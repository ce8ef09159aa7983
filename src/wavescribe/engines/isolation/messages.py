"""What the server and an engine's process tell each other."""

from __future__ import annotations

from dataclasses import dataclass

from wavescribe.engines.base import DecodeRequest, EngineInfo, FileOptions, Hypothesis, Samples, Segment
from wavescribe.errors import EngineError, InvalidRequestError, ModelNotFoundError, WavescribeError, WeightsError

_KINDS: dict[str, type[WavescribeError]] = {
    kind.__name__: kind for kind in (EngineError, InvalidRequestError, ModelNotFoundError, WeightsError)
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


Call = Decode | OpenFile | NextSegment | CloseFile


@dataclass(frozen=True, slots=True)
class Ready:
    """The engine is loaded."""

    info: EngineInfo


@dataclass(frozen=True, slots=True)
class Decoded:
    """The answers to Decode, in order."""

    hypotheses: tuple[Hypothesis, ...]


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


Reply = Ready | Decoded | FileOpened | NextOfFile | Failed
