"""All streams of one model: their caches, their pages, and steps that serve many of them at once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np

from wavescribe.engines.qwen3.device_faults import free_unused_memory, told
from wavescribe.engines.qwen3.geometry import SAMPLE_RATE, frame_count, token_count
from wavescribe.engines.qwen3.page_pool import OutOfPagesError, PagePool
from wavescribe.engines.qwen3.script import TAG_LIMIT
from wavescribe.engines.qwen3.segments import RollOver
from wavescribe.engines.qwen3.special_tokens import TAIL, head
from wavescribe.engines.qwen3.stepper import StepAnswer, Stepper, StepRequest
from wavescribe.engines.qwen3.stream_cache import StreamCache, new_cache
from wavescribe.errors import EngineError

MAXIMUM_SECONDS = 1200.0
"""Longest clip of the official model."""

LEAST_CACHES = 256
"""Caches that are kept whatever the pool holds: most of a stream's time is saved by what lies outside it."""


@dataclass(frozen=True, slots=True)
class MemoryReport:
    """What the streams hold.

    Attributes:
        streams: streams with a cache.
        pages: pages of the pool.
        free_pages: those that no stream holds.
        page_bytes: bytes of one page.
        cache_bytes: bytes of the caches outside the pool.
        largest_stream_bytes: bytes of the stream that holds most, pages included.
    """

    streams: int
    pages: int
    free_pages: int
    page_bytes: int
    cache_bytes: int
    largest_stream_bytes: int


class Streams:
    """Runs steps of streams that are known by a key.

    A stream that was not heard of before starts with an empty cache. When pages run short, those of streams that are
    not in the step go first, the longest idle ones before others; they are computed again when needed.

    Args:
        stepper: runs the steps.
        pool: the stepper's pool.
        most_streams: caches kept; the longest idle stream beyond them is forgotten. By default as many as the pool has
            room for, were each half full on average.
    """

    def __init__(self, stepper: Stepper, pool: PagePool, most_streams: int | None = None) -> None:
        self.stepper = stepper
        self._pool = pool
        self._most = most_streams or max(LEAST_CACHES, 2 * self.room(RollOver().cap_seconds))
        self._caches: OrderedDict[str, StreamCache] = OrderedDict()
        self._sizes: dict[str, int] = {}
        """Bytes of each cache outside the pool after its last step; looking at all would add to every step."""
        self._lock = Lock()
        self.last_report = self._report()
        """What was held after the last step or leave."""

    def room(self, seconds: float, budget: int = 256) -> int:
        """How many streams' pages fit the pool at the same time.

        Few give a context and few segments become the longest: where streams need more than there is, the pages of idle
        ones are taken, which costs time and changes no text.

        Args:
            seconds: their longest segment.
            budget: most tokens of an answer.
        """
        return self._pool.pages // self.pages_of_one(seconds, budget)

    def pages_of_one(self, seconds: float, budget: int, context: int = 0) -> int:
        """Most pages of one stream with a context of so many tokens; see `room`."""
        head_tokens = len(head()) + context
        return self._pool.pages_for(_tokens(round(seconds * SAMPLE_RATE), head_tokens, budget + TAG_LIMIT + 1))

    def leave(self, key: str) -> None:
        """Forget a stream; its pages are free. Unknown keys are forgotten already."""
        with self._lock:
            self._forget(key)
            self.last_report = self._report()

    def step(self, requests: Sequence[tuple[str, StepRequest]]) -> list[StepAnswer | EngineError]:
        """Answer steps, each stream's for itself: one that fails leaves the others alone and loses its cache.

        Args:
            requests: key and step of each stream, no key twice; the key "" keeps nothing.

        Raises:
            EngineLostError: the device failed; this process is of no use any more.
        """
        with self._lock:
            answers: list[StepAnswer | EngineError] = [EngineError("not run")] * len(requests)
            sound: list[int] = []
            for index, (key, request) in enumerate(requests):
                problem = self._problem(request)
                if problem is None:
                    sound.append(index)
                    continue
                answers[index] = problem
                self._forget(key)
            for group in self._groups(requests, sound):
                for index, answer in zip(group, self._run([requests[index] for index in group]), strict=True):
                    answers[index] = answer
            self._measure(key for key, _ in requests)
            self.last_report = self._report()
            return answers

    def memory(self) -> MemoryReport:
        """What is held now; waits for a step under way."""
        with self._lock:
            self._measure(list(self._caches))
            return self._report()

    def _measure(self, keys: Iterable[str]) -> None:
        self._sizes.update((key, self._caches[key].bytes) for key in keys if key in self._caches)

    def _report(self) -> MemoryReport:
        caches = list(self._caches.values())
        sizes = [self._sizes.get(key, 0) for key in self._caches]
        pages = [len(cache.table.pages) * self._pool.page_bytes for cache in caches]
        return MemoryReport(
            streams=len(caches),
            pages=self._pool.pages,
            free_pages=self._pool.free,
            page_bytes=self._pool.page_bytes,
            cache_bytes=sum(sizes),
            largest_stream_bytes=max((a + b for a, b in zip(sizes, pages, strict=True)), default=0),
        )

    def _problem(self, request: StepRequest) -> EngineError | None:
        if len(request.samples) > MAXIMUM_SECONDS * SAMPLE_RATE:
            return EngineError(f"a window of {len(request.samples) / SAMPLE_RATE:.0f} s; at most {MAXIMUM_SECONDS:.0f}")
        if not np.isfinite(request.samples).all():
            return EngineError("the audio has samples that are not finite numbers")
        if self._pages(request) > self._pool.pages:
            return OutOfPagesError(
                f"a window of {len(request.samples) / SAMPLE_RATE:.0f} s needs {self._pages(request)} pages of keys "
                f"and values and the pool has {self._pool.pages}; give it more memory, or take shorter windows"
            )
        return None

    def _pages(self, request: StepRequest) -> int:
        """Most pages that a step can need."""
        script = request.script
        answer = len(script.opening) + len(script.given) + script.budget + TAG_LIMIT + 1
        return self._pool.pages_for(_tokens(len(request.samples), len(request.head), answer))

    def _groups(self, requests: Sequence[tuple[str, StepRequest]], indices: Sequence[int]) -> list[list[int]]:
        """The steps in groups that fit the pool, in order."""
        groups: list[list[int]] = []
        room = 0
        for index in indices:
            needed = self._pages(requests[index][1])
            if not groups or needed > room:
                groups.append([])
                room = self._pool.pages
            groups[-1].append(index)
            room -= needed
        return groups

    def _run(self, group: Sequence[tuple[str, StepRequest]]) -> list[StepAnswer | EngineError]:
        answers = self._tried(group)
        if not isinstance(answers, EngineError):
            return answers
        # Out of the handler of what failed: its traceback held the tensors of the pass.
        free_unused_memory()
        if len(group) > 1:
            return [answer for each in group for answer in self._run([each])]
        return [answers]

    def _tried(self, group: Sequence[tuple[str, StepRequest]]) -> list[StepAnswer | EngineError] | EngineError:
        """The answers of a group, or why it failed; then its streams are forgotten."""
        self._make_room(group)
        pairs = [(self._cache(key), request) for key, request in group]
        try:
            return list(self.stepper.step(pairs))
        except Exception as error:  # torch raises many kinds; whatever it is, it must stay this stream's own
            for key, _ in group:
                self._forget(key)
            return told(error)
        finally:
            self._tidy([cache for (key, _), (cache, _) in zip(group, pairs, strict=True) if not key])

    def _cache(self, key: str) -> StreamCache:
        cache = self._caches.pop(key, None) or new_cache(self._pool, self.stepper.shape.audio)
        if key:
            self._caches[key] = cache
        return cache

    def _make_room(self, group: Sequence[tuple[str, StepRequest]]) -> None:
        """Take pages from idle streams until the group's steps fit."""
        keys = {key for key, _ in group}
        held = sum(len(cache.table.pages) for key, cache in self._caches.items() if key in keys)
        needed = sum(self._pages(request) for _, request in group) - held
        for key, cache in self._caches.items():
            if self._pool.free >= needed:
                return
            if key not in keys:
                cache.drop_pages()

    def _tidy(self, passing: Sequence[StreamCache]) -> None:
        for cache in passing:
            cache.clear()
        while len(self._caches) > self._most:
            self._forget(next(iter(self._caches)))

    def _forget(self, key: str) -> None:
        self._sizes.pop(key, None)
        cache = self._caches.pop(key, None)
        if cache is not None:
            cache.clear()


def _tokens(samples: int, head_tokens: int, answer: int) -> int:
    return head_tokens + token_count(frame_count(samples)) + len(TAIL) + answer
