"""A decoded segment of a recording as the server reports it."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from wavescribe.engines.base import Hypothesis, Piece, Segment, Word
from wavescribe.engines.word_groups import is_unspaced, word_groups


def file_segment(index: int, start: float, seconds: float, found: Hypothesis, *, words: bool) -> Segment:
    """The segment.

    Args:
        index: its number.
        start: seconds from the recording's start.
        seconds: its length.
        found: what was decoded.
        words: whether its words are wanted.
    """
    text = found.text.strip()
    data = text.encode()
    return Segment(
        id=index,
        seek=round(start * 100),
        start=start,
        end=start + seconds,
        text=text if text[:1] == "" or is_unspaced(text[0]) else " " + text,
        tokens=tuple(token for piece in found.pieces for token in piece.token_ids),
        temperature=0.0,
        average_logprob=found.average_logprob,
        compression_ratio=len(data) / len(zlib.compress(data)) if data else 0.0,
        no_speech_probability=found.no_speech_probability,
        words=tuple(_words(found.pieces, start)) if words else (),
    )


def _words(pieces: Sequence[Piece], offset: float) -> list[Word]:
    return [
        Word(
            "".join(piece.text for piece in group),
            offset + (group[0].start or 0.0),
            offset + (group[-1].end or 0.0),
            sum(piece.probability for piece in group) / len(group),
        )
        for group in word_groups(pieces)
    ]
