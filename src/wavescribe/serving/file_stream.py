"""A file through the streaming core: its text comes while it is read, exactly as that of a live stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator

from wavescribe.engines.base import Samples
from wavescribe.serving.live_stream import LiveStream
from wavescribe.streaming.events import Event


class FileStream:
    """Feeds a file's audio into a stream as fast as it is worked off.

    Args:
        stream: the stream, fed by nobody else.
        blocks: the file's audio, decoded as it is read.
    """

    def __init__(self, stream: LiveStream, blocks: Iterator[Samples]) -> None:
        self._stream = stream
        self._blocks = blocks

    async def run(self) -> AsyncGenerator[Event]:
        """The core's events in order. Closing the iterator stops the work.

        Raises:
            InvalidRequestError: the file turned out to be too long or damaged; events up to there have been given.
        """
        feeding = asyncio.create_task(self._feed(), name="feed file")
        try:
            async for event in self._stream.run():
                yield event
            await feeding
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)

    async def _feed(self) -> None:
        try:
            while (block := await asyncio.to_thread(next, self._blocks, None)) is not None:
                await self._stream.feed_in_time(block)
            self._stream.end_turn()
        finally:
            self._stream.finish()
