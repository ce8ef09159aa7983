"""One step of several streams: hear, verify the drafts in one packed pass, continue greedily.

Between steps a stream's pages hold the head and its finished windows. A step adds the open window, the tail and the
draft in one pass, continues at the first token that greedy decoding would not have written, and crops back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import torch

from wavescribe.engines.base import Samples
from wavescribe.engines.qwen3.configuration import ModelShape
from wavescribe.engines.qwen3.hearing import Heard, Hearing
from wavescribe.engines.qwen3.model import Qwen3AsrModel
from wavescribe.engines.qwen3.options import FloorPolicy
from wavescribe.engines.qwen3.page_pool import PagePool, paged_layout
from wavescribe.engines.qwen3.script import Script
from wavescribe.engines.qwen3.special_tokens import ASR_TEXT, ENDS, TAIL, head
from wavescribe.engines.qwen3.stream_cache import StreamCache
from wavescribe.engines.qwen3.text_decoder import NotFiniteError
from wavescribe.engines.qwen3.work import Work

TOKENS_AT_ONCE = 8192
"""New tokens of one packed pass; more streams are prefilled in several."""


@dataclass(frozen=True, slots=True)
class StepRequest:
    """One stream's step.

    Attributes:
        samples: the segment's audio so far, shape (samples,), float32 at 16 kHz.
        script: what the answer consists of.
        head: tokens before the audio.
        spoken: where given, what the model is taken to write, for timing with random weights; its computation is done.
    """

    samples: Samples
    script: Script = Script()
    head: tuple[int, ...] = head()
    spoken: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class StepAnswer:
    """What the model wrote.

    Attributes:
        tokens: all of it, given tokens and language tag included, without the end.
        log_probabilities: of each token where the model chose it, 0 where it was given.
        text_start: index of the first token of the text, after the language tag.
        truncated: whether the budget ended it.
        drafted: tokens of the draft that stood.
        logits: where asked for, the scores before each chosen token and before the end.
    """

    tokens: tuple[int, ...]
    log_probabilities: tuple[float, ...]
    text_start: int
    truncated: bool
    drafted: int
    logits: tuple[torch.Tensor, ...] = ()


@dataclass(slots=True)
class _Answering:
    """A stream's answer under way."""

    request: StepRequest
    cache: StreamCache
    written: list[int] = field(default_factory=list)
    chances: list[float] = field(default_factory=list)
    fed: list[int] = field(default_factory=list)
    """Answer tokens of the pass that comes next; at first the draft."""
    read: list[int] = field(default_factory=lambda: [0])
    """Places of the fed tokens before which the model's choice is read, and the place after the last one."""
    done: bool = False
    truncated: bool = False
    drafted: int = 0
    logits: list[torch.Tensor] = field(default_factory=list)

    def draft(self) -> None:
        """Feed the last answer as far as the script allows."""
        script, last = self.request.script, self.cache.written
        self.read = []
        while not script.is_full(self.fed):
            token = script.forced(self.fed)
            if token is None:
                if len(self.fed) >= len(last) or list(last[: len(self.fed)]) != self.fed:
                    break
                token = last[len(self.fed)]
                self.read.append(len(self.fed))
            self.fed.append(token)
        self.read.append(len(self.fed))

    def feed(self) -> list[int]:
        """Answer tokens of a pass after the first one; they have been written, and what follows them is read."""
        fed, self.fed, self.read = self.fed, [], [0]
        return fed

    def take(self, tokens: Sequence[int], chances: Sequence[float], base: int, logits: torch.Tensor | None) -> None:
        """Follow the script along a pass's predictions, to the first token that was fed wrongly.

        Args:
            tokens: greedy tokens at each place that is read.
            chances: their log probabilities.
            base: tokens in the pages before the fed ones.
            logits: the scores, where asked for.
        """
        fed, self.fed = self.fed, []
        rows = {place: row for row, place in enumerate(self.read)}
        for place in range(len(fed) + 1):
            row = rows.get(place, 0)  # what is not read is forced
            token = self._next(tokens[row], chances[row], None if logits is None else logits[row])
            if token is None:
                return
            if place == len(fed) or token != fed[place]:
                self.cache.table.crop(base + place)
                self.fed = [token]
                self._feed_given()
                return
            self.drafted += 1
            if self.done:
                return

    def _next(self, greedy: int, chance: float, logits: torch.Tensor | None) -> int | None:
        if self._ends_here():
            return None
        script = self.request.script
        forced = script.forced(self.written)
        if forced is None:
            forced = self._chosen(greedy)
            if logits is not None:
                self.logits.append(logits)
            if forced in ENDS and script.awaits_tag(self.written):
                forced = ASR_TEXT
            elif forced in ENDS and not script.exact_length:
                self.done = True
                return None
        else:
            chance = 0.0
        self.written.append(forced)
        self.chances.append(chance)
        self._ends_here()
        return forced

    def _ends_here(self) -> bool:
        """Whether the budget is used up, which ends the answer."""
        script = self.request.script
        if script.is_full(self.written):
            self.done, self.truncated = True, not script.exact_length
        return self.done

    def _chosen(self, greedy: int) -> int:
        spoken = self.request.spoken
        if spoken is None:
            return greedy
        return spoken[len(self.written)] if len(self.written) < len(spoken) else min(ENDS)

    def _feed_given(self) -> None:
        """Given tokens that follow a chosen one go into the same pass."""
        script = self.request.script
        while not script.is_full(self.written) and (token := script.forced(self.written)) is not None:
            self.written.append(token)
            self.chances.append(0.0)
            self.fed.append(token)
        self._ends_here()

    def answer(self) -> StepAnswer:
        """What was written."""
        start = self.request.script.text_start(self.written)
        return StepAnswer(
            tuple(self.written), tuple(self.chances), start, self.truncated, self.drafted, tuple(self.logits)
        )


class Stepper:
    """Runs steps.

    Args:
        model: the networks.
        pool: pages of all streams.
        policy: how the floor of the features is chosen.
        record_logits: whether answers carry the scores behind them.
    """

    def __init__(
        self, model: Qwen3AsrModel, pool: PagePool, policy: FloorPolicy = "exact", *, record_logits: bool = False
    ) -> None:
        self._model = model
        self._pool = pool
        self._hearing = Hearing(model.encoder, model.shape.audio, policy)
        self._record = record_logits
        self.work = Work()

    @property
    def shape(self) -> ModelShape:
        """The model's sizes."""
        return self._model.shape

    def step(self, streams: Sequence[tuple[StreamCache, StepRequest]]) -> list[StepAnswer]:
        """Answer each stream's step; all streams share each pass.

        When anything fails, the streams' caches are emptied and their pages are free again.

        Raises:
            OutOfPagesError: the streams' tokens do not fit the pool together.
            NotFiniteError: a stream's scores are not finite numbers.
        """
        try:
            with torch.inference_mode():
                return self._step(streams)
        except BaseException as error:
            for cache, _ in streams:
                if isinstance(error, NotFiniteError):
                    self._pool.wipe(cache.table.pages)
                cache.clear()
            raise

    def _step(self, streams: Sequence[tuple[StreamCache, StepRequest]]) -> list[StepAnswer]:
        heard = self._hearing.hear([(cache, request.samples) for cache, request in streams], self.work)
        answers = [_Answering(request, cache) for cache, request in streams]
        self._prefill(answers, heard)
        while waiting := [each for each in answers if not each.done]:
            fed = [each.feed() for each in waiting]
            self._pass(waiting, self._embed([token for each in fed for token in each]), [len(each) for each in fed])
        for each in answers:
            each.cache.table.crop(each.cache.committed_tokens)
            each.cache.written = tuple(each.written)
        return [each.answer() for each in answers]

    def _prefill(self, answers: Sequence[_Answering], heard: Sequence[Heard]) -> None:
        """Head, new windows, open window, tail and draft of all streams."""
        parts = [self._first_tokens(each, sound) for each, sound in zip(answers, heard, strict=True)]
        start = 0
        while start < len(answers):
            end, total = start + 1, len(parts[start])
            while end < len(answers) and total + len(parts[end]) <= TOKENS_AT_ONCE:
                total += len(parts[end])
                end += 1
            group = answers[start:end]
            self._pass(group, torch.cat(parts[start:end]), [len(part) for part in parts[start:end]])
            start = end

    def _first_tokens(self, answering: _Answering, sound: Heard) -> torch.Tensor:
        cache, request = answering.cache, answering.request
        cache.uncommit(request.head, sound.floors)
        known = len(cache.committed)
        answering.draft()
        parts = [] if cache.head else [self._embed(request.head)]
        parts += [*sound.finished[known:], sound.rest.to(self._model.device, self._model.dtype)]
        parts.append(self._embed([*TAIL, *answering.fed]))
        cache.head, cache.committed = request.head, list(sound.floors)
        return torch.cat(parts)

    def _embed(self, token_ids: Sequence[int]) -> torch.Tensor:
        return self._model.decoder.embed(torch.tensor(token_ids, dtype=torch.int64))

    def _pass(self, group: Sequence[_Answering], embedded: torch.Tensor, counts: Sequence[int]) -> None:
        """One packed pass; the tokens whose successors are read are scored."""
        tables = [each.cache.table for each in group]
        for table, count in zip(tables, counts, strict=True):
            table.grow(count)
        layout = paged_layout(tables, counts, self._model.device, self._model.decoder.kernel)
        hidden = self._model.decoder.forward(embedded, layout, self._pool)
        ends = list(accumulate(counts))
        read = [end - 1 - len(each.fed) + place for each, end in zip(group, ends, strict=True) for place in each.read]
        self._count(counts, layout.contexts, len(read))
        last = hidden[torch.tensor(read, device=hidden.device)]
        tokens, chances = self._model.decoder.greedy(last)
        logits = self._model.decoder.logits(last) if self._record else None
        start = 0
        for each in group:
            end = start + len(each.read)
            scores = None if logits is None else logits[start:end]
            each.take(tokens[start:end], chances[start:end], each.cache.table.length - len(each.fed), scores)
            start = end

    def _count(self, counts: Sequence[int], contexts: Sequence[int], scored: int) -> None:
        pairs = sum(n * context - n * (n - 1) // 2 for n, context in zip(counts, contexts, strict=True))
        self.work.add(Work(text_tokens=sum(counts), text_pairs=pairs, scored=scored, passes=1))
