"""The Transcriber: one stream's state machine. Audio and turn ends go in, decode requests and events come out.

It does no I/O, knows no clock but the audio's, and runs no model: `request()` snapshots a step, whoever runs the
engine brings the answer back with `accept()` or `reject()`. At most one step is in flight.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

from wavescribe.audio.timeline import Timeline
from wavescribe.engines.base import DecodeRequest, Hypothesis, Samples
from wavescribe.streaming.events import (
    Draft,
    Event,
    Reconfigured,
    Settled,
    SpeechStarted,
    SpeechStopped,
    TurnCleared,
    TurnCommitted,
    TurnEnded,
    TurnFailed,
    WindowCost,
)
from wavescribe.streaming.joining import UNSPACED_LANGUAGES, ends_sentence, segment_delta
from wavescribe.streaming.language import LanguageChoice
from wavescribe.streaming.parameters import StreamParameters
from wavescribe.streaming.segmenter import Cut, CutKind, Segmenter
from wavescribe.streaming.strategies.base import Outcome, Window
from wavescribe.streaming.strategies.choosing import make_strategy
from wavescribe.streaming.units import Unit
from wavescribe.streaming.word_times import WordTimes
from wavescribe.vad.detector import SpeechDetector

MAXIMUM_ATTEMPTS = 2
"""Times that a step is tried before its turn fails."""


@dataclass(frozen=True, slots=True)
class Step:
    """A decode to be made.

    Attributes:
        request: what the engine is asked.
        final: whether it ends a segment or a turn, or was made in a lull that may be the end; such steps go first.
        lag: seconds of audio received and not yet decoded when the step was snapshot.
        advance: seconds of its audio that no step has covered before.
    """

    request: DecodeRequest
    final: bool
    lag: float
    advance: float = 0.0


@dataclass(slots=True)
class _Turn:
    number: int
    start: int
    transcript: str = ""
    drafted: bool = False
    failed: bool = False
    speaking: bool = False
    settled_until: int = 0


@dataclass(frozen=True, slots=True)
class _Mark:
    """The client's end of a turn at a position, or the clearing of everything since the last one."""

    position: int
    clears: bool = False


@dataclass(frozen=True, slots=True)
class _InFlight:
    cut: Cut
    window: Window
    attempt: int
    thorough: bool = False


class Transcriber:
    """One stream.

    Args:
        stream_id: names the stream in the engine's cache keys.
        parameters: how it is transcribed.
        detector: its voice activity detector.
    """

    def __init__(self, stream_id: str, parameters: StreamParameters, detector: SpeechDetector) -> None:
        self._stream_id = stream_id
        self._parameters = parameters
        self._detector = detector
        self._timeline = Timeline(parameters.sample_rate)
        self._segmenter = Segmenter(parameters)
        self._strategy = make_strategy(parameters)
        self._strategy_is_old = False
        self._language = LanguageChoice(parameters.language)
        self._turn = _Turn(number=0, start=0)
        self._marks: deque[_Mark] = deque()
        """What the client did and the core has not come to, in order."""
        self._in_flight: _InFlight | None = None
        self._retry: _InFlight | None = None
        self._word_times = WordTimes()
        self._decoded = 0
        self._segment_opens = True
        self._last_step_stands = False
        """Whether the last hypothesis may end its segment."""

    @property
    def stream_id(self) -> str:
        """Names the stream in the engine's cache keys."""
        return self._stream_id

    @property
    def received(self) -> int:
        """Absolute position up to which audio has been received, in samples."""
        return self._timeline.end

    @property
    def lag(self) -> float:
        """Seconds of audio received and not yet decoded or known to be silence."""
        return (self._timeline.end - self._decoded) / self._parameters.sample_rate

    @property
    def held_seconds(self) -> float:
        """Seconds of audio in memory."""
        return self._timeline.held_seconds

    @property
    def turns_pending(self) -> int:
        """Turns that have been ended and not yet completed."""
        return sum(not mark.clears for mark in self._marks)

    @property
    def steps_skipped(self) -> int:
        """Steps that `request` left out so far because it was asked for a larger advance."""
        return self._segmenter.skipped

    def push(self, samples: Samples) -> None:
        """Take the next audio of the stream: shape (samples,), float32, at the engine's rate."""
        self._timeline.append(samples)
        self._segmenter.push(self._detector.probabilities(samples))

    def end_turn(self) -> None:
        """End the turn at the audio received so far. What is pushed later belongs to the next one."""
        self._marks.append(_Mark(self._timeline.end))

    def clear(self) -> None:
        """Drop the audio received since the last turn's end. Turns that have been ended go on.

        A step in flight over that audio is still to be finished; its answer is dropped.
        """
        self._marks.append(_Mark(self._timeline.end, clears=True))

    def reconfigure(self, parameters: StreamParameters) -> list[Event]:
        """Take new parameters; call it with no step in flight and every turn that was ended completed.

        A window that is open keeps its strategy and its settling rule to the segment's end.

        Raises:
            RuntimeError: a step is in flight or a turn is pending.
        """
        if self._in_flight is not None or self._marks:
            raise RuntimeError("finish the steps of what was received before taking new parameters")
        if parameters.language != self._parameters.language:
            self._language = LanguageChoice(parameters.language)
        self._parameters = parameters
        self._strategy_is_old = True
        self._segmenter.reconfigure(parameters)
        return [Reconfigured(self._turn.number)]

    def request(self, minimum_advance: int = 0) -> tuple[Step | None, list[Event]]:
        """Snapshot the next step.

        Args:
            minimum_advance: samples that a step has to cover at least (more than a step length skips steps).

        Returns:
            The step, or None when nothing is to be decoded now; and events of turns that ended without a decode.
        """
        events: list[Event] = []
        if self._in_flight is not None:
            return None, events
        self._drop_cleared(events)
        if self._retry is not None:
            return self._snapshot(self._retry), events
        while (cut := self._next_cut(minimum_advance)) is not None:
            self._announce(cut, events)
            step = self._begin(cut, events)
            if step is not None:
                return step, events
            self._drop_cleared(events)
        self._pass_silence()
        return None, events

    def accept(self, hypothesis: Hypothesis) -> list[Event]:
        """Finish the step in flight with the engine's answer."""
        step = self._take_in_flight()
        if self._is_cleared and step.cut.kind is not CutKind.TURN:
            return []
        final = step.cut.is_final
        may_end = step.cut.kind is not CutKind.STEP
        doubtful = may_end and self._strategy.is_doubtful(step.window, hypothesis)
        if final and doubtful and not step.thorough:
            self._retry = replace(step, thorough=True)
            return []
        self._last_step_stands = not doubtful
        self._language.observe(hypothesis, (step.window.end - step.window.start) / self._parameters.sample_rate)
        if not step.window.prefix and self._language.current not in UNSPACED_LANGUAGES:
            self._segment_opens = True  # not every model writes a space before what it takes for the beginning
        outcome = self._strategy.reconcile(step.window, hypothesis, final=final)
        return self._take_outcome(step.cut, outcome, _cost(step, hypothesis))

    def _take_outcome(self, cut: Cut, outcome: Outcome, cost: WindowCost | None = None) -> list[Event]:
        events = self._publish(outcome, cut.position, cost)
        if outcome.unheard:
            self._retry = _InFlight(cut, self._strategy.plan(cut.position, cut.speech_end), attempt=1)
        else:
            self._finish(cut, events)
        return events

    def reject(self, error: Exception) -> list[Event]:
        """Finish the step in flight without an answer: it is tried again, then its turn fails."""
        step = self._take_in_flight()
        if self._is_cleared and step.cut.kind is not CutKind.TURN:
            return []
        if step.attempt < MAXIMUM_ATTEMPTS:
            self._retry = replace(step, attempt=step.attempt + 1)
            return []
        self._turn.failed = True
        self._segmenter.abandon(step.cut.position)
        self._strategy.close()
        events = self._publish(Outcome((), ()), step.cut.position)
        self._pass(step.cut, events)
        return events

    @property
    def _is_cleared(self) -> bool:
        """Whether the open turn's audio is to be dropped."""
        return bool(self._marks) and self._marks[0].clears

    def _drop_cleared(self, events: list[Event]) -> None:
        # A turn that was announced as committed is finished, even if its last step has to be made again.
        while self._is_cleared and not (self._retry is not None and self._retry.cut.kind is CutKind.TURN):
            self._clear(self._marks.popleft().position, events)

    def _clear(self, position: int, events: list[Event]) -> None:
        self._retry = None
        self._segmenter.clear(position)
        self._strategy.close()
        self._decoded = max(self._decoded, position)
        events.append(TurnCleared(self._turn.number, position))
        self._turn = _Turn(self._turn.number + 1, position)
        self._trim()

    def _next_cut(self, minimum_advance: int) -> Cut | None:
        turn_end = self._marks[0].position if self._marks else None
        return self._segmenter.next_cut(self._timeline.end, turn_end, minimum_advance)

    def _announce(self, cut: Cut, events: list[Event]) -> None:
        """Tell what the endpointer heard, before the decode that it may need."""
        if cut.kind is CutKind.SPEECH:
            self._turn.start = cut.position
            self._turn.speaking = True
            events.append(SpeechStarted(self._turn.number, cut.position))
        elif cut.kind is CutKind.TURN:
            self._commit(cut.position, events)

    def _commit(self, position: int, events: list[Event]) -> None:
        turn = self._turn
        if turn.speaking:
            turn.speaking = False
            events.append(SpeechStopped(turn.number, position))
        events.append(TurnCommitted(turn.number, turn.start, position))

    def _begin(self, cut: Cut, events: list[Event]) -> Step | None:
        """The decode that a cut needs, or None when it needs none."""
        if cut.segment_start is None:
            self._pass(cut, events)
            return None
        if not self._strategy.is_open:
            self._strategy = make_strategy(self._parameters) if self._strategy_is_old else self._strategy
            self._strategy_is_old = False
            self._strategy.open(cut.segment_start)
            self._segment_opens = True
        elif cut.heard and self._last_step_stands:
            events += self._take_outcome(cut, self._strategy.finish(cut.speech_end))
            return None if self._retry is None else self._snapshot(self._retry)
        return self._snapshot(_InFlight(cut, self._strategy.plan(cut.position, cut.speech_end), attempt=1))

    def _snapshot(self, step: _InFlight) -> Step:
        self._retry = None
        self._in_flight = step
        window = step.window
        context = " ".join(part for part in (self._parameters.prompt, window.context) if part)
        return Step(
            request=DecodeRequest(
                samples=self._timeline.read(window.start, window.end),
                language=self._language.chosen,
                context=context,
                keywords=self._parameters.keywords,
                prefix=window.prefix,
                token_budget=window.token_budget,
                thorough=step.thorough,
                cache_key=(self._stream_id, window.start),
            ),
            final=step.cut.kind is not CutKind.STEP,
            lag=self.lag,
            advance=max(0, window.end - self._decoded) / self._parameters.sample_rate,
        )

    def _take_in_flight(self) -> _InFlight:
        if self._in_flight is None:
            raise RuntimeError("no step is in flight: call request() first")
        step, self._in_flight = self._in_flight, None
        return step

    def _publish(self, outcome: Outcome, position: int, cost: WindowCost | None = None) -> list[Event]:
        events: list[Event] = []
        if outcome.settled:
            events.append(self._settle(outcome.settled, position, cost))
        draft = "".join(unit.text for unit in outcome.draft)
        if draft or self._turn.drafted:
            self._turn.drafted = bool(draft)
            text = segment_delta(self._turn.transcript, draft, opens_segment=self._segment_opens)
            events.append(Draft(self._turn.number, text, position, cost))
        return events

    def _settle(self, units: tuple[Unit, ...], position: int, cost: WindowCost | None) -> Settled:
        text = "".join(unit.text for unit in units)
        delta = segment_delta(self._turn.transcript, text, opens_segment=self._segment_opens)
        self._segment_opens = False
        self._turn.transcript += delta
        self._turn.settled_until = units[-1].end
        self._segmenter.sentence_ended = ends_sentence(self._turn.transcript)
        words = tuple(self._word_times.told(unit) for unit in units)
        return Settled(self._turn.number, delta, words, self._language.current, position, cost)

    def _finish(self, cut: Cut, events: list[Event]) -> None:
        if cut.is_final:
            self._strategy.close(in_pause=cut.kind is CutKind.PAUSE)
        self._pass(cut, events)

    def _pass(self, cut: Cut, events: list[Event]) -> None:
        """Go past a cut that needs no decode any more."""
        self._decoded = max(self._decoded, cut.position)
        if cut.kind is CutKind.TURN:
            if self._marks and self._marks[0].position == cut.position:
                self._marks.popleft()
            events.append(self._end_turn(cut.position))
        elif not cut.is_final:
            self._limit_turn(cut, events)
        self._trim()

    def _limit_turn(self, cut: Cut, events: list[Event]) -> None:
        """End a turn that the next step would make too long, after its last settled unit; the window goes on."""
        longest = self._parameters.maximum_turn_seconds
        turn = self._turn
        if longest is None or not turn.transcript:
            return
        if cut.position - turn.start <= self._parameters.samples(longest - self._parameters.step_seconds):
            return
        speaking = turn.speaking
        self._commit(turn.settled_until, events)
        events.append(self._end_turn(turn.settled_until))
        if speaking:
            self._turn.speaking = True
            events.append(SpeechStarted(self._turn.number, turn.settled_until))

    def _pass_silence(self) -> None:
        if not self._strategy.is_open and self._segmenter.in_silence:
            self._decoded = max(self._decoded, self._segmenter.consumed)
            self._strategy.rest(self._segmenter.needed_from)
        self._trim()

    def _trim(self) -> None:
        needed = [position for position in (self._strategy.needed_from,) if position is not None]
        if not self._strategy.is_open:
            needed.append(self._segmenter.needed_from)
        self._timeline.trim(min(needed))

    def _end_turn(self, position: int) -> TurnEnded | TurnFailed:
        turn = self._turn
        self._turn = _Turn(turn.number + 1, position)
        self._segmenter.sentence_ended = True
        if turn.failed:
            return TurnFailed(turn.number, "the engine failed on this turn's audio", turn.start, position)
        return TurnEnded(turn.number, turn.transcript, self._language.current, turn.start, position)


def _cost(step: _InFlight, hypothesis: Hypothesis) -> WindowCost:
    prefix = len(step.window.prefix)
    tokens = sum(len(piece.token_ids) for piece in hypothesis.pieces)
    return WindowCost(step.window.start, step.window.end, prefix, max(0, tokens - prefix), step.attempt, step.thorough)
