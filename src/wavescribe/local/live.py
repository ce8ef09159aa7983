"""A live stream on an engine of this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from wavescribe.audio.resampling import StreamingResampler
from wavescribe.client.events import (
    Draft,
    Event,
    Settled,
    SpeechStarted,
    SpeechStopped,
    TurnEnded,
    TurnFailed,
    with_spaces,
)
from wavescribe.engines.base import Engine, Samples, Word
from wavescribe.serving.live_service import LiveService, StreamOptions
from wavescribe.serving.live_stream import LiveStream
from wavescribe.serving.metrics import Metrics
from wavescribe.settings import Settings
from wavescribe.streaming import events as core


async def stream_locally(
    blocks: AsyncIterator[Samples], sample_rate: int, engine: Engine, settings: Settings, options: StreamOptions
) -> AsyncGenerator[Event]:
    """Transcribe audio as it comes; closing the generator stops the work.

    Args:
        blocks: float32 blocks of shape (samples,).
        sample_rate: samples per second of the blocks.
        engine: decodes.
        settings: of the stream.
        options: how it is transcribed.

    Raises:
        InvalidRequestError: the engine does not know the language.
        EngineError: the engine is lost.
    """
    service = LiveService(engine, settings, Metrics())
    stream = service.stream(options)
    async with service.running():
        feeding = asyncio.create_task(_feed(stream, blocks, StreamingResampler(sample_rate, service.sample_rate)))
        try:
            async for event in stream.run():
                if (told := in_seconds(event, service.sample_rate)) is not None:
                    yield told
            await feeding
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)


async def _feed(stream: LiveStream, blocks: AsyncIterator[Samples], resampler: StreamingResampler) -> None:
    try:
        async for block in blocks:
            for first in range(0, len(block), resampler.source_rate):
                await stream.feed_in_time(resampler.push(block[first : first + resampler.source_rate]))
    finally:
        stream.feed_anyway(resampler.flush())
        stream.end_turn()
        stream.finish()


def in_seconds(event: core.Event, sample_rate: int) -> Event | None:
    """The core's event as people read it, or None for one that tells nothing of text or speech.

    Args:
        event: with positions in samples.
        sample_rate: of the positions.
    """
    match event:
        case core.SpeechStarted(turn=turn, position=position):
            return SpeechStarted(turn, position / sample_rate)
        case core.SpeechStopped(turn=turn, position=position):
            return SpeechStopped(turn, position / sample_rate)
        case core.Settled(turn=turn, delta=delta, words=words):
            return Settled(turn, delta, with_spaces(delta, (_word(word, sample_rate) for word in words)))
        case core.Draft(turn=turn, text=text):
            return Draft(turn, text)
        case core.TurnEnded(turn=turn, transcript=transcript, language=language, start=start, end=end):
            return TurnEnded(turn, transcript, language, start / sample_rate, end / sample_rate)
        case core.TurnFailed(turn=turn, message=message):
            return TurnFailed(turn, message)
        case _:
            return None


def _word(word: core.SettledWord, sample_rate: int) -> Word:
    return Word(word.text, word.start / sample_rate, word.end / sample_rate, word.probability)
