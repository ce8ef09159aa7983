"""Qwen3-ForcedAligner: where each word of a known text is in the audio, in one forward pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch

from wavescribe.engines.base import Samples
from wavescribe.engines.qwen3.alignment_words import split_words
from wavescribe.engines.qwen3.attention import Kernel
from wavescribe.engines.qwen3.configuration import ModelShape
from wavescribe.engines.qwen3.hearing import Hearing
from wavescribe.engines.qwen3.model import build_model
from wavescribe.engines.qwen3.page_pool import PagePool, PageTable, paged_layout
from wavescribe.engines.qwen3.special_tokens import AUDIO_END, AUDIO_START, TIMESTAMP
from wavescribe.engines.qwen3.stream_cache import StreamCache
from wavescribe.engines.qwen3.timestamps import rising
from wavescribe.engines.qwen3.tokenizer import QwenTokenizer
from wavescribe.engines.qwen3.work import Work

CLASS_MILLISECONDS = 80
"""Each class of the head is a place on this grid."""

PAGE_SIZE = 256

LANGUAGES = frozenset({"zh", "en", "yue", "fr", "de", "it", "ja", "ko", "pt", "ru", "es"})
"""Languages it was trained for; Japanese and Korean are cut into words by script and white space only."""


@dataclass(frozen=True, slots=True)
class AlignedWord:
    """A word and its place in seconds from the start of the audio."""

    text: str
    start: float
    end: float


class ForcedAligner:
    """The aligner.

    Args:
        shape: its sizes, with classes.
        weights: its tensors.
        tokenizer: of its checkpoint.
        kernel: which attention runs; by default the best one for the device.
    """

    def __init__(
        self,
        shape: ModelShape,
        weights: Mapping[str, torch.Tensor],
        tokenizer: QwenTokenizer,
        kernel: Kernel | None = None,
    ) -> None:
        self._model = build_model(shape, weights, kernel=kernel)
        self._hearing = Hearing(self._model.encoder, shape.audio, "exact")
        self._score = weights["score.weight"]
        self._tokenizer = tokenizer

    @property
    def kernel(self) -> Kernel:
        """Which attention runs."""
        return self._model.decoder.kernel

    def align(self, samples: Samples, text: str) -> list[AlignedWord]:
        """Place the words of a text.

        Args:
            samples: shape (samples,), float32 at 16 kHz.
            text: what is said in it.
        """
        words, _ = split_words(text)
        if not words:
            return []
        with torch.inference_mode():
            classes = self.classes(samples, [self._tokenizer.encode(word) for word in words])
        times = [time / 1000 for time in rising([index * CLASS_MILLISECONDS for index in classes])]
        return [AlignedWord(word, times[2 * i], times[2 * i + 1]) for i, word in enumerate(words)]

    def classes(self, samples: Samples, words: Sequence[Sequence[int]]) -> list[int]:
        """The head's raw answers: for each word the classes of its start and its end."""
        text = [token for word in words for token in (*word, TIMESTAMP, TIMESTAMP)]
        embedded = self._embedded(samples, text)
        shape = self._model.shape.text
        pages = -(-len(embedded) // PAGE_SIZE)
        pool = PagePool(shape, pages, PAGE_SIZE, self._model.device, self._model.dtype)
        table = PageTable(pool)
        table.grow(len(embedded))
        layout = paged_layout([table], [len(embedded)], self._model.device, self._model.decoder.kernel)
        hidden = self._model.decoder.forward(embedded, layout, pool)[-len(text) :]
        marks = torch.tensor([token == TIMESTAMP for token in text], device=hidden.device)
        scores = torch.nn.functional.linear(hidden[marks], self._score)
        return [int(index) for index in scores.argmax(dim=-1).tolist()]

    def _embedded(self, samples: Samples, text: Sequence[int]) -> torch.Tensor:
        pool = PagePool(self._model.shape.text, 0, PAGE_SIZE, self._model.device, self._model.dtype)
        heard = self._hearing.hear([(StreamCache(PageTable(pool), 0), samples)], Work())[0]
        embed = self._model.decoder.embed
        rest = heard.rest.to(self._model.device, self._model.dtype)
        end = embed(torch.tensor([AUDIO_END, *text]))
        return torch.cat([embed(torch.tensor([AUDIO_START])), *heard.finished, rest, end])


def aligned_times(texts: Sequence[str], words: Sequence[AlignedWord], seconds: float) -> list[tuple[float, float]]:
    """Start and end of each piece of a text from the places of its words.

    Args:
        texts: the pieces, which join to the text that was aligned.
        words: its words with their places.
        seconds: length of the audio; no time is later.
    """
    _, owners = split_words("".join(texts))
    times: list[tuple[float, float]] = []
    last = 0.0
    ends = list(accumulate(len(text) for text in texts))
    for text, end in zip(texts, ends, strict=True):
        owned = [owner for owner in owners[end - len(text) : end] if owner >= 0]
        if owned:
            first, last = min(words[owned[0]].start, seconds), min(words[owned[-1]].end, seconds)
            times.append((first, max(first, last)))
        else:
            times.append((last, last))
    return times
