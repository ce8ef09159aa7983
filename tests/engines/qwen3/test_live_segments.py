"""Live streams of the strategy `segmented`: what settles is what the engine writes of each segment alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pytest
from qwen3_files import small_tokenizer
from qwen3_streams import Lab

from wavescribe.bench.qwen_cost import CountingEngine
from wavescribe.bench.streamed import run_streamed
from wavescribe.engines.base import DecodeRequest, Samples
from wavescribe.engines.qwen3.configuration import SHAPES
from wavescribe.engines.qwen3.engine import Qwen3AsrEngine
from wavescribe.engines.qwen3.random_engine import random_engine
from wavescribe.engines.qwen3.streams import Streams
from wavescribe.engines.qwen3.tokenizer import QwenTokenizer
from wavescribe.streaming.events import Draft, Event, Settled, TurnEnded
from wavescribe.streaming.fitting import fitted
from wavescribe.streaming.joining import segment_delta
from wavescribe.streaming.parameters import StreamParameters
from wavescribe.streaming.transcriber import Transcriber
from wavescribe.vad.silero import SileroDetector

SECOND = 16_000
STREAM = "live"
TOKENIZER = QwenTokenizer(small_tokenizer(), "test")


def engine_of(lab: Lab) -> Qwen3AsrEngine:
    return Qwen3AsrEngine(Streams(lab.stepper, lab.pool), TOKENIZER, "toy")


@dataclass
class Live:
    """A live stream through the core and the engine.

    Attributes:
        lab: its model and pool.
        parameters: of the stream, before they are fitted to the engine.
        requests: what the engine was asked, in order.
        events: the core's.
    """

    lab: Lab
    parameters: StreamParameters
    requests: list[DecodeRequest] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def hear(self, samples: Samples, packet: int) -> Live:
        """One turn in packets of that many samples."""
        engine = engine_of(self.lab)
        transcriber = Transcriber(STREAM, fitted(self.parameters, engine.info), SileroDetector())
        for start in range(0, len(samples), packet):
            transcriber.push(samples[start : start + packet])
            if start + packet >= len(samples):
                transcriber.end_turn()
            while (request := self._next(transcriber)) is not None:
                self.events += transcriber.accept(engine.decode([request])[0])
        engine.forget(STREAM)
        return self

    def _next(self, transcriber: Transcriber) -> DecodeRequest | None:
        step, events = transcriber.request()
        self.events += events
        if step is None:
            return None
        self.requests.append(step.request)
        return step.request

    @property
    def transcript(self) -> str:
        return next(event.transcript for event in self.events if isinstance(event, TurnEnded))

    @property
    def settled(self) -> list[str]:
        return [event.delta for event in self.events if isinstance(event, Settled)]

    @property
    def segments(self) -> list[DecodeRequest]:
        """The last request of each segment: all that it heard."""
        return list({request.cache_key[1]: request for request in self.requests}.values())


def parameters(strategy: Literal["segmented", "windowed"] = "segmented") -> StreamParameters:
    return StreamParameters(strategy=strategy, language="en")


def decoded_alone(lab: Lab, segments: Sequence[DecodeRequest]) -> list[str]:
    """The text of each segment as a clip of its own, which nothing was heard of before."""
    clips = [DecodeRequest(each.samples, language="en", token_budget=each.token_budget) for each in segments]
    return [engine_of(lab).decode([clip])[0].text for clip in clips]


@pytest.mark.parametrize(("longest", "packet"), [(3.0, 317), (24.0, 16_000)])
def test_the_transcript_is_the_concatenation_of_the_segments_transcribed_alone(
    lab: Lab, speech: Samples, longest: float, packet: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wavescribe.streaming.fitting.CONTINUED_WINDOW_SECONDS", longest)
    live = Live(lab, parameters()).hear(speech[: 12 * SECOND], packet)
    assert len(live.segments) >= 2
    assert len(live.requests) > len(live.segments)
    text = ""
    for alone in decoded_alone(lab, live.segments):
        text += segment_delta(text, alone, opens_segment=True)
    assert live.transcript == "".join(live.settled) == text
    assert any(event.text for event in live.events if isinstance(event, Draft))


def test_settled_text_that_is_forced_does_not_give_that(lab: Lab, speech: Samples) -> None:
    live = Live(lab, parameters("windowed")).hear(speech[: 8 * SECOND], 16_000)
    assert "".join(decoded_alone(lab, live.segments)) != live.transcript


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["segmented", "windowed"])
def test_the_work_of_a_step_is_bounded_along_fifteen_minutes(
    speech: Samples, strategy: Literal["segmented", "windowed"]
) -> None:
    counting = CountingEngine(random_engine("toy"))
    run = run_streamed(counting, np.tile(speech, 30), fitted(parameters(strategy), counting.info))
    spent = [work.operations(SHAPES["0.6B"]) for work in counting.spent]
    fifth = len(spent) // 5
    assert max(spent) <= 1.05 * max(spent[:fifth])
    assert sum(spent[-fifth:]) <= 1.05 * sum(spent[:fifth])
    assert run.held_seconds <= 34
