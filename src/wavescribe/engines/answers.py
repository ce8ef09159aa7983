"""What an engine may be able to do beyond decoding, asked of any engine."""

from __future__ import annotations

from collections.abc import Sequence

from wavescribe.engines.base import Answer, AnswersEach, DecodeRequest, Engine, KeepsState, StateReport
from wavescribe.errors import EngineError


def decode_each(engine: Engine, requests: Sequence[DecodeRequest]) -> list[Answer]:
    """Decode a batch, each request for itself where the engine can; else one that fails fails the call.

    Args:
        engine: any engine.
        requests: the batch.

    Raises:
        EngineError: the engine failed on the whole call, or gave another number of answers.
        InvalidRequestError: an engine that answers batches as a whole cannot serve a request.
    """
    answers: Sequence[Answer]
    answers = engine.decode_each(requests) if isinstance(engine, AnswersEach) else engine.decode(requests)
    if len(answers) != len(requests):
        raise EngineError(f"the engine gave {len(answers)} answers to {len(requests)} requests")
    return list(answers)


def state_of(engine: Engine) -> StateReport | None:
    """What an engine keeps of streams; None for engines that keep no state.

    Args:
        engine: any engine.
    """
    return engine.state if isinstance(engine, KeepsState) else None


def forget(engine: Engine, stream_id: str) -> None:
    """Tell an engine that a stream has ended; nothing for engines that keep no state.

    Args:
        engine: any engine.
        stream_id: as in the cache keys of its requests.
    """
    if isinstance(engine, KeepsState):
        engine.forget(stream_id)
