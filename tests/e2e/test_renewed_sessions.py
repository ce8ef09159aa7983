"""A stream that is longer than its sessions on the real server: one text, one timeline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from rapidfuzz.distance import Levenshtein

import wavescribe
from wavescribe.audio.decoding import decode_audio
from wavescribe.client import Event, SessionRenewed, Settled, TurnEnded
from wavescribe.engines.base import Samples

pytestmark = [pytest.mark.model, pytest.mark.slow]

RATE = 16_000
PACE = 2
"""Times as fast as speech."""

SAID = (
    "it was the best of times it was the worst of times it was the age of wisdom it was the age of foolishness it was "
    "the epoch of belief it was the epoch of incredulity it was the season of light it was the season of darkness it "
    "was the spring of hope it was the winter of despair we had everything before us we had nothing before us"
)

TINY = ("--model", "whisper-tiny.en")


class Killed(Exception):
    """The server's process is killed."""


async def spoken(samples: Samples, middle: asyncio.Event | None = None) -> AsyncIterator[Samples]:
    """A recording at its pace; an event is set in the middle."""
    for first in range(0, len(samples), RATE // 10):
        yield samples[first : first + RATE // 10]
        await asyncio.sleep(0.1 / PACE)
        if middle is not None and 2 * first >= len(samples):
            middle.set()


async def collect(events: AsyncGenerator[Event]) -> list[Event]:
    return [event async for event in events]


def text_of(events: list[Event]) -> str:
    return "".join(event.transcript + " " for event in events if isinstance(event, TurnEnded))


def errors(normalise: Callable[[str], str], events: list[Event]) -> int:
    """Words that are wrong, missing or too many."""
    return int(Levenshtein.distance(SAID.split(), normalise(text_of(events)).split()))


def assert_no_sound_lost(renewed: list[SessionRenewed]) -> None:
    assert all(event.lost_seconds == 0 for event in renewed)
    assert all(first.time < second.time for first, second in pairwise(renewed))


def assert_one_timeline(events: list[Event]) -> None:
    """Turns are numbered through, follow each other, and are the joins of their deltas; words rise to the end."""
    ended = [event for event in events if isinstance(event, TurnEnded)]
    assert [event.turn for event in ended] == list(range(len(ended)))
    assert all(first.end <= second.start + 0.001 for first, second in pairwise(ended))
    for turn in ended:
        told = [event for event in events if isinstance(event, Settled) and event.turn == turn.turn]
        assert "".join(event.delta for event in told) == turn.transcript
        assert all(turn.start - 0.5 <= word.start <= word.end <= turn.end for event in told for word in event.words)
    words = [word for event in events if isinstance(event, Settled) for word in event.words]
    assert all(first.start <= second.start for first, second in pairwise(words))
    assert words[-1].end > 23


@pytest.fixture(scope="module")
def samples(two_cities: Path) -> Samples:
    return decode_audio(two_cities, max_seconds=600)[: 24 * RATE]


async def test_over_sessions_that_expire_every_word_is_told_once_at_its_time(
    serve: Callable[..., Any], english_server: Any, samples: Samples, normalise: Callable[[str], str]
) -> None:
    server = serve(*TINY, "--max-session-seconds", "4")
    whole = await collect(wavescribe.stream(spoken(samples), url=english_server.http, language="en"))
    parts = await collect(wavescribe.stream(spoken(samples), url=server.http, language="en"))
    renewed = [event for event in parts if isinstance(event, SessionRenewed)]
    assert len(renewed) >= 2
    assert_no_sound_lost(renewed)
    assert_one_timeline(whole)
    assert_one_timeline(parts)
    # The words at a seam are heard with less before them.
    assert errors(normalise, parts) <= errors(normalise, whole) + len(renewed)


@pytest.mark.parametrize("killed", [False, True])
async def test_a_server_that_is_started_anew_goes_on_with_the_same_text(
    serve_on: Callable[..., Any],
    unused_port: int,
    english_server: Any,
    samples: Samples,
    normalise: Callable[[str], str],
    killed: bool,
) -> None:
    whole = await collect(wavescribe.stream(spoken(samples), url=english_server.http, language="en"))
    middle = asyncio.Event()
    with suppress(Killed), serve_on(unused_port, *TINY):
        stream = wavescribe.stream(spoken(samples, middle), url=f"http://127.0.0.1:{unused_port}", language="en")
        reading = asyncio.create_task(collect(stream))
        await middle.wait()
        if killed:
            raise Killed
    with serve_on(unused_port, *TINY):
        parts = await reading
    renewed = [event for event in parts if isinstance(event, SessionRenewed)]
    assert len(renewed) == 1
    assert_no_sound_lost(renewed)
    assert_one_timeline(parts)
    assert errors(normalise, parts) <= errors(normalise, whole) + 1
