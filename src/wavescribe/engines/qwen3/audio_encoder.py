"""The audio encoder and projector, packed: chunks of a second to embeddings, windows of embeddings to tokens."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch.nn.functional import conv2d, gelu, layer_norm, linear

from wavescribe.engines.qwen3.attention import Kernel, PackedLayout, packed_attention, packed_layout
from wavescribe.engines.qwen3.configuration import AudioShape
from wavescribe.engines.qwen3.geometry import CHUNK_TOKENS

CHUNKS_AT_ONCE = 64
"""Seconds convolved in one call; the first convolution's output is large."""

POSITION_PERIOD = 10_000.0
NORM_EPSILON = 1e-5


class AudioEncoder:
    """Whisper-like encoder with attention inside windows only.

    Args:
        shape: its sizes.
        weights: tensors by their name in transformers' layout, without `model.`.
        kernel: which attention runs.
    """

    def __init__(self, shape: AudioShape, weights: Mapping[str, torch.Tensor], kernel: Kernel) -> None:
        self._shape = shape
        self._weights = weights
        self._kernel = kernel
        example = weights["audio_tower.conv_out.weight"]
        self._device, self._dtype = example.device, example.dtype
        self._positions = sinusoids(CHUNK_TOKENS, shape.width).to(self._device, self._dtype)

    def convolve(self, chunks: Sequence[torch.Tensor]) -> torch.Tensor:
        """Convolve seconds, each by itself.

        Args:
            chunks: normalised features, each of shape (bins, 100).

        Returns:
            Shape (chunks, 13, width), positions added.
        """
        groups = [chunks[start : start + CHUNKS_AT_ONCE] for start in range(0, len(chunks), CHUNKS_AT_ONCE)]
        return torch.cat([self._convolve(torch.stack(list(group))) for group in groups])

    def _convolve(self, features: torch.Tensor) -> torch.Tensor:
        hidden = features[:, None].to(self._device, self._dtype)
        for name in ("conv2d1", "conv2d2", "conv2d3"):
            weight, bias = self._parameters(f"audio_tower.{name}")
            hidden = gelu(conv2d(hidden, weight, bias, stride=2, padding=1))
        flat = hidden.permute(0, 3, 1, 2).flatten(2)
        return linear(flat, self._weights["audio_tower.conv_out.weight"]) + self._positions

    def encode(self, windows: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Encode and project windows, all in one packed pass.

        Args:
            windows: embeddings, each of shape (tokens, width).

        Returns:
            For each window its tokens for the decoder, shape (tokens, output width).
        """
        lengths = [len(window) for window in windows]
        layout = packed_layout(lengths, self._device)
        hidden = torch.cat(list(windows))
        for index in range(self._shape.layers):
            hidden = self._layer(hidden, layout, f"audio_tower.layers.{index}")
        hidden = self._norm(hidden, "audio_tower.ln_post")
        hidden = gelu(self._linear(hidden, "multi_modal_projector.linear_1"))
        hidden = self._linear(hidden, "multi_modal_projector.linear_2")
        return list(hidden.split(lengths))

    def _layer(self, hidden: torch.Tensor, layout: PackedLayout, name: str) -> torch.Tensor:
        normed = self._norm(hidden, f"{name}.self_attn_layer_norm")
        query, key, value = (
            self._linear(normed, f"{name}.self_attn.{part}").unflatten(-1, (self._shape.heads, -1))
            for part in ("q_proj", "k_proj", "v_proj")
        )
        attended = packed_attention(query, key, value, layout, self._kernel).flatten(1)
        hidden = hidden + self._linear(attended, f"{name}.self_attn.out_proj")
        normed = self._norm(hidden, f"{name}.final_layer_norm")
        hidden = hidden + self._linear(gelu(self._linear(normed, f"{name}.fc1")), f"{name}.fc2")
        if hidden.dtype == torch.float16:
            limit = torch.finfo(torch.float16).max - 1000
            hidden = hidden.clamp(-limit, limit)
        return hidden

    def _parameters(self, name: str) -> tuple[torch.Tensor, torch.Tensor]:
        return self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]

    def _linear(self, hidden: torch.Tensor, name: str) -> torch.Tensor:
        return linear(hidden, *self._parameters(name))

    def _norm(self, hidden: torch.Tensor, name: str) -> torch.Tensor:
        return layer_norm(hidden, (self._shape.width,), *self._parameters(name), NORM_EPSILON)


def sinusoids(length: int, channels: int) -> torch.Tensor:
    """Whisper's fixed positions: sines in the first half of the channels, cosines in the second."""
    step = math.log(POSITION_PERIOD) / (channels // 2 - 1)
    scaled = torch.arange(length)[:, None] * torch.exp(-step * torch.arange(channels // 2).float())[None, :]
    return torch.cat([torch.sin(scaled), torch.cos(scaled)], dim=1)
