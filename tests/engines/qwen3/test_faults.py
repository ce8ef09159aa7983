"""What becomes of streams whose steps fail, and of the others."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from qwen3_streams import BUDGET, Lab, alone, request, tokens

from wavescribe.engines.base import Samples
from wavescribe.engines.qwen3.attention import PagedLayout
from wavescribe.engines.qwen3.page_pool import OutOfPagesError, PagePool
from wavescribe.engines.qwen3.script import Script
from wavescribe.engines.qwen3.streams import Streams
from wavescribe.errors import EngineError, EngineLostError


def test_a_failing_stream_leaves_the_others_alone(
    lab: Lab, noise_of: Callable[[float, int], Samples], monkeypatch: pytest.MonkeyPatch
) -> None:
    streams = Streams(lab.stepper, lab.pool)
    good, bad = noise_of(3.0, 1), noise_of(3.0, 2)
    broken = bad.copy()
    broken[100] = np.nan
    answers = streams.step([("good", request(good)), ("bad", request(broken))])
    assert tokens(answers[0]) == alone(lab, good, Script(budget=BUDGET)).tokens
    assert isinstance(answers[1], EngineError)
    listen = lab.stepper._hearing._open

    def failing(cache: object, samples: Samples) -> object:
        if len(samples) == len(bad) and samples[0] == bad[0]:
            raise RuntimeError("the device is gone")
        return listen(cache, samples)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(lab.stepper._hearing, "_open", failing)
    answers = streams.step([("good", request(good)), ("bad", request(bad))])
    assert tokens(answers[0]) == alone(lab, good, Script(budget=BUDGET)).tokens
    assert isinstance(answers[1], EngineError)
    assert "device is gone" in str(answers[1])
    assert streams.memory().streams == 1
    streams.leave("good")
    assert lab.pool.free == lab.pool.pages


class Kept:
    """Something large that a pass holds."""


def failing_together(lab: Lab, kind: type[Exception], held: list[weakref.ref[Kept]]) -> Callable[..., Any]:
    """A decoder's pass that fails for several streams; notes a reference to what such a pass held."""
    forward = lab.model.decoder.forward

    def call(embedded: torch.Tensor, layout: PagedLayout, pool: PagePool) -> torch.Tensor:
        if len(layout.new) > 1:
            kept = Kept()
            held.append(weakref.ref(kept))
            raise kind("no room")
        assert not any(each() for each in held), "the failed pass is still held"
        return forward(embedded, layout, pool)

    return call


@pytest.mark.parametrize("kind", [torch.OutOfMemoryError, OutOfPagesError])
def test_streams_that_do_not_fit_together_run_alone_once_the_failed_passes_memory_is_free(
    kind: type[Exception], lab: Lab, noise_of: Callable[[float, int], Samples], monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[weakref.ref[Kept]] = []
    freed: list[bool] = []
    clips = [noise_of(3.0, 1), noise_of(3.0, 2)]
    expected = [alone(lab, clip, Script(budget=BUDGET)).tokens for clip in clips]
    monkeypatch.setattr(lab.model.decoder, "forward", failing_together(lab, kind, held))
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: freed.append(any(each() for each in held)))
    streams = Streams(lab.stepper, lab.pool)
    answers = streams.step([(str(index), request(clip)) for index, clip in enumerate(clips)])
    assert [tokens(answer) for answer in answers] == expected
    assert len(held) == 1
    assert freed == [False]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_scores_that_are_no_numbers_are_no_text_and_stay_with_their_stream(
    value: float, lab: Lab, noise_of: Callable[[float, int], Samples], monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = noise_of(3.0, 1), noise_of(9.0, 2)
    expected = alone(lab, good, Script(budget=BUDGET)).tokens
    encode = lab.model.encoder.encode

    def overflowing(windows: list[torch.Tensor]) -> list[torch.Tensor]:
        return [each * value if len(each) == 13 else each for each in encode(windows)]

    monkeypatch.setattr(lab.model.encoder, "encode", overflowing)
    streams = Streams(lab.stepper, lab.pool)
    for _ in range(2):
        answers = streams.step([("bad", request(bad)), ("good", request(good))])
        assert isinstance(answers[0], EngineError)
        assert "not finite numbers" in str(answers[0])
        assert tokens(answers[1]) == expected
    assert torch.isfinite(lab.pool.keys).all()
    assert torch.isfinite(lab.pool.values).all()


def test_a_failed_device_is_no_streams_own_error(
    lab: Lab, noise_of: Callable[[float, int], Samples], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> torch.Tensor:
        raise torch.AcceleratorError("an illegal memory access was encountered")

    streams = Streams(lab.stepper, lab.pool)
    monkeypatch.setattr(lab.model.decoder, "forward", fails)
    with pytest.raises(EngineLostError, match="illegal memory access"):
        streams.step([("a", request(noise_of(3.0, 1)))])


def test_a_step_that_fails_empties_the_caches_it_had(
    lab: Lab, noise_of: Callable[[float, int], Samples], monkeypatch: pytest.MonkeyPatch
) -> None:
    caches, clip = [lab.cache(), lab.cache()], noise_of(9.0, 1)
    lab.stepper.step([(cache, request(clip)) for cache in caches])
    assert lab.pool.free < lab.pool.pages

    def fails(*_: object) -> torch.Tensor:
        raise RuntimeError("the device is gone")

    monkeypatch.setattr(lab.model.decoder, "forward", fails)
    with pytest.raises(RuntimeError, match="device is gone"):
        lab.stepper.step([(cache, request(clip)) for cache in caches])
    assert lab.pool.free == lab.pool.pages
    assert not any(len(cache.samples) for cache in caches)


def test_a_request_that_cannot_be_served_loses_its_streams_cache(
    lab: Lab, noise_of: Callable[[float, int], Samples]
) -> None:
    streams = Streams(lab.stepper, lab.pool)
    clip = noise_of(9.0, 1)
    streams.step([("a", request(clip))])
    assert lab.pool.free < lab.pool.pages
    clip[-1] = np.nan
    assert isinstance(streams.step([("a", request(clip))])[0], EngineError)
    assert lab.pool.free == lab.pool.pages
    assert streams.memory().streams == 0


def test_a_step_that_is_interrupted_leaves_a_report(
    lab: Lab, noise_of: Callable[[float, int], Samples], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> torch.Tensor:
        raise KeyboardInterrupt

    streams = Streams(lab.stepper, lab.pool)
    with monkeypatch.context() as patched:
        patched.setattr(lab.model.decoder, "forward", interrupted)
        with pytest.raises(KeyboardInterrupt):
            streams.step([("a", request(noise_of(3.0, 1)))])
    streams.leave("unknown")
    assert streams.last_report.free_pages == lab.pool.pages
    answer = streams.step([("b", request(noise_of(3.0, 2)))])[0]
    assert tokens(answer) == alone(lab, noise_of(3.0, 2), Script(budget=BUDGET)).tokens
