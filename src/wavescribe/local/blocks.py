"""Audio from wherever callers have it, as blocks that come one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from pathlib import Path

from wavescribe.audio.decoding import iterate_audio
from wavescribe.audio.pcm import decode_pcm16
from wavescribe.client.pcm_input import AudioInput, as_pcm16
from wavescribe.engines.base import Samples
from wavescribe.local.audio_limit import naming_the_setting

AudioBlocks = AsyncIterable[AudioInput] | Iterable[AudioInput]
"""Blocks of mono audio as they come, each bytes of 16-bit PCM or an array of shape (samples,)."""


async def as_samples(blocks: AudioBlocks) -> AsyncIterator[Samples]:
    """The blocks as float32 samples, each of shape (samples,); those of an ordinary iterable are asked for in a thread.

    Raises:
        AudioFormatError: a block is no audio.
    """
    async for block in _as_they_come(blocks):
        yield decode_pcm16(as_pcm16(block))


async def _as_they_come(blocks: AudioBlocks) -> AsyncIterator[AudioInput]:
    async for block in blocks if isinstance(blocks, AsyncIterable) else _from_thread(iter(blocks)):
        yield block


async def _from_thread(blocks: Iterator[AudioInput]) -> AsyncIterator[AudioInput]:
    while True:
        block = await asyncio.to_thread(_next, blocks)
        if block is None:
            return
        yield block


def _next(blocks: Iterator[AudioInput]) -> AudioInput | None:
    """The next block, or None at the end: StopIteration cannot leave a thread."""
    return next(blocks, None)


def file_blocks(path: Path, sample_rate: int, max_seconds: float) -> Iterator[Samples]:
    """The audio of a file, block by block.

    Raises:
        InvalidRequestError: it cannot be read, is no audio, or too long.
    """
    with naming_the_setting():
        yield from iterate_audio(path, sample_rate=sample_rate, max_seconds=max_seconds)
