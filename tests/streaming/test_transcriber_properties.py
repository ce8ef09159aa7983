from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fakes import FakeEngine, LevelDetector, speak, transcribe
from hypothesis import given, settings
from hypothesis import strategies as st

from wavescribe.engines.base import Piece
from wavescribe.errors import EngineError
from wavescribe.streaming.events import (
    Event,
    Settled,
    TurnEnded,
    TurnFailed,
)
from wavescribe.streaming.parameters import StreamParameters
from wavescribe.streaming.transcriber import Transcriber


def deltas(events: list[Event]) -> str:
    return "".join(event.delta for event in events if isinstance(event, Settled))


def transcripts(events: list[Event]) -> list[str]:
    return [event.transcript for event in events if isinstance(event, TurnEnded)]


def new_transcriber() -> Transcriber:
    return Transcriber("s", StreamParameters(), LevelDetector())


@settings(max_examples=40, deadline=None)
@given(
    words=st.lists(st.integers(0, 9), min_size=1, max_size=30),
    packet=st.sampled_from([16, 317, 1_600, 16_000, 160_000]),
    step=st.sampled_from([0.5, 1.0, 2.0]),
)
def test_packets_change_nothing(words: list[int], packet: int, step: float) -> None:
    samples = speak(words, silence=0.7)
    whole = transcribe(samples, FakeEngine(), packet=10**9, step_seconds=step)
    parts = transcribe(samples, FakeEngine(), packet=packet, step_seconds=step)
    assert parts == whole


@settings(max_examples=60, deadline=None)
@given(data=st.data(), words=st.lists(st.integers(0, 9), min_size=1, max_size=40))
def test_an_engine_that_revises_stutters_and_fails_never_breaks_the_text(data: st.DataObject, words: list[int]) -> None:
    def mangle(_: int, pieces: list[Piece]) -> list[Piece]:
        match data.draw(st.sampled_from(["as is", "empty", "revise", "stutter", "shorten"])):
            case "empty":
                return []
            case "revise":
                return [Piece((800,), " revised", piece.start, piece.end, 0.4) for piece in pieces]
            case "stutter":
                return [piece for piece in pieces for _ in range(2)]
            case "shorten":
                return pieces[: len(pieces) // 2]
            case _:
                return pieces

    transcriber, engine = new_transcriber(), FakeEngine(alter=mangle)
    transcriber.push(speak(words, silence=0.5))
    transcriber.end_turn()
    events: list[Event] = []
    while True:
        step, more = transcriber.request()
        events += more
        if step is None:
            break
        if data.draw(st.integers(0, 9)) == 0:
            events += transcriber.reject(EngineError("chance"))
        else:
            events += transcriber.accept(engine.decode(step.request))
    ends = [event for event in events if isinstance(event, TurnEnded | TurnFailed)]
    assert len(ends) == 1
    if isinstance(ends[0], TurnEnded):
        assert deltas(events) == ends[0].transcript
    assert transcriber.turns_pending == 0


@settings(max_examples=60, deadline=None)
@given(
    data=st.data(),
    words=st.lists(st.integers(1, 99), min_size=1, max_size=45, unique=True),
    packet=st.sampled_from([317, 16_000, 10**9]),
)
def test_drafts_that_lose_or_mishear_their_ends_cost_no_word_and_double_none(
    data: st.DataObject, words: list[int], packet: int
) -> None:
    transcriber = new_transcriber()
    final = False

    def mangle(_: int, pieces: list[Piece]) -> list[Piece]:
        if final or not pieces:
            return pieces
        match data.draw(st.sampled_from(["as is", "empty", "shorten", "mishear"])):
            case "empty":
                return []
            case "shorten":
                return pieces[: len(pieces) // 2]
            case "mishear":
                return [*pieces[:-1], replace(pieces[-1], token_ids=(900,), text=" misheard")]
            case _:
                return pieces

    engine, samples = FakeEngine(alter=mangle), speak(words)
    events: list[Event] = []
    for start in range(0, len(samples), packet):
        transcriber.push(samples[start : start + packet])
        if start + packet >= len(samples):
            transcriber.end_turn()
        while (answer := transcriber.request())[0] is not None:
            final = answer[0].final
            events += answer[1] + transcriber.accept(engine.decode(answer[0].request))
        events += answer[1]
    assert transcripts(events) == [" ".join(f"w{number}" for number in words)]


def agreed_words(before: Sequence[Piece], now: Sequence[Piece], heard_until: float) -> list[str]:
    """The words that begin both hypotheses, are followed by a newer one and by enough sound."""
    words: list[str] = []
    for old, new in zip(before, now[:-1], strict=False):
        if old.text != new.text or new.end is None or new.end > heard_until:
            break
        words.append(new.text.strip())
    return words


@settings(max_examples=60, deadline=None)
@given(data=st.data(), words=st.lists(st.integers(1, 99), min_size=3, max_size=40, unique=True))
def test_what_two_hypotheses_agree_on_settles_and_stays(data: st.DataObject, words: list[int]) -> None:
    def revise(_: int, pieces: list[Piece]) -> list[Piece]:
        changed = data.draw(st.integers(0, len(pieces)))
        return [
            piece
            if number < changed
            else replace(piece, token_ids=(piece.token_ids[0] + 100,), text=f" w{piece.token_ids[0] + 100}")
            for number, piece in enumerate(pieces)
        ]

    parameters = StreamParameters(window_seconds=28.0)
    transcriber, engine = Transcriber("s", parameters, LevelDetector()), FakeEngine(alter=revise)
    transcriber.push(speak(words))
    transcriber.end_turn()
    events: list[Event] = []
    agreed: list[str] = []
    before: list[Piece] = []
    while (answer := transcriber.request())[0] is not None:
        hypothesis = engine.decode(answer[0].request)
        heard_until = len(answer[0].request.samples) / 16_000 - parameters.hold_seconds
        events += transcriber.accept(hypothesis)
        if not answer[0].final:
            agreed = max(agreed, agreed_words(before, hypothesis.pieces, heard_until), key=len)
            assert deltas(events).split()[: len(agreed)] == agreed
        before = list(hypothesis.pieces)
    events += answer[1]
    assert transcripts(events)[0].split()[: len(agreed)] == agreed
