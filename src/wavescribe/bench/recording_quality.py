"""What streaming made of one recording, against its gold text and against offline decoding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wavescribe.bench.corpus import Recording
from wavescribe.bench.gold_times import gold_words
from wavescribe.bench.metrics.bootstrap import Interval, difference_interval, rate_interval
from wavescribe.bench.metrics.false_settles import false_settles, settled_after_mismatch
from wavescribe.bench.metrics.over_emission import counted
from wavescribe.bench.metrics.percentiles import Distribution, distribution
from wavescribe.bench.metrics.unstable_words import shown_words, unstable_words
from wavescribe.bench.metrics.word_errors import BY_CHARACTER, ErrorRate, character_error_rate, error_rate, normalise
from wavescribe.bench.offline import OfflineRun
from wavescribe.bench.streamed import StreamedRun, shown_texts


@dataclass(frozen=True, slots=True)
class OfflineQuality:
    """What one way of offline decoding made of a recording.

    Attributes:
        errors: word errors; characters where words are not written apart.
        characters: character errors.
        cpu_seconds: that it took.
        text: as decoded.
    """

    errors: ErrorRate
    characters: ErrorRate
    cpu_seconds: float
    text: str


@dataclass(frozen=True, slots=True)
class RecordingQuality:
    """One recording.

    Attributes:
        name: its id.
        language: ISO 639-1 code.
        kind: as the corpus has it.
        seconds: its length.
        greedy: offline decoding with one hypothesis.
        beam: offline decoding with as many hypotheses as streaming follows.
        streamed: word errors of the settled text; characters where words are not written apart.
        streamed_characters: its character errors.
        written: characters of the settled text, normalised, without spaces.
        gold: the same of the gold text.
        unstable: words shown and changed later.
        final_words: words of the final text, as shown.
        false_settled: settled words that are wrong or added.
        after_mismatch: settled words from the first mismatch on.
        settled_words: settled words, normalised.
        lags: seconds of audio from the end of each gold word that came, as the model places it, to the step that
            settled it.
        cpu_seconds: of streaming.
        streamed_text: as settled.
    """

    name: str
    language: str
    kind: str
    seconds: float
    greedy: OfflineQuality
    beam: OfflineQuality
    streamed: ErrorRate
    streamed_characters: ErrorRate
    written: int
    gold: int
    unstable: int
    final_words: int
    false_settled: int
    after_mismatch: int
    settled_words: int
    lags: tuple[float, ...]
    cpu_seconds: float
    streamed_text: str


def judge(recording: Recording, greedy: OfflineRun, beam: OfflineRun, run: StreamedRun) -> RecordingQuality:
    """Compare a recording's texts.

    Args:
        recording: has the gold text.
        greedy: its offline decoding with one hypothesis.
        beam: its offline decoding with several.
        run: its streaming.
    """
    gold, said = (normalise(text, recording.language) for text in (recording.text, run.text))
    false, settled = false_settles(gold, said)
    return RecordingQuality(
        name=recording.name,
        language=recording.language,
        kind=recording.kind,
        seconds=recording.seconds,
        greedy=_offline(gold, greedy, recording.language),
        beam=_offline(gold, beam, recording.language),
        streamed=error_rate([(gold, said)]),
        streamed_characters=character_error_rate([(gold, said)]),
        written=counted(run.text, recording.language),
        gold=counted(recording.text, recording.language),
        unstable=sum(unstable_words(texts) for texts in shown_texts(run.events)),
        final_words=len(shown_words(run.text)),
        false_settled=false,
        after_mismatch=settled_after_mismatch(gold, said)[0],
        settled_words=settled,
        lags=tuple(run.settle_lags(gold_words(recording))),
        cpu_seconds=run.cpu_seconds,
        streamed_text=run.text,
    )


def _offline(gold: str, run: OfflineRun, language: str) -> OfflineQuality:
    pair = (gold, normalise(run.text, language))
    return OfflineQuality(error_rate([pair]), character_error_rate([pair]), run.cpu_seconds, run.text)


@dataclass(frozen=True, slots=True)
class OfflineGroup:
    """One way of offline decoding of a group of recordings; rates are shares, not per cent.

    Attributes:
        rate: word error rate.
        interval: its 95 % confidence interval by the bootstrap over recordings; None where they are too few.
        cer: character error rate.
        penalty: word error rate of the settled text above it.
        penalty_interval: the penalty's confidence interval, paired.
        cpu: CPU seconds per second of audio.
    """

    rate: float
    interval: Interval | None
    cer: float
    penalty: float
    penalty_interval: Interval | None
    cpu: float


@dataclass(frozen=True, slots=True)
class GroupQuality:
    """A group of recordings as one corpus; rates are shares, not per cent.

    Attributes:
        recordings: how many.
        seconds: their length.
        words: gold words, or characters.
        unit: which of them: "character" where words are not written apart.
        greedy: offline decoding with one hypothesis.
        beam: offline decoding with as many hypotheses as streaming follows.
        reference: which of both has fewer errors, "greedy" or "beam".
        penalty: word error rate of the settled text above that of the reference.
        penalty_interval: its 95 % confidence interval by the bootstrap over recordings, paired; None where they are
            too few.
        streamed: word error rate of the settled text.
        streamed_interval: its confidence interval.
        streamed_cer: character error rate of the settled text.
        over_emission: characters written per character of the gold text, both normalised.
        unstable_ratio: UPWR.
        false_settles: share of settled words that are wrong or added.
        after_mismatch: share of settled words from each recording's first mismatch on.
        lag: spread of the settle lag in seconds of audio.
        cpu: CPU seconds per second of audio.
    """

    recordings: int
    seconds: float
    words: int
    unit: str
    greedy: OfflineGroup
    beam: OfflineGroup
    reference: str
    penalty: float
    penalty_interval: Interval | None
    streamed: float
    streamed_interval: Interval | None
    streamed_cer: float
    over_emission: float
    unstable_ratio: float
    false_settles: float
    after_mismatch: float
    lag: Distribution | None
    cpu: float


def group(results: Sequence[RecordingQuality]) -> GroupQuality:
    """The figures of a group of recordings of one language, at least one."""
    words, errors = [each.streamed.words for each in results], [each.streamed.errors for each in results]
    greedy, beam = (_offline_group(results, [getattr(each, name) for each in results]) for name in ("greedy", "beam"))
    reference = beam if beam.rate < greedy.rate else greedy
    return GroupQuality(
        recordings=len(results),
        seconds=_sum(results, "seconds"),
        words=sum(words),
        unit="character" if results[0].language in BY_CHARACTER else "word",
        greedy=greedy,
        beam=beam,
        reference="beam" if reference is beam else "greedy",
        penalty=reference.penalty,
        penalty_interval=reference.penalty_interval,
        streamed=ErrorRate.total(each.streamed for each in results).rate,
        streamed_interval=rate_interval(errors, words),
        streamed_cer=ErrorRate.total(each.streamed_characters for each in results).rate,
        over_emission=_ratio(results, "written", "gold"),
        unstable_ratio=_ratio(results, "unstable", "final_words"),
        false_settles=_ratio(results, "false_settled", "settled_words"),
        after_mismatch=_ratio(results, "after_mismatch", "settled_words"),
        lag=distribution([lag for each in results for lag in each.lags]),
        cpu=_ratio(results, "cpu_seconds", "seconds"),
    )


def _offline_group(results: Sequence[RecordingQuality], offline: Sequence[OfflineQuality]) -> OfflineGroup:
    """One way of offline decoding against what streaming made of the same recordings."""
    words, errors = [each.streamed.words for each in results], [each.streamed.errors for each in results]
    before = [each.errors.errors for each in offline]
    rate = ErrorRate.total(each.errors for each in offline).rate
    return OfflineGroup(
        rate=rate,
        interval=rate_interval(before, words),
        cer=ErrorRate.total(each.characters for each in offline).rate,
        penalty=ErrorRate.total(each.streamed for each in results).rate - rate,
        penalty_interval=difference_interval(errors, before, words),
        cpu=_sum(offline, "cpu_seconds") / (_sum(results, "seconds") or 1.0),
    )


def _sum(results: Sequence[Any], name: str) -> float:
    return float(sum(getattr(each, name) for each in results))


def _ratio(results: Sequence[RecordingQuality], name: str, base: str) -> float:
    """A sum over another; 0 where the other is 0."""
    return _sum(results, name) / (_sum(results, base) or 1.0)
