from __future__ import annotations

import asyncio

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wavescribe.engines.base import Samples
from wavescribe.serving.inbox import Clear, Configure, EndTurn, Finish, Inbox, Mark
from wavescribe.streaming.parameters import StreamParameters

RATE = 100
"""Samples of a block of one second."""


def ramp(start: int, length: int) -> Samples:
    return np.arange(start, start + length, dtype=np.float32)


async def everything(inbox: Inbox) -> list[Samples | Mark]:
    inbox.put(Finish())
    entries: list[Samples | Mark] = []
    while not isinstance(entry := await inbox.take(), Finish):
        entries.append(entry)
    return entries


def lengths(entries: list[Samples | Mark]) -> list[object]:
    return [len(entry) if isinstance(entry, np.ndarray) else entry for entry in entries]


def sound(entries: list[Samples | Mark]) -> Samples:
    return np.concatenate([np.zeros(0, np.float32), *(entry for entry in entries if isinstance(entry, np.ndarray))])


@pytest.mark.parametrize("packet", [1, 7, 100, 101, 350])
async def test_audio_is_handed_out_in_blocks_however_it_was_packed(packet: int) -> None:
    inbox, samples = Inbox(RATE), ramp(0, 350)
    for start in range(0, 350, packet):
        inbox.put(samples[start : start + packet])
    entries = await everything(inbox)
    assert lengths(entries) == [100, 100, 100, 50]
    assert np.array_equal(sound(entries), samples)


async def test_marks_stay_between_the_audio_that_they_came_between() -> None:
    inbox, configure = Inbox(RATE), Configure(StreamParameters())
    for entry in (ramp(0, 30), EndTurn(0.0), ramp(30, 20), configure, Clear(), ramp(50, 120)):
        inbox.put(entry)
    assert lengths(await everything(inbox)) == [30, EndTurn(0.0), 20, configure, Clear(), 100, 20]


async def test_taking_waits_for_an_entry() -> None:
    inbox = Inbox(RATE)
    taker = asyncio.create_task(inbox.take())
    await asyncio.sleep(0)
    assert not taker.done()
    inbox.put(EndTurn(0.0))
    assert await taker == EndTurn(0.0)


async def test_audio_without_samples_is_nothing() -> None:
    inbox = Inbox(RATE)
    inbox.put(ramp(0, 0))
    assert await everything(inbox) == []


async def test_waiting_samples_are_those_that_were_not_taken() -> None:
    inbox = Inbox(RATE)
    inbox.put(ramp(0, 130))
    inbox.put(ramp(130, 20))
    assert inbox.waiting_samples == 150
    await inbox.take()
    assert inbox.waiting_samples == 50
    inbox.drop_last_audio()
    assert inbox.waiting_samples == 0


async def test_only_audio_behind_the_last_mark_is_taken_back() -> None:
    inbox = Inbox(RATE)
    for entry in (ramp(0, 10), EndTurn(0.0), ramp(10, 5), ramp(15, 5)):
        inbox.put(entry)
    inbox.drop_last_audio()
    inbox.drop_last_audio()
    assert inbox.waiting_samples == 10
    assert lengths(await everything(inbox)) == [10, EndTurn(0.0)]


async def test_a_long_piece_is_handed_out_without_copying_the_rest_of_it() -> None:
    inbox, samples = Inbox(RATE), ramp(0, 1_000)
    inbox.put(samples)
    for _ in range(10):
        block = await inbox.take()
        assert isinstance(block, np.ndarray)
        assert np.shares_memory(block, samples)


ENTRIES = st.lists(st.integers(0, 260) | st.sampled_from([EndTurn(0.0), Clear()]), max_size=20)


@settings(max_examples=200, deadline=None)
@given(entries=ENTRIES)
def test_nothing_is_lost_reordered_or_joined_across_a_mark(entries: list[int | Mark]) -> None:
    inbox, position = Inbox(RATE), 0
    expected: list[object] = []
    for entry in entries:
        if isinstance(entry, int):
            inbox.put(ramp(position, entry))
            position += entry
        else:
            inbox.put(entry)
            expected.append((position, entry))
    assert inbox.waiting_samples == position
    taken = asyncio.run(everything(inbox))
    assert np.array_equal(sound(taken), ramp(0, position))
    assert all(len(entry) <= RATE for entry in taken if isinstance(entry, np.ndarray))
    assert expected == [(len(sound(taken[:place])), mark) for place, mark in enumerate(taken) if _is_mark(mark)]
    assert inbox.waiting_samples == 0


def _is_mark(entry: Samples | Mark) -> bool:
    return not isinstance(entry, np.ndarray)
