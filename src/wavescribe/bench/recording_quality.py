"""What streaming made of one recording, against its gold text and against offline decoding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wavescribe.bench.corpus import Recording
from wavescribe.bench.metrics.bootstrap import Interval, difference_interval, rate_interval
from wavescribe.bench.metrics.false_settles import false_settles, settled_after_mismatch
from wavescribe.bench.metrics.percentiles import Distribution, distribution
from wavescribe.bench.metrics.unstable_words import shown_words, unstable_words
from wavescribe.bench.metrics.word_errors import BY_CHARACTER, ErrorRate, character_error_rate, error_rate, normalise
from wavescribe.bench.offline import OfflineRun
from wavescribe.bench.streamed import StreamedRun, shown_texts


@dataclass(frozen=True, slots=True)
class RecordingQuality:
    """One recording.

    Attributes:
        name: its id.
        language: ISO 639-1 code.
        kind: as the corpus has it.
        seconds: its length.
        offline: word errors of offline decoding; characters where words are not written apart.
        streamed: the same of the settled text.
        offline_characters: character errors of offline decoding.
        streamed_characters: the same of the settled text.
        written: characters of the settled text, normalised, without spaces.
        gold: the same of the gold text.
        unstable: words shown and changed later.
        final_words: words of the final text, as shown.
        false_settled: settled words that are wrong or added.
        after_mismatch: settled words from the first mismatch on.
        settled_words: settled words, normalised.
        lags: seconds of audio from each word's end to the step that settled it.
        cpu_seconds: of streaming.
        offline_cpu_seconds: of offline decoding.
        offline_text: as decoded offline.
        streamed_text: as settled.
    """

    name: str
    language: str
    kind: str
    seconds: float
    offline: ErrorRate
    streamed: ErrorRate
    offline_characters: ErrorRate
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
    offline_cpu_seconds: float
    offline_text: str
    streamed_text: str


def judge(recording: Recording, offline: OfflineRun, run: StreamedRun) -> RecordingQuality:
    """Compare a recording's texts."""
    gold, said = (normalise(text, recording.language) for text in (recording.text, run.text))
    before = normalise(offline.text, recording.language)
    false, settled = false_settles(gold, said)
    return RecordingQuality(
        name=recording.name,
        language=recording.language,
        kind=recording.kind,
        seconds=recording.seconds,
        offline=error_rate([(gold, before)]),
        streamed=error_rate([(gold, said)]),
        offline_characters=character_error_rate([(gold, before)]),
        streamed_characters=character_error_rate([(gold, said)]),
        written=_characters(said),
        gold=_characters(gold),
        unstable=sum(unstable_words(texts) for texts in shown_texts(run.events)),
        final_words=len(shown_words(run.text)),
        false_settled=false,
        after_mismatch=settled_after_mismatch(gold, said)[0],
        settled_words=settled,
        lags=tuple(run.settle_lags()),
        cpu_seconds=run.cpu_seconds,
        offline_cpu_seconds=offline.cpu_seconds,
        offline_text=offline.text,
        streamed_text=run.text,
    )


def _characters(text: str) -> int:
    """Punctuation is in few gold texts, so that normalised texts are counted: a comma is not over-emission."""
    return len(text.replace(" ", ""))


@dataclass(frozen=True, slots=True)
class GroupQuality:
    """A group of recordings as one corpus; rates are shares, not per cent.

    Attributes:
        recordings: how many.
        seconds: their length.
        words: gold words, or characters.
        unit: which of them: "character" where words are not written apart.
        offline: word error rate of offline decoding.
        streamed: word error rate of the settled text.
        penalty: the difference, from streaming.
        offline_interval: 95 % confidence interval by the bootstrap over recordings; None where they are too few.
        streamed_interval: the same.
        penalty_interval: the same, paired.
        offline_cer: character error rate of offline decoding.
        streamed_cer: character error rate of the settled text.
        over_emission: characters written per character of the gold text, both normalised.
        unstable_ratio: UPWR.
        false_settles: share of settled words that are wrong or added.
        after_mismatch: share of settled words from each recording's first mismatch on.
        lag: spread of the settle lag in seconds of audio.
        cpu: CPU seconds per second of audio.
        offline_cpu: the same of offline decoding.
    """

    recordings: int
    seconds: float
    words: int
    unit: str
    offline: float
    streamed: float
    penalty: float
    offline_interval: Interval | None
    streamed_interval: Interval | None
    penalty_interval: Interval | None
    offline_cer: float
    streamed_cer: float
    over_emission: float
    unstable_ratio: float
    false_settles: float
    after_mismatch: float
    lag: Distribution | None
    cpu: float
    offline_cpu: float


def group(results: Sequence[RecordingQuality]) -> GroupQuality:
    """The figures of a group of recordings of one language, at least one."""
    offline, streamed = (ErrorRate.total(getattr(each, name) for each in results) for name in ("offline", "streamed"))
    words = [each.streamed.words for each in results]
    errors, before = [each.streamed.errors for each in results], [each.offline.errors for each in results]
    return GroupQuality(
        recordings=len(results),
        seconds=_sum(results, "seconds"),
        words=sum(words),
        unit="character" if results[0].language in BY_CHARACTER else "word",
        offline=offline.rate,
        streamed=streamed.rate,
        penalty=streamed.rate - offline.rate,
        offline_interval=rate_interval(before, words),
        streamed_interval=rate_interval(errors, words),
        penalty_interval=difference_interval(errors, before, words),
        offline_cer=ErrorRate.total(each.offline_characters for each in results).rate,
        streamed_cer=ErrorRate.total(each.streamed_characters for each in results).rate,
        over_emission=_ratio(results, "written", "gold"),
        unstable_ratio=_ratio(results, "unstable", "final_words"),
        false_settles=_ratio(results, "false_settled", "settled_words"),
        after_mismatch=_ratio(results, "after_mismatch", "settled_words"),
        lag=distribution([lag for each in results for lag in each.lags]),
        cpu=_ratio(results, "cpu_seconds", "seconds"),
        offline_cpu=_ratio(results, "offline_cpu_seconds", "seconds"),
    )


def _sum(results: Sequence[Any], name: str) -> float:
    return float(sum(getattr(each, name) for each in results))


def _ratio(results: Sequence[RecordingQuality], name: str, base: str) -> float:
    """A sum over another; 0 where the other is 0."""
    return _sum(results, name) / (_sum(results, base) or 1.0)
