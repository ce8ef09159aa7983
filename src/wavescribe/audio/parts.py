"""Long recordings in parts that are cut where they are quietest, so that memory does not grow with their length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from wavescribe.engines.base import Samples

PART_SECONDS = 300.0
"""Longest part. The features of five minutes take 50 MB, and a second or two until the first text."""

SEARCH_SECONDS = 30.0
"""A part ends at the quietest place of the last half minute that it may have: somebody breathes."""

QUIET_SECONDS = 0.3
"""Length of the place whose loudness counts."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a recording.

    Attributes:
        start: samples of the recording before it.
        samples: shape (samples,), float32.
    """

    start: int
    samples: Samples = field(repr=False)


def cut_into_parts(blocks: Iterable[Samples], sample_rate: int) -> Iterator[Part]:
    """Cut a recording into parts of at most PART_SECONDS, which together are all of it.

    Args:
        blocks: the recording, in blocks of any lengths.
        sample_rate: samples per second.

    Yields:
        The parts in order. None for a recording without samples.
    """
    longest = round(PART_SECONDS * sample_rate)
    start, kept, length = 0, list[Samples](), 0
    for block in blocks:
        kept.append(block)
        length += len(block)
        while length > longest:
            whole = np.concatenate(kept) if len(kept) > 1 else kept[0]
            cut = _quietest(whole[:longest], sample_rate)
            yield Part(start, whole[:cut])
            start, kept, length = start + cut, [whole[cut:]], length - cut
    if length:
        yield Part(start, np.concatenate(kept))


def _quietest(samples: Samples, sample_rate: int) -> int:
    """The middle of the quietest place in the last SEARCH_SECONDS, as a position in the samples."""
    wide = round(QUIET_SECONDS * sample_rate)
    first = len(samples) - round(SEARCH_SECONDS * sample_rate)
    energy = np.concatenate([[0.0], np.cumsum(np.square(samples[first:], dtype=np.float64))])
    return first + int(np.argmin(energy[wide:] - energy[:-wide])) + wide // 2
