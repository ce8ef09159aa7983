"""Windows longer than the model hears: decoded block after block, as one hypothesis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import takewhile

from wavescribe.engines.base import DecodeRequest, Hypothesis, Piece

MARGIN_SECONDS = 1.0
"""What a block says of its last second is left to the next block, which hears what follows."""

LONGEST_PREFIX = 200
"""Forced tokens of one block; the decoder has room for 448 in all, and no block of speech needs as many."""


def decode_in_blocks(
    decode: Callable[[DecodeRequest], Hypothesis], request: DecodeRequest, block_samples: int, sample_rate: int
) -> Hypothesis:
    """One hypothesis for a window of any length.

    Each block starts where the last word of the one before ended, and is forced to begin with as much of the prefix
    as is left.

    Args:
        decode: decodes one window that the model can hear, with times.
        request: the long window.
        block_samples: most samples of a block.
        sample_rate: samples per second.
    """
    pieces: list[Piece] = []
    hypotheses: list[Hypothesis] = []
    start, rest = 0, request
    margin = round(MARGIN_SECONDS * sample_rate)
    while len(rest.samples) > block_samples:
        hypotheses.append(decode(_first_block(rest, block_samples)))
        kept = _kept(hypotheses[-1], block_samples / sample_rate - MARGIN_SECONDS)
        pieces += _shifted(kept, start / sample_rate)
        advance = round((kept[-1].end or 0.0) * sample_rate) if kept else block_samples - margin
        start += advance
        rest = replace(
            rest,
            samples=rest.samples[advance:],
            prefix=rest.prefix[sum(len(piece.token_ids) for piece in kept) :],
            language=rest.language or hypotheses[-1].language,
        )
    hypotheses.append(decode(_first_block(rest, block_samples)))
    pieces += _shifted(hypotheses[-1].pieces, start / sample_rate)
    return replace(
        hypotheses[-1],
        pieces=tuple(pieces),
        average_logprob=sum(each.average_logprob for each in hypotheses) / len(hypotheses),
        no_speech_probability=min(each.no_speech_probability for each in hypotheses),
        truncated=any(each.truncated for each in hypotheses),
    )


def _first_block(request: DecodeRequest, block_samples: int) -> DecodeRequest:
    return replace(request, samples=request.samples[:block_samples], prefix=request.prefix[:LONGEST_PREFIX], times=True)


def _kept(hypothesis: Hypothesis, limit: float) -> list[Piece]:
    """What stands of a block that is not the last; nothing where the decoder put all of it at the very start."""
    kept = list(takewhile(lambda piece: piece.end is not None and piece.end <= limit, hypothesis.pieces))
    return kept if kept and (kept[-1].end or 0.0) >= MARGIN_SECONDS else []


def _shifted(pieces: Sequence[Piece], seconds: float) -> list[Piece]:
    return [
        piece
        if piece.start is None or piece.end is None
        else replace(piece, start=piece.start + seconds, end=piece.end + seconds)
        for piece in pieces
    ]
