"""Time to first text: from the beginning of speech to the first text of its turn, settled or draft.

As FunASR's `first_update_ms` and the hosted services define it: audio sent to first non-empty result, here from the
start of speech instead of the first packet, so that silence before it is no latency.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wavescribe.bench.metrics.final_latency import Utterance, matched_utterances
from wavescribe.bench.metrics.timeline import Emission


def first_texts(
    utterances: Sequence[Utterance], emissions: Sequence[Emission], shown: Mapping[str, float]
) -> tuple[float, ...]:
    """The time to first text of each turn, in seconds; turns in which no word is right are left out.

    Args:
        utterances: in order; where several share a turn, the first counts.
        emissions: the stream's settled text.
        shown: for each turn, when it had text for the first time, in seconds since the stream's first sample.
    """
    times: dict[str, float] = {}
    for utterance, found in matched_utterances(utterances, emissions):
        turn = emissions[min(found)].item
        if turn in shown:
            times.setdefault(turn, shown[turn] - utterance.speech_start)
    return tuple(times.values())
