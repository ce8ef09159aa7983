from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wavescribe.audio.timeline import Timeline

RATE = 16000
PACKET = RATE // 1000

Action = tuple[str, int, int]
actions = st.lists(
    st.tuples(st.sampled_from(["append", "trim", "read"]), st.integers(0, 400), st.integers(0, 400)), max_size=60
)


@settings(deadline=None)
@given(actions)
def test_it_behaves_as_an_array_that_forgets_its_beginning(sequence: list[Action]) -> None:
    timeline = Timeline(RATE)
    everything = np.zeros(0, dtype=np.float32)
    start = 0
    for action, first, second in sequence:
        if action == "append":
            packet = np.arange(len(everything), len(everything) + first, dtype=np.float32)
            timeline.append(packet)
            everything = np.concatenate([everything, packet])
        elif action == "trim":
            before = min(first, len(everything))
            timeline.trim(before)
            start = max(start, before)
        elif start <= first <= second <= len(everything):
            np.testing.assert_array_equal(timeline.read(first, second), everything[first:second])
        else:
            with pytest.raises(ValueError, match=rf"\[{first}, {second}\).* holds \[{start}, {len(everything)}\)"):
                timeline.read(first, second)
        assert (timeline.start, timeline.end) == (start, len(everything))
        assert timeline.held_seconds == (len(everything) - start) / RATE
    np.testing.assert_array_equal(timeline.read(start, len(everything)), everything[start:])


def test_what_is_appended_and_read_is_copied() -> None:
    timeline = Timeline(RATE)
    packet = np.zeros(4, dtype=np.float32)
    timeline.append(packet)
    packet[:] = 1
    timeline.read(0, 4)[:] = 2
    assert timeline.read(0, 4).tolist() == [0, 0, 0, 0]


def test_what_was_not_received_cannot_be_trimmed() -> None:
    timeline = Timeline(RATE)
    timeline.append(np.zeros(10, dtype=np.float32))
    with pytest.raises(ValueError, match="cannot trim before 11: only audio up to 10"):
        timeline.trim(11)


def test_memory_follows_the_audio_held_and_not_the_stream() -> None:
    held = 2 * RATE
    packet = np.zeros(PACKET, dtype=np.float32)
    timeline = Timeline(RATE)
    tracemalloc.start()
    try:
        for _ in range(30_000):
            timeline.append(packet)
            timeline.trim(timeline.end - held)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * held * packet.itemsize


def test_trimmed_memory_is_released_at_once() -> None:
    timeline = Timeline(RATE)
    tracemalloc.start()
    try:
        timeline.append(np.zeros(600 * RATE, dtype=np.float32))
        timeline.trim(599 * RATE)
        current, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert current < 5 * RATE * 4


def test_short_packets_are_not_paid_for_with_copies_of_the_whole_buffer(monkeypatch: pytest.MonkeyPatch) -> None:
    copied = 0
    reallocate = Timeline._reallocate

    def count(self: Timeline, capacity: int) -> None:
        nonlocal copied
        copied += self.end - self.start
        reallocate(self, capacity)

    monkeypatch.setattr(Timeline, "_reallocate", count)
    timeline = Timeline(RATE)
    packet = np.zeros(PACKET, dtype=np.float32)
    for _ in range(20_000):
        timeline.append(packet)
        timeline.trim(timeline.end - RATE)
    assert copied < 2 * timeline.end
