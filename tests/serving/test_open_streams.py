from __future__ import annotations

import asyncio
from typing import cast

import pytest

from wavescribe.errors import DrainingError
from wavescribe.serving.live_stream import LiveStream
from wavescribe.serving.open_streams import OpenStreams


class Ending:
    """A stream of which only its end is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def end_turn(self) -> None:
        self.told.append("end_turn")

    def finish(self) -> None:
        self.told.append("finish")


async def test_a_server_that_stops_ends_its_streams_and_takes_no_more() -> None:
    streams, stream = OpenStreams(), Ending()
    with streams.serving(cast(LiveStream, stream)):
        draining = asyncio.create_task(streams.drain())
        await asyncio.sleep(0)
        assert (stream.told, draining.done()) == (["end_turn", "finish"], False)
    await draining
    assert streams.draining
    with pytest.raises(DrainingError, match="about to stop"), streams.serving(cast(LiveStream, Ending())):
        pass


async def test_whoever_serves_a_stream_hears_that_the_time_to_finish_is_over() -> None:
    streams = OpenStreams()
    hearing = asyncio.create_task(streams.until_given_up())
    with streams.serving(cast(LiveStream, Ending())):
        empty = asyncio.create_task(streams.until_empty())
        await asyncio.sleep(0)
        assert not hearing.done()
        streams.give_up()
        await hearing
        assert not empty.done()
    await empty
