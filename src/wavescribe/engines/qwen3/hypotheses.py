"""From what the model wrote to the server's hypothesis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from wavescribe.engines.base import DecodeRequest, Hypothesis, Piece
from wavescribe.engines.qwen3.aligner import LANGUAGES as ALIGNED_LANGUAGES
from wavescribe.engines.qwen3.aligner import ForcedAligner, aligned_times
from wavescribe.engines.qwen3.geometry import SAMPLE_RATE
from wavescribe.engines.qwen3.languages import code_of
from wavescribe.engines.qwen3.parsing import MARK, parse_answer
from wavescribe.engines.qwen3.piece_times import estimated_times
from wavescribe.engines.qwen3.repetition import without_runaway_repetition
from wavescribe.engines.qwen3.stepper import StepAnswer
from wavescribe.engines.qwen3.tokenizer import QwenTokenizer

DEFAULT_LANGUAGE = "en"
"""Reported where none was given and the model named none."""

SILENCE_LOG_PROBABILITY = -10.0
"""Mean log probability that is told where nothing was written: there is no text to believe in."""

Run = tuple[tuple[int, ...], str]


class HypothesisMaker:
    """Makes hypotheses.

    Args:
        tokenizer: of the model.
        aligner: gives word times where it is loaded; else they are estimated.
    """

    def __init__(self, tokenizer: QwenTokenizer, aligner: ForcedAligner | None) -> None:
        self._tokenizer = tokenizer
        self._aligner = aligner

    def silence(self, request: DecodeRequest) -> Hypothesis:
        """The hypothesis of a window without a sound: the given text and nothing else."""
        runs = self._tokenizer.pieces(request.prefix)
        pieces = tuple(Piece(ids, text, None, None, 1.0) for ids, text in runs)
        language, certainty = request.language or DEFAULT_LANGUAGE, float(request.language is not None)
        return Hypothesis(pieces, language, certainty, 1.0, SILENCE_LOG_PROBABILITY)

    def make(self, request: DecodeRequest, answer: StepAnswer) -> Hypothesis:
        """The hypothesis of an answer."""
        language, certainty, is_silence = self._language(request, answer)
        tokens = answer.tokens[answer.text_start :]
        chances = answer.log_probabilities[answer.text_start :]
        given = len(request.prefix)
        runs = self._tokenizer.pieces(tokens[:given] if is_silence else tokens)
        kept = repaired(runs, given)
        chosen = chances[given:]
        return Hypothesis(
            pieces=self._pieces(request, kept, _chances_of(runs, kept, chances), language),
            language=language,
            language_probability=certainty,
            no_speech_probability=float(is_silence),
            average_logprob=sum(chosen) / len(chosen) if chosen else SILENCE_LOG_PROBABILITY if is_silence else 0.0,
            truncated=answer.truncated,
        )

    def _language(self, request: DecodeRequest, answer: StepAnswer) -> tuple[str, float, bool]:
        """Code, probability, and whether the model said that nobody speaks."""
        if request.language is not None:
            return request.language, 1.0, False
        tag = answer.tokens[: answer.text_start]
        parsed = parse_answer(self._tokenizer.decode(tag) + MARK)
        code = code_of(parsed.language or "") if tag else None
        certainty = math.exp(sum(answer.log_probabilities[: answer.text_start])) if code else 0.0
        return code or DEFAULT_LANGUAGE, certainty, bool(tag) and parsed.is_silence

    def _pieces(
        self, request: DecodeRequest, runs: list[Run], chances: list[Sequence[float]], language: str
    ) -> tuple[Piece, ...]:
        times = self._times(request, [text for _, text in runs], language) if request.times else None
        pieces: list[Piece] = []
        for index, ((ids, text), own) in enumerate(zip(runs, chances, strict=True)):
            start, end = times[index] if times else (None, None)
            pieces.append(Piece(ids, text, start, end, sum(map(math.exp, own)) / len(own)))
        return tuple(pieces)

    def _times(self, request: DecodeRequest, texts: list[str], language: str) -> list[tuple[float, float]]:
        if self._aligner is None or language not in ALIGNED_LANGUAGES:
            return estimated_times(texts, request.samples)
        words = self._aligner.align(request.samples, "".join(texts))
        return aligned_times(texts, words, len(request.samples) / SAMPLE_RATE)


def _chances_of(runs: Sequence[Run], kept: Sequence[Run], chances: Sequence[float]) -> list[Sequence[float]]:
    """The log probabilities of the pieces that a repair kept: a beginning and an end of all pieces."""
    places = [0]
    for ids, _ in runs:
        places.append(places[-1] + len(ids))
    own = [chances[start:end] for start, end in pairwise(places)]
    first = 0
    while first < len(kept) and kept[first] == runs[first]:
        first += 1
    return own[:first] + own[len(own) - (len(kept) - first) :]


def repaired(runs: list[Run], given: int) -> list[Run]:
    """The pieces without runaway repetition after those of the given tokens, which stay and are not looked at.

    Where the repaired text is not a beginning and an end of the pieces, what follows the beginning is dropped.
    """
    first, tokens = 0, 0
    while first < len(runs) and tokens < given:
        tokens += len(runs[first][0])
        first += 1
    return [*runs[:first], *_repaired(runs[first:])]


def _repaired(runs: list[Run]) -> list[Run]:
    text = "".join(each for _, each in runs)
    wanted = without_runaway_repetition(text)
    if wanted == text:
        return runs
    kept, written = 0, ""
    while kept < len(runs) and wanted.startswith(written + runs[kept][1]):
        written += runs[kept][1]
        kept += 1
    for later in range(kept, len(runs)):
        if written + "".join(each for _, each in runs[later:]) == wanted:
            return [*runs[:kept], *runs[later:]]
    return runs[:kept]
