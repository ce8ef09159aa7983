"""An engine whose streams' state is dropped: every window is heard anew, as the published recipes do it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from wavescribe.engines.base import (
    DecodeRequest,
    Engine,
    EngineInfo,
    FileOptions,
    FileTranscription,
    Hypothesis,
    Samples,
)


class HearingAnew:
    """Passes requests on without the key under which an engine keeps state.

    Args:
        engine: any engine.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def info(self) -> EngineInfo:
        """What the engine can do, without its state."""
        info = self._engine.info
        return replace(info, name=f"{info.name}, every window heard anew", continues_windows=False)

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        """Decode windows of streams that are not known; where a window starts is told."""
        return self._engine.decode([replace(each, cache_key=("", each.cache_key[1])) for each in requests])

    def transcribe_file(self, samples: Samples, options: FileOptions) -> FileTranscription:
        """Passed on."""
        return self._engine.transcribe_file(samples, options)

    def close(self) -> None:
        """Passed on."""
        self._engine.close()
