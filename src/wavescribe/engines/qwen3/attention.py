"""Attention over packed sequences: torch's variable-length kernel on CUDA, plain attention everywhere else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch.nn.functional import scaled_dot_product_attention

Kernel = Literal["varlen", "plain"]
"""`varlen` is torch.nn.attention.varlen, for half precision on CUDA; `plain` runs everywhere."""


def choose_kernel(device: torch.device, dtype: torch.dtype) -> Kernel:
    """The kernel for tensors of that kind."""
    has_varlen = hasattr(torch.nn.attention, "varlen") or _importable()
    return "varlen" if device.type == "cuda" and dtype != torch.float32 and has_varlen else "plain"


def _importable() -> bool:
    try:
        import torch.nn.attention.varlen  # noqa: F401  # only whether it is there
    except ImportError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class PackedLayout:
    """Where sequences lie in a packed tensor without cache.

    Attributes:
        lengths: tokens of each sequence.
        ends: cumulative lengths from 0, int32, shape (sequences + 1,).
        padded: for each sequence and place the packed index, 0 where there is none; shape (sequences, longest).
        valid: which places exist; the same shape.
    """

    lengths: tuple[int, ...]
    ends: torch.Tensor
    padded: torch.Tensor
    valid: torch.Tensor


def packed_layout(lengths: Sequence[int], device: torch.device) -> PackedLayout:
    """The layout of sequences of those lengths, one after the other."""
    sizes = torch.tensor(lengths)
    ends = torch.cat([torch.zeros(1, dtype=torch.int64), sizes.cumsum(0)])
    places = torch.arange(max(lengths))
    valid = places[None, :] < sizes[:, None]
    padded = torch.where(valid, ends[:-1, None] + places[None, :], 0)
    return PackedLayout(tuple(lengths), ends.to(device, torch.int32), padded.to(device), valid.to(device))


def packed_attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, layout: PackedLayout, kernel: Kernel
) -> torch.Tensor:
    """Full attention inside each sequence, none across them.

    Args:
        query: shape (tokens, heads, head width); key and value alike.
        key: see query.
        value: see query.
        layout: where the sequences lie.
        kernel: which kernel runs.

    Returns:
        Shape (tokens, heads, head width).
    """
    if kernel == "varlen":
        from torch.nn.attention.varlen import varlen_attn

        longest = max(layout.lengths)
        return varlen_attn(query, key, value, layout.ends, layout.ends, longest, longest, num_splits=1)
    query, key, value = (each[layout.padded].transpose(1, 2) for each in (query, key, value))
    even = len(set(layout.lengths)) == 1
    mask = None if even else layout.valid[:, None, None, :]
    result = scaled_dot_product_attention(query, key, value, attn_mask=mask)
    return result.transpose(1, 2)[layout.valid]


@dataclass(frozen=True, slots=True)
class PagedLayout:
    """Where the new tokens of several streams lie in a packed tensor, and their contexts in the page pool.

    Attributes:
        new: new tokens of each stream.
        contexts: all tokens of each stream, new ones included.
        positions: each new token's position in its stream, shape (tokens,).
        slots: where each new token's keys go in the pool, shape (tokens,).
        stream_slots: for each stream the slots of its whole context; only for the plain kernel.
        pages: for each stream its pages, 0 where there are none; int32, shape (streams, most pages).
        ends: cumulative new tokens from 0, int32, shape (streams + 1,).
        used: all tokens of each stream, int32, shape (streams,).
    """

    new: tuple[int, ...]
    contexts: tuple[int, ...]
    positions: torch.Tensor
    slots: torch.Tensor
    stream_slots: tuple[torch.Tensor, ...]
    pages: torch.Tensor
    ends: torch.Tensor
    used: torch.Tensor


def paged_attention(
    query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, layout: PagedLayout, kernel: Kernel
) -> torch.Tensor:
    """Causal attention of new tokens over their stream's context in the pool.

    Args:
        query: shape (tokens, heads, head width).
        keys: one layer's pool, shape (pages, page size, key heads, head width).
        values: alike.
        layout: where everything lies.
        kernel: which kernel runs.

    Returns:
        Shape (tokens, heads, head width).
    """
    if kernel == "varlen":
        from torch.nn.attention.varlen import varlen_attn

        return varlen_attn(
            query,
            keys,
            values,
            layout.ends,
            None,
            max(layout.new),
            max(layout.contexts),
            window_size=(-1, 0),
            enable_gqa=True,
            seqused_k=layout.used,
            block_table=layout.pages,
            num_splits=1,
        )
    flat_keys, flat_values = keys.flatten(0, 1), values.flatten(0, 1)
    if len(layout.new) > 1 and max(layout.new) == 1:
        return _one_token_each(query, flat_keys, flat_values, layout)
    parts = []
    for stream, part in enumerate(query.split(layout.new)):
        slots = layout.stream_slots[stream]
        parts.append(_one_stream(part, flat_keys[slots], flat_values[slots]))
    return torch.cat(parts)


def _one_stream(query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    new, context = len(query), len(keys)
    ones = torch.ones(new, context, dtype=torch.bool, device=query.device)
    mask = ones.tril(context - new) if new > 1 else None
    query, keys, values = (each.transpose(0, 1)[None] for each in (query, keys, values))
    return scaled_dot_product_attention(query, keys, values, attn_mask=mask, enable_gqa=True)[0].transpose(0, 1)


def _one_token_each(query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, layout: PagedLayout) -> torch.Tensor:
    """A decode step of several streams as one padded batch."""
    slots = torch.nn.utils.rnn.pad_sequence(list(layout.stream_slots), batch_first=True)
    mask = torch.arange(slots.shape[1], device=query.device)[None, :] < layout.used[:, None]
    result = scaled_dot_product_attention(
        query[:, :, None, :],
        keys[slots].transpose(1, 2),
        values[slots].transpose(1, 2),
        attn_mask=mask[:, None, None, :],
        enable_gqa=True,
    )
    return result[:, :, 0, :]
