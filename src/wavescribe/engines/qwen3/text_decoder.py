"""The text decoder (Qwen3), packed over streams, with keys and values in a page pool."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch.nn.functional import linear, rms_norm, silu

from wavescribe.engines.qwen3.attention import Kernel, PagedLayout, paged_attention
from wavescribe.engines.qwen3.configuration import TextShape
from wavescribe.engines.qwen3.page_pool import PagePool
from wavescribe.engines.qwen3.special_tokens import NEVER_WRITTEN
from wavescribe.errors import EngineError

ROWS_AT_ONCE = 512
"""Rows whose scores over the vocabulary are in memory at the same time."""


class NotFiniteError(EngineError):
    """The networks gave numbers that are not finite; they are in the keys and values of their stream, too."""


class TextDecoder:
    """A causal decoder.

    Args:
        shape: its sizes.
        weights: tensors by their name in transformers' layout, without `model.`.
        kernel: which attention runs.
    """

    def __init__(self, shape: TextShape, weights: Mapping[str, torch.Tensor], kernel: Kernel) -> None:
        self._shape = shape
        self._weights = weights
        self.kernel = kernel
        self._embedding = weights["language_model.embed_tokens.weight"]
        self.device, self.dtype = self._embedding.device, self._embedding.dtype
        exponents = torch.arange(0, shape.head_width, 2, dtype=torch.int64).float() / shape.head_width
        self._frequencies = (1.0 / (shape.rope_theta**exponents)).to(self.device)

    def embed(self, token_ids: torch.Tensor) -> torch.Tensor:
        """Embeddings of token ids, shape (tokens, width)."""
        return self._embedding[token_ids.to(self.device)]

    def forward(self, embedded: torch.Tensor, layout: PagedLayout, pool: PagePool) -> torch.Tensor:
        """Run new tokens of several streams; their keys and values go to the pool.

        Args:
            embedded: shape (tokens, width).
            layout: where the tokens and their contexts lie.
            pool: keys and values.

        Returns:
            The last hidden states after the final norm, shape (tokens, width).
        """
        cosine, sine = self._rotation(layout.positions)
        hidden = embedded
        for index in range(self._shape.layers):
            name = f"language_model.layers.{index}"
            normed = self._norm(hidden, f"{name}.input_layernorm")
            query, key, value = self._heads(normed, f"{name}.self_attn", cosine, sine)
            pool.keys[index].flatten(0, 1)[layout.slots] = key
            pool.values[index].flatten(0, 1)[layout.slots] = value
            attended = paged_attention(query, pool.keys[index], pool.values[index], layout, self.kernel)
            hidden = hidden + self._linear(attended.flatten(1), f"{name}.self_attn.o_proj")
            hidden = hidden + self._feed_forward(self._norm(hidden, f"{name}.post_attention_layernorm"), f"{name}.mlp")
        return self._norm(hidden, "language_model.norm")

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Scores over the vocabulary, shape (rows, vocabulary)."""
        return linear(hidden, self._weights.get("lm_head.weight", self._embedding))

    def greedy(self, hidden: torch.Tensor) -> tuple[list[int], list[float]]:
        """For each row the best token and its log probability, among those that an answer may have.

        Raises:
            NotFiniteError: scores are not finite numbers.
        """
        tokens: list[int] = []
        probabilities: list[float] = []
        for rows in hidden.split(ROWS_AT_ONCE):
            scores = self.logits(rows).float()
            scores[:, NEVER_WRITTEN] = -math.inf
            best, chosen = scores.max(dim=-1)
            tokens += chosen.tolist()
            probabilities += (best - scores.logsumexp(dim=-1)).tolist()
        if not all(map(math.isfinite, probabilities)):
            raise NotFiniteError("the model's scores are not finite numbers; a type with more range may help")
        return tokens, probabilities

    def _heads(
        self, hidden: torch.Tensor, name: str, cosine: torch.Tensor, sine: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        width = self._shape.head_width
        query, key, value = (
            self._linear(hidden, f"{name}.{part}").unflatten(-1, (-1, width)) for part in ("q_proj", "k_proj", "v_proj")
        )
        query = rotated(self._norm(query, f"{name}.q_norm"), cosine, sine)
        key = rotated(self._norm(key, f"{name}.k_norm"), cosine, sine)
        return query, key, value

    def _feed_forward(self, hidden: torch.Tensor, name: str) -> torch.Tensor:
        gate = silu(self._linear(hidden, f"{name}.gate_proj"))
        return self._linear(gate * self._linear(hidden, f"{name}.up_proj"), f"{name}.down_proj")

    def _rotation(self, positions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        angles = positions[:, None].float() * self._frequencies[None, :]
        full = torch.cat([angles, angles], dim=-1)[:, None, :]
        return full.cos().to(self.dtype), full.sin().to(self.dtype)

    def _linear(self, hidden: torch.Tensor, name: str) -> torch.Tensor:
        return linear(hidden, self._weights[f"{name}.weight"])

    def _norm(self, hidden: torch.Tensor, name: str) -> torch.Tensor:
        weight = self._weights[f"{name}.weight"]
        if hidden.dtype == torch.float32:
            return rms_norm(hidden, weight.shape, weight, self._shape.norm_epsilon)
        # The official model rounds before it scales.
        normed = rms_norm(hidden.float(), weight.shape, None, self._shape.norm_epsilon)
        return weight * normed.to(hidden.dtype)


def rotated(heads: torch.Tensor, cosine: torch.Tensor, sine: torch.Tensor) -> torch.Tensor:
    """Rotary positions in the NeoX arrangement: the first half of a head pairs with the second."""
    first, second = heads.chunk(2, dim=-1)
    return heads * cosine + torch.cat([-second, first], dim=-1) * sine
