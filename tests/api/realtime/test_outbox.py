from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest

from wavescribe.api.realtime.outbox import Outbox, OutboxOverflowError
from wavescribe.api.realtime.server_events import Frame


def framed(name: str, length: int = 1) -> Frame:
    return Frame(name, "x" * length)


def filled(*names: str) -> Outbox:
    outbox = Outbox()
    for name in names:
        outbox.put(framed(name))
    return outbox


async def taken(outbox: Outbox, count: int) -> list[str]:
    return [(await outbox.take()).event_id for _ in range(count)]


async def begun(work: Awaitable[object]) -> asyncio.Future[object]:
    """The work after it has come as far as it can."""
    task = asyncio.ensure_future(work)
    for _ in range(5):
        await asyncio.sleep(0)
    return task


async def stopped(work: asyncio.Future[object]) -> None:
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


async def test_frames_are_taken_in_order() -> None:
    assert await taken(filled("a", "b", "c"), 3) == ["a", "b", "c"]


async def test_taking_waits_for_a_frame() -> None:
    outbox = Outbox()
    taker = await begun(outbox.take())
    assert not taker.done()
    outbox.put(framed("a"))
    assert await taker == framed("a")


async def test_what_follows_an_event_is_sent_again() -> None:
    outbox = filled("a", "b", "c")
    await taken(outbox, 3)
    assert outbox.rewind("a")
    assert await taken(outbox, 2) == ["b", "c"]
    assert outbox.rewind("c")
    outbox.put(framed("d"))
    assert await taken(outbox, 1) == ["d"]


async def test_a_rewind_wakes_whoever_waits() -> None:
    outbox = filled("a", "b")
    await taken(outbox, 2)
    taker = await begun(outbox.take())
    assert outbox.rewind("a")
    assert await taker == framed("b")


async def test_nothing_is_sent_again_after_an_event_that_is_not_known() -> None:
    outbox = filled("a", "b")
    assert await taken(outbox, 1) == ["a"]
    assert not outbox.rewind("z")
    assert not outbox.rewind("b"), "it has not been sent"
    assert await taken(outbox, 1) == ["b"]


async def test_memory_is_bounded_and_the_oldest_sent_frames_are_forgotten_first() -> None:
    outbox = Outbox(most_characters=10)
    for name in "abcde":
        outbox.put(framed(name, 4))
        await taken(outbox, 1)
    assert not outbox.rewind("c")
    assert outbox.rewind("d")
    assert await taken(outbox, 1) == ["e"]


async def test_frames_that_nobody_reads_overflow_and_none_of_them_is_lost() -> None:
    outbox = Outbox(most_characters=10)
    outbox.put(framed("a", 5))
    outbox.put(framed("b", 5))
    for _ in range(2):
        with pytest.raises(OutboxOverflowError, match="10 characters"):
            outbox.put(framed("c"))
    assert await taken(outbox, 2) == ["a", "b"]
    outbox.put(framed("d", 5))
    assert await taken(outbox, 1) == ["d"]


async def test_a_frame_put_first_comes_before_those_that_wait_and_can_be_found_again() -> None:
    outbox = filled("a", "b")
    await taken(outbox, 1)
    outbox.send_first(framed("resumed"))
    assert await taken(outbox, 2) == ["resumed", "b"]
    assert outbox.rewind("resumed")
    assert await taken(outbox, 1) == ["b"]


async def test_a_client_that_comes_back_twice_is_greeted_once_each_time() -> None:
    outbox = filled("a", "b")
    await taken(outbox, 2)
    outbox.rewind("a")
    outbox.send_first(framed("first"))
    assert await taken(outbox, 2) == ["first", "b"]
    outbox.send_first(framed("second"))
    assert await taken(outbox, 1) == ["second"]
    assert outbox.rewind("a")
    outbox.send_first(framed("third"))
    outbox.put(framed("c"))
    assert await taken(outbox, 3) == ["third", "b", "c"]


async def test_greetings_do_not_fill_the_memory() -> None:
    outbox = Outbox(most_characters=10)
    for number in range(100):
        outbox.send_first(framed(f"resumed {number}", 4))
    outbox.put(framed("a", 4))
    assert await taken(outbox, 2) == ["resumed 99", "a"]


async def test_a_frame_put_first_wakes_whoever_waits() -> None:
    outbox = Outbox()
    taker = await begun(outbox.take())
    outbox.send_first(framed("resumed"))
    assert await taker == framed("resumed")


async def test_an_outbox_is_empty_when_the_last_frame_was_not_only_taken_but_sent() -> None:
    outbox = filled("a", "b")
    empty = await begun(outbox.until_empty())
    await taken(outbox, 2)
    await asyncio.sleep(0)
    assert not empty.done(), "the last frame may still be on its way out"
    next_taker = await begun(outbox.take())
    assert empty.done()
    await stopped(next_taker)


async def test_an_outbox_whose_last_frame_is_on_its_way_out_is_not_empty() -> None:
    outbox = filled("a")
    await taken(outbox, 1)
    empty = await begun(outbox.until_empty())
    assert not empty.done()
    await stopped(empty)


async def test_an_outbox_that_never_had_a_frame_is_empty() -> None:
    await asyncio.wait_for(Outbox().until_empty(), timeout=30)


async def test_a_rewound_outbox_is_not_empty() -> None:
    outbox = filled("a", "b")
    await taken(outbox, 2)
    idle = await begun(outbox.take())
    await stopped(idle)
    outbox.rewind("a")
    empty = await begun(outbox.until_empty())
    assert not empty.done()
    await stopped(empty)
