from __future__ import annotations

from pathlib import Path

import pytest

from wavescribe.bench.corpus import Recording
from wavescribe.bench.offline import OfflineRun
from wavescribe.bench.recording_quality import GroupQuality, RecordingQuality, group, judge
from wavescribe.bench.streamed import StreamedRun
from wavescribe.streaming.events import Draft, Event, Settled, TurnEnded

GOLD = "the quick brown fox"


def judged(
    shown: list[str], settled: str, offline: str = GOLD, gold: str = GOLD, beam: str | None = None
) -> RecordingQuality:
    """A recording of which drafts were shown, a second apart, before its text settled as a whole.

    Args:
        shown: the drafts.
        settled: the text.
        offline: what greedy decoding writes.
        gold: what was said.
        beam: what beam search writes; the same where it is None.
    """
    events: list[Event] = [Draft(0, text, 16_000 * second) for second, text in enumerate(shown, start=1)]
    end = 16_000 * (len(shown) + 1)
    events += [Settled(0, settled, (), "en", end), TurnEnded(0, settled, "en", 0, end)]
    recording = Recording("r", Path("r.wav"), 4.0, "en", "short", gold, tiled=False, reference="human")
    searched = offline if beam is None else beam
    return judge(recording, OfflineRun(offline, 1.0), OfflineRun(searched, 1.0), StreamedRun(events=events))


def of_one(shown: list[str], settled: str = GOLD, offline: str = GOLD) -> GroupQuality:
    return group([judged(shown, settled, offline)])


@pytest.mark.parametrize(
    ("shown", "ratio"),
    [
        (["the", "the quick", "the quick brown"], 0.0),
        ([], 0.0),
        (["the quick crown"], 1 / 4),
        (["the quack brown", "the quick brown"], 2 / 4),
        (["the brown fox"], 2 / 4),
        (["the quick quick brown"], 2 / 4),
        (["a", "the", "a"], 3 / 4),
        (["the - quick", "the quick - brown"], 0.0),
        (["The,", "the quick."], 0.0),
    ],
    ids=["right", "late", "wrong", "wrong in the middle", "missing", "doubled", "to and fro", "lone marks", "marks"],
)
def test_upwr_is_changed_words_over_words_of_the_final_text(shown: list[str], ratio: float) -> None:
    assert of_one(shown).unstable_ratio == ratio


def test_upwr_is_over_the_words_that_were_written_not_said() -> None:
    assert of_one(["the quick crown"], settled="the quick").unstable_ratio == 1 / 2
    assert of_one(["the quack"], settled="the quick quick brown fox - !").unstable_ratio == 1 / 5


def test_upwr_of_several_recordings_is_that_of_all_their_words() -> None:
    stable = judged(["the quick"], GOLD)
    unstable = judged(["the quit", "a"], "the quick", gold="the quick")
    assert group([stable, unstable]).unstable_ratio == 3 / 6


@pytest.mark.parametrize(
    ("settled", "offline", "penalty"),
    [
        (GOLD, GOLD, 0.0),
        ("the quack brown fox", GOLD, 1 / 4),
        ("the brown fox", GOLD, 1 / 4),
        ("the quick quick brown fox", GOLD, 1 / 4),
        ("the quack brown", "the quick brown", 1 / 4),
        (GOLD, "the quack brown fox", -1 / 4),
        ("", "the quack brown fox", 3 / 4),
    ],
    ids=["right", "wrong", "missing", "doubled", "both have errors", "streaming is better", "nothing settled"],
)
def test_the_penalty_is_the_streamed_rate_minus_the_offline_rate(settled: str, offline: str, penalty: float) -> None:
    assert of_one([], settled, offline).penalty == pytest.approx(penalty)


def test_the_penalty_of_several_recordings_is_that_of_one_corpus() -> None:
    long = "the quick brown fox jumps high"
    right, wrong = judged([], long, long, long), judged([], "the quack", "the quick", "the quick")
    assert group([right, wrong]).penalty == pytest.approx(1 / 8)


@pytest.mark.parametrize(
    ("greedy", "beam", "reference", "penalty"),
    [
        ("the quack brown fox", GOLD, "beam", 1 / 4),
        (GOLD, "the quack brown fox", "greedy", 1 / 4),
        ("the quack brown fox", "a quick brown fox", "greedy", 0.0),
        ("a quack", "the quack", "beam", -2 / 4),
    ],
    ids=["beam is better", "greedy is better", "both the same", "streaming is better than both"],
)
def test_the_penalty_is_against_the_better_of_both_ways_of_offline_decoding(
    greedy: str, beam: str, reference: str, penalty: float
) -> None:
    found = group([judged([], "the quick brown box", greedy, beam=beam)])
    assert found.reference == reference
    assert found.penalty == pytest.approx(penalty)
    assert found.greedy.penalty == pytest.approx(found.streamed - found.greedy.rate)
    assert found.beam.penalty == pytest.approx(found.streamed - found.beam.rate)


def test_the_penaltys_interval_is_that_of_its_reference() -> None:
    right, wrong = judged([], GOLD, GOLD, beam="the quack"), judged([], "the quack", GOLD, beam="the")
    found = group([right, wrong] * 3)
    assert found.reference == "greedy"
    assert found.penalty_interval == found.greedy.penalty_interval != found.beam.penalty_interval
