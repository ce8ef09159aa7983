"""Final latency (TTFS, "time to final segment"): from the end of speech to the arrival of its last final text.

As defined by pipecat-ai/stt-benchmark: the last final text received minus the true end of speech, where the true end
is found by a voice activity detector.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from wavescribe.bench.metrics.settle_lag import match_words
from wavescribe.bench.metrics.timeline import Emission


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something that was said between two silences.

    Attributes:
        words: its gold words, in order.
        speech_end: where its speech ends, in seconds of the stream's audio.
        speech_start: where its first gold word begins, silence before it left out.
    """

    words: tuple[str, ...]
    speech_end: float
    speech_start: float


@dataclass(frozen=True, slots=True)
class FinalLatencies:
    """The latencies of a stream's utterances, in seconds.

    Left out are utterances of which no word came, and those whose last word that came did so before their speech had
    ended: their last part never came, so that nothing was final when it was said.

    Attributes:
        text: from the end of speech to the last settled text of the utterance.
        completed: from the end of speech to the completion of the turn that this text belongs to.
    """

    text: tuple[float, ...]
    completed: tuple[float, ...]


def matched_utterances(
    utterances: Sequence[Utterance], emissions: Sequence[Emission]
) -> Iterator[tuple[Utterance, list[int]]]:
    """The utterances of which a word came, each with the indices of the emissions that complete its words."""
    words = [word for utterance in utterances for word in utterance.words]
    matches = iter(match_words(words, [emission.text for emission in emissions]))
    for utterance in utterances:
        found = [match for match in (next(matches) for _ in utterance.words) if match is not None]
        if found:
            yield utterance, found


def final_latencies(
    utterances: Sequence[Utterance], emissions: Sequence[Emission], completed: Mapping[str, float]
) -> FinalLatencies:
    """The final latency of each utterance.

    Args:
        utterances: in order.
        emissions: the stream's text.
        completed: for each turn, when it was completed, in seconds since the stream's first sample was spoken.
    """
    texts: list[float] = []
    turns: list[float] = []
    for utterance, found in matched_utterances(utterances, emissions):
        last = emissions[max(found)]
        texts.append(last.time - utterance.speech_end)
        if last.item in completed:
            turns.append(completed[last.item] - utterance.speech_end)
    return FinalLatencies(*(tuple(value for value in values if value >= 0) for values in (texts, turns)))
