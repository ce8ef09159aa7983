"""Parameters of a stream that suit the engine it runs on."""

from __future__ import annotations

from dataclasses import replace

from wavescribe.engines.base import EngineInfo
from wavescribe.streaming.parameters import StreamParameters

CONTINUED_WINDOW_SECONDS = 32.0
"""Window of an engine that continues windows, and its longest segment, after which Qwen3-ASR's state is given up."""

ROLLED_SECONDS = 8.0
"""What such a window keeps of its end when it rolls: it is heard anew, and as much as Whisper's whole window."""


def fitted(parameters: StreamParameters, info: EngineInfo) -> StreamParameters:
    """The parameters for streams on an engine.

    An engine that hears every window anew is served best by short ones. Where a window that starts at the same place
    costs only what is new, its start stays where it is until the window is full, and settled text is kept in it; what
    a stream is told must then not change with every word either. No segment is longer than the engine hears at once.

    Args:
        parameters: what was asked for.
        info: what the engine says of itself.
    """
    longest = CONTINUED_WINDOW_SECONDS if info.continues_windows else parameters.longest_segment_seconds
    length = min(longest, info.max_window_seconds)
    parameters = replace(
        parameters,
        tokens_per_second=info.tokens_per_second,
        times_are_measured=info.gives_times,
        longest_segment_seconds=length,
    )
    if not info.continues_windows:
        return parameters
    return replace(
        parameters, window_seconds=length, rolled_seconds=ROLLED_SECONDS, kept_seconds=length, context_characters=0
    )
