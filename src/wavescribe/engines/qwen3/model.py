"""A loaded model: encoder, decoder and what they share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from wavescribe.engines.qwen3.attention import Kernel, choose_kernel
from wavescribe.engines.qwen3.audio_encoder import AudioEncoder
from wavescribe.engines.qwen3.configuration import ModelShape
from wavescribe.engines.qwen3.text_decoder import TextDecoder


@dataclass(frozen=True, slots=True)
class Qwen3AsrModel:
    """The two networks on one device.

    Attributes:
        shape: the sizes.
        encoder: audio to tokens.
        decoder: tokens to text.
        device: where the weights lie.
        dtype: of the weights.
    """

    shape: ModelShape
    encoder: AudioEncoder
    decoder: TextDecoder
    device: torch.device
    dtype: torch.dtype


def build_model(
    shape: ModelShape, weights: Mapping[str, torch.Tensor], *, kernel: Kernel | None = None
) -> Qwen3AsrModel:
    """Put weights to use.

    Args:
        shape: the sizes.
        weights: all tensors of `expected_tensors`, on one device and of one type.
        kernel: which attention runs; by default the best one for the device.
    """
    example = weights["language_model.embed_tokens.weight"]
    chosen = kernel or choose_kernel(example.device, example.dtype)
    return Qwen3AsrModel(
        shape=shape,
        encoder=AudioEncoder(shape.audio, weights, chosen),
        decoder=TextDecoder(shape.text, weights, chosen),
        device=example.device,
        dtype=example.dtype,
    )
