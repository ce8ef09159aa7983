from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from qwen3_streams import BUDGET, Lab, alone, cut, request, tokens

from wavescribe.engines.base import Samples
from wavescribe.engines.qwen3 import stepper
from wavescribe.engines.qwen3.page_pool import OutOfPagesError, PagePool
from wavescribe.engines.qwen3.script import Script
from wavescribe.engines.qwen3.stepper import StepAnswer, StepRequest
from wavescribe.engines.qwen3.streams import Streams
from wavescribe.errors import EngineError


def test_streams_in_one_step_equal_each_alone(lab: Lab, noise_of: Callable[[float, int], Samples]) -> None:
    lengths = [0.4, 3.1, 8.0, 8.01, 16.53, 21.0]
    clips = [noise_of(seconds, index) for index, seconds in enumerate(lengths)]
    caches = [lab.cache() for _ in clips]
    for share in (0.5, 0.8, 1.0):
        parts = [clip[: int(len(clip) * share)] for clip in clips]
        answers = lab.stepper.step([(cache, request(part)) for cache, part in zip(caches, parts, strict=True)])
        for part, answer in zip(parts, answers, strict=True):
            expected = alone(lab, part, Script(budget=BUDGET))
            assert answer.tokens == expected.tokens
            assert float((torch.stack(answer.logits) - torch.stack(expected.logits)).abs().max()) <= 1e-5


@pytest.mark.parametrize("draft", ["right", "wrong from the middle", "wrong", "too long", "none"])
def test_a_verified_draft_gives_what_greedy_decoding_gives(
    draft: str, lab: Lab, noise_of: Callable[[float, int], Samples]
) -> None:
    clip = noise_of(9.0, 3)
    greedy = alone(lab, clip, Script(budget=12)).tokens
    drafts = {
        "right": greedy,
        "wrong from the middle": (*greedy[:5], 77, *greedy[6:]),
        "wrong": tuple(token + 1 for token in greedy),
        "too long": (*greedy, 5, 6, 7),
        "none": (),
    }
    cache, other = lab.cache(), lab.cache()
    cache.written, other.written = drafts[draft], greedy[:3]
    before = lab.stepper.work.copy()
    answers = lab.stepper.step([(cache, request(clip, 12)), (other, request(clip, 12))])
    assert [answer.tokens for answer in answers] == [greedy, greedy]
    stood = {"right": 12, "wrong from the middle": 5, "wrong": 0, "too long": 12, "none": 0}[draft]
    assert [answer.drafted for answer in answers] == [stood, 3]
    assert lab.stepper.work.minus(before).passes == 12 - min(stood, 3)


@pytest.mark.parametrize("draft", ["none", "right", "beyond the end", "wrong"])
def test_an_answer_ends_where_the_model_ends_it(
    draft: str, lab: Lab, noise_of: Callable[[float, int], Samples], monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = noise_of(9.0, 3)
    greedy = alone(lab, clip, Script(budget=12)).tokens
    at = next(place for place in range(4, 12) if greedy[place] not in greedy[:place])
    monkeypatch.setattr(stepper, "ENDS", frozenset({greedy[at]}))
    cache = lab.cache()
    cache.written = {"none": (), "right": greedy[:at], "beyond the end": greedy, "wrong": (*greedy[: at - 2], 5, 6, 7)}[
        draft
    ]
    answer = lab.stepper.step([(cache, request(clip, 12))])[0]
    assert (answer.tokens, answer.truncated) == (greedy[:at], False)
    assert cache.written == greedy[:at]
    cache.clear()


def test_a_right_draft_needs_one_pass(lab: Lab, noise_of: Callable[[float, int], Samples]) -> None:
    clip = noise_of(5.0, 4)
    cache = lab.cache()
    lab.stepper.step([(cache, request(clip))])
    before = lab.stepper.work.copy()
    lab.stepper.step([(cache, request(clip))])
    assert lab.stepper.work.minus(before).passes == 1


def test_given_text_is_not_chosen_anew_and_a_tag_is_written_before_it(
    lab: Lab, noise_of: Callable[[float, int], Samples]
) -> None:
    clip = noise_of(6.0, 5)
    script = Script(given=(500, 501, 502), budget=5, writes_tag=True)
    first = alone(lab, clip, script)
    start = first.text_start
    assert first.tokens[start - 1] == 151704
    assert first.tokens[start : start + 3] == (500, 501, 502)
    assert len(first.tokens) == start + 3 + 5
    cache = lab.cache()
    cache.written = (*first.tokens[:4], 9, 9)
    assert lab.stepper.step([(cache, StepRequest(clip, script))])[0].tokens == first.tokens
    assert first.log_probabilities[start : start + 3] == (0.0, 0.0, 0.0)


def test_joining_and_leaving_streams_never_change_anothers_tokens(
    lab: Lab, noise_of: Callable[[float, int], Samples]
) -> None:
    streams = Streams(lab.stepper, lab.pool)
    clips = {f"s{index}": noise_of(14.0, index) for index in range(4)}
    expected = {
        key: [alone(lab, part, Script(budget=BUDGET)).tokens for part in cut(clip, 2.0)] for key, clip in clips.items()
    }
    random = np.random.default_rng(5)
    done = dict.fromkeys(clips, 0)
    while any(done[key] < len(expected[key]) for key in clips):
        ready = [key for key in clips if done[key] < len(expected[key]) and random.random() < 0.6]
        steps = [(key, request(list(cut(clips[key], 2.0))[done[key]])) for key in ready]
        for key, answer in zip(ready, streams.step(steps), strict=True):
            assert tokens(answer) == expected[key][done[key]]
            done[key] += 1
        if random.random() < 0.2:
            streams.leave(str(random.choice(list(clips))))


def test_a_step_without_a_stream_keeps_nothing(lab: Lab, noise_of: Callable[[float, int], Samples]) -> None:
    streams = Streams(lab.stepper, lab.pool)
    streams.step([("", request(noise_of(9.0, 1))), ("", request(noise_of(3.0, 2)))])
    assert lab.pool.free == lab.pool.pages
    assert streams.memory().streams == 0


class Chaos:
    """What goes wrong by chance, and what came of it."""

    def __init__(self, random: np.random.Generator) -> None:
        self.random = random
        self.kinds: set[str] = set()
        self.split = 0
        self.some_answers: list[tuple[Samples, StepAnswer]] = []

    def failing(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The call, which fails once in a while."""

        def sometimes(*arguments: Any) -> Any:
            if self.random.random() < 0.08:
                raise RuntimeError("lost")
            return call(*arguments)

        return sometimes

    def beginning(self, clip: Samples) -> Samples:
        """Mostly short, at times past several windows or more than the pool holds; once in a while damaged."""
        longest = self.random.choice([30_000, 320_000, 1_120_000], p=[0.72, 0.24, 0.04])
        samples = clip[: int(self.random.integers(1600, longest))]
        if self.random.random() < 0.03:
            samples = samples.copy()
            samples[5] = np.nan
        return samples

    def take(self, requests: list[tuple[str, StepRequest]], answers: list[StepAnswer | EngineError]) -> None:
        for (_, asked), answer in zip(requests, answers, strict=True):
            if isinstance(answer, StepAnswer):
                self.kinds.add("answered")
                if self.random.random() < 0.03:
                    self.some_answers.append((asked.samples, answer))
            else:
                self.kinds.add("not finite" if "not finite" in str(answer) else type(answer).__name__)


def pages_taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note how many pages are taken from idle streams each time that room is made."""
    taken: list[int] = []
    make_room = Streams._make_room

    def noted(streams: Streams, group: list[tuple[str, StepRequest]]) -> None:
        before = streams._pool.free
        make_room(streams, group)
        taken.append(streams._pool.free - before)

    monkeypatch.setattr(Streams, "_make_room", noted)
    return taken


def test_no_page_is_lost_in_a_thousand_random_events(
    toy_weights: dict[str, torch.Tensor],
    lab: Lab,
    noise_of: Callable[[float, int], Samples],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small = Lab(lab.model.shape, toy_weights, pages=24)
    streams = Streams(small.stepper, small.pool, most_streams=5)
    random = np.random.default_rng(2)
    clips = [noise_of(70.0, index) for index in range(7)]
    chaos = Chaos(random)
    monkeypatch.setattr(small.model.decoder, "forward", chaos.failing(small.model.decoder.forward))
    monkeypatch.setattr(small.model.encoder, "encode", chaos.failing(small.model.encoder.encode))
    taken = pages_taken(monkeypatch)
    for _ in range(1000):
        if random.random() < 0.4:
            streams.leave(f"s{random.integers(7)}")
            continue
        chosen = random.choice(7, int(random.integers(1, 4)), replace=False)
        requests = [(f"s{i}", request(chaos.beginning(clips[i]), 2)) for i in chosen]
        chaos.split += len(streams._groups(requests, range(len(requests)))) > 1
        chaos.take(requests, streams.step(requests))
        held = sum(len(cache.table.pages) for cache in streams._caches.values())
        assert small.pool.free == small.pool.pages - held
        assert len(streams._caches) <= 5
    assert chaos.kinds == {"EngineError", "OutOfPagesError", "not finite", "answered"}
    assert chaos.split >= 5
    assert sum(taken) > 100
    assert len(chaos.some_answers) >= 10
    monkeypatch.undo()
    for samples, answer in chaos.some_answers:
        assert alone(lab, samples, Script(budget=2)).tokens == answer.tokens
    for index in range(7):
        streams.leave(f"s{index}")
    assert small.pool.free == small.pool.pages
    assert sorted(small.pool._free) == list(range(24))


def test_idle_streams_give_their_pages_to_those_that_need_them(
    toy_weights: dict[str, torch.Tensor], lab: Lab, noise_of: Callable[[float, int], Samples]
) -> None:
    small = Lab(lab.model.shape, toy_weights, pages=16)
    streams = Streams(small.stepper, small.pool)
    clips = [noise_of(9.0 + index, index) for index in range(6)]
    for _ in range(2):
        steps = [(f"s{index}", request(clip)) for index, clip in enumerate(clips)]
        for clip, answer in zip(clips, streams.step(steps), strict=True):
            assert tokens(answer) == alone(lab, clip, Script(budget=BUDGET)).tokens


def test_a_window_beyond_the_pool_is_refused_with_its_size(
    toy_weights: dict[str, torch.Tensor], lab: Lab, noise_of: Callable[[float, int], Samples]
) -> None:
    small = Lab(lab.model.shape, toy_weights, pages=4)
    answer = Streams(small.stepper, small.pool).step([("a", request(noise_of(20.0, 1)))])[0]
    assert isinstance(answer, OutOfPagesError)
    assert "20 s" in str(answer)


def test_the_pool_has_room_for_as_many_streams_as_their_longest_segments_fit(lab: Lab) -> None:
    streams = Streams(lab.stepper, lab.pool)
    assert streams.room(32.0) == lab.pool.pages // lab.pool.pages_for(9 + 416 + 6 + 256 + 13) == 5
    assert streams.room(4.0, 64) > streams.room(32.0)
    assert streams.pages_of_one(32.0, 256, 1024) == lab.pool.pages_for(9 + 1024 + 416 + 6 + 256 + 13)


def test_a_tag_that_is_written_to_its_limit_fits_the_pages_that_a_step_asks_for(
    lab: Lab, noise_of: Callable[[float, int], Samples], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The longest tag, the given text and the whole budget end just beyond a page.
    prompt, given, budget = 9 + 13 + 6, (500, 501), 6
    assert (prompt + 13 + len(given) + budget) % 32 == 17
    budget += 16
    script = Script(given=given, budget=budget, writes_tag=True)
    pages = lab.pool.pages_for(prompt + 13 + len(given) + budget)
    assert pages > lab.pool.pages_for(prompt + 12 + len(given) + budget)
    streams = Streams(lab.stepper, lab.pool)
    step = StepRequest(noise_of(1.0, 1), script)
    first = streams.step([("a", step)])[0]
    assert isinstance(first, StepAnswer)
    assert first.text_start == 13
    assert streams._pages(step) == pages
    most: list[int] = []
    give = PagePool.give

    def watched(pool: PagePool, pages: list[int]) -> None:
        most.append(pool.pages - pool.free)
        give(pool, pages)

    monkeypatch.setattr(PagePool, "give", watched)
    second = streams.step([("a", step)])[0]
    assert isinstance(second, StepAnswer)
    assert second.drafted == len(first.tokens)
    assert max(most) == pages


def test_memory_is_reported(lab: Lab, noise_of: Callable[[float, int], Samples]) -> None:
    streams = Streams(lab.stepper, lab.pool)
    streams.step([("a", request(noise_of(9.0, 1))), ("b", request(noise_of(2.0, 1)))])
    report = streams.memory()
    assert report.streams == 2
    assert report.free_pages == lab.pool.free < report.pages
    assert report.page_bytes == 32 * lab.model.shape.text.key_value_bytes(4)
    assert report.largest_stream_bytes > 4 * report.page_bytes
    assert streams.last_report == report
    streams.leave("a")
    assert streams.last_report.streams == 1
    assert streams.last_report.free_pages > report.free_pages
    assert streams.last_report.largest_stream_bytes < report.largest_stream_bytes
    streams.leave("b")
    assert (streams.last_report.cache_bytes, streams.last_report.largest_stream_bytes) == (0, 0)


def test_a_streams_memory_is_bounded_by_its_window(lab: Lab, noise_of: Callable[[float, int], Samples]) -> None:
    streams = Streams(lab.stepper, lab.pool)
    shape = lab.model.shape
    for seconds in (4.0, 12.0, 20.0, 32.0):
        streams.step([("a", request(noise_of(seconds, 1)))])
        report = streams.memory()
        held = report.cache_bytes + (report.pages - report.free_pages) * report.page_bytes
        frames, tokens = round(100 * seconds), 13 * round(seconds)
        # Audio, features, the open window's convolved seconds, finished windows' tokens, and pages.
        most = 4 * (16_000 * seconds + frames * shape.audio.mel_bins + 8 * 13 * shape.audio.width)
        most += 4 * tokens * shape.audio.output_width
        most += (tokens + 9 + 32) * shape.text.key_value_bytes(4)
        assert report.largest_stream_bytes == held
        assert 0.5 * most < held <= 1.02 * most


def test_a_streams_cache_holds_its_own_values_and_not_the_batchs(
    lab: Lab, noise_of: Callable[[float, int], Samples]
) -> None:
    caches = [lab.cache() for _ in range(4)]
    lab.stepper.step([(cache, request(noise_of(10.5, index))) for index, cache in enumerate(caches)])
    kept = [each.values for each in (*caches[0].seconds.values(), *caches[0].windows.values())]
    assert len(kept) == 3  # two seconds of the open window, and a finished window
    assert all(each.untyped_storage().nbytes() == each.numel() * each.element_size() for each in kept)
    for cache in caches:
        cache.clear()
