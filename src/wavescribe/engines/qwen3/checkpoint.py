"""Weights from safetensors files, in the original layout or in that of transformers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError, safe_open

from wavescribe.engines.qwen3.configuration import ModelShape
from wavescribe.errors import WeightsError

INDEX: Final = "model.safetensors.index.json"
SINGLE: Final = "model.safetensors"
_FLOATS: Final = (torch.float32, torch.float16, torch.bfloat16)

_RENAMED: Final = (
    ("thinker.audio_tower.proj1.", "multi_modal_projector.linear_1."),
    ("thinker.audio_tower.proj2.", "multi_modal_projector.linear_2."),
    ("thinker.audio_tower.", "audio_tower."),
    ("thinker.model.", "language_model."),
    ("thinker.", ""),
    ("model.", ""),
)
"""Prefixes of both layouts and what they are called here; the first that fits."""


def load_weights(
    directory: Path, shape: ModelShape, *, device: torch.device, dtype: torch.dtype
) -> dict[str, torch.Tensor]:
    """Read a checkpoint.

    Args:
        directory: holds model.safetensors, or shards and their index.
        shape: what config.json says; every tensor must be there in that shape.
        device: where the tensors go.
        dtype: what they are converted to.

    Raises:
        WeightsError: a file or a tensor is missing, damaged, of another shape or of no floating-point type, or the
            layout is not known.
    """
    weights: dict[str, torch.Tensor] = {}
    expected = expected_tensors(shape)
    for path in _files(directory):
        for stored, tensor in _tensors(path):
            name = renamed(stored, aligner=shape.classes is not None)
            if name not in expected:
                raise WeightsError(f"{path}: unknown tensor {stored}; this is no Qwen3-ASR checkpoint of a known layout")
            _check(path, stored, tensor, expected[name])
            weights[name] = tensor.to(device, dtype)
    if shape.classes is None:
        weights.setdefault("lm_head.weight", weights.get("language_model.embed_tokens.weight", torch.empty(0)))
    missing = sorted(expected.keys() - weights.keys())
    if missing:
        raise WeightsError(
            f"{directory}: {len(missing)} of {len(expected)} tensors are missing, the first is {missing[0]}; "
            "copy the checkpoint again, all of its files"
        )
    return weights


def renamed(stored: str, *, aligner: bool = False) -> str:
    """A stored tensor's name as it is used here: transformers' without `model.`."""
    for prefix, replacement in _RENAMED:
        if stored.startswith(prefix):
            stored = replacement + stored.removeprefix(prefix)
            break
    return stored.replace("lm_head.", "score.") if aligner else stored


def expected_tensors(shape: ModelShape) -> dict[str, tuple[int, ...]]:
    """Every tensor of a model by name, with its shape."""
    head = {"lm_head.weight": (shape.text.vocabulary, shape.text.width)}
    if shape.classes is not None:
        head = {"score.weight": (shape.classes, shape.text.width)}
    return {**_audio_tensors(shape), **_text_tensors(shape), **head}


def _audio_tensors(shape: ModelShape) -> dict[str, tuple[int, ...]]:
    audio = shape.audio
    channels, width, inner = audio.convolution_channels, audio.width, audio.feed_forward
    bins = -(-audio.mel_bins // 8)
    tensors: dict[str, tuple[int, ...]] = {"audio_tower.conv_out.weight": (width, channels * bins)}
    for index, inputs in ((1, 1), (2, channels), (3, channels)):
        tensors |= _with_bias(f"audio_tower.conv2d{index}", (channels, inputs, 3, 3))
    for layer in range(audio.layers):
        name = f"audio_tower.layers.{layer}"
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            tensors |= _with_bias(f"{name}.self_attn.{part}", (width, width))
        tensors |= _with_bias(f"{name}.fc1", (inner, width)) | _with_bias(f"{name}.fc2", (width, inner))
        tensors |= _with_bias(f"{name}.self_attn_layer_norm", (width,)) | _with_bias(f"{name}.final_layer_norm", (width,))
    tensors |= _with_bias("audio_tower.ln_post", (width,))
    tensors |= _with_bias("multi_modal_projector.linear_1", (width, width))
    return tensors | _with_bias("multi_modal_projector.linear_2", (audio.output_width, width))


def _text_tensors(shape: ModelShape) -> dict[str, tuple[int, ...]]:
    text = shape.text
    query, key = text.heads * text.head_width, text.key_heads * text.head_width
    tensors: dict[str, tuple[int, ...]] = {
        "language_model.embed_tokens.weight": (text.vocabulary, text.width),
        "language_model.norm.weight": (text.width,),
    }
    for layer in range(text.layers):
        name = f"language_model.layers.{layer}"
        tensors |= {
            f"{name}.self_attn.q_proj.weight": (query, text.width),
            f"{name}.self_attn.k_proj.weight": (key, text.width),
            f"{name}.self_attn.v_proj.weight": (key, text.width),
            f"{name}.self_attn.o_proj.weight": (text.width, query),
            f"{name}.self_attn.q_norm.weight": (text.head_width,),
            f"{name}.self_attn.k_norm.weight": (text.head_width,),
            f"{name}.mlp.gate_proj.weight": (text.feed_forward, text.width),
            f"{name}.mlp.up_proj.weight": (text.feed_forward, text.width),
            f"{name}.mlp.down_proj.weight": (text.width, text.feed_forward),
            f"{name}.input_layernorm.weight": (text.width,),
            f"{name}.post_attention_layernorm.weight": (text.width,),
        }
    return tensors


def _with_bias(name: str, size: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": size, f"{name}.bias": size[:1]}


def _files(directory: Path) -> list[Path]:
    """The safetensors files of a checkpoint."""
    index = directory / INDEX
    if not index.is_file():
        if not (directory / SINGLE).is_file():
            raise WeightsError(f"{directory} has neither {SINGLE} nor {INDEX}; give the directory of a checkpoint")
        return [directory / SINGLE]
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise WeightsError(f"{index} is not an index of shards ({error!r}); copy it again") from error
    for name in names:
        if not (directory / name).is_file():
            raise WeightsError(f"{directory} has no {name}, which {INDEX} names; copy the missing shard")
    return [directory / name for name in names]


def _tensors(path: Path) -> Iterator[tuple[str, torch.Tensor]]:
    with _readable(path), safe_open(path, framework="pt") as file:
        for name in file.keys():  # noqa: SIM118  # not a mapping
            yield name, file.get_tensor(name)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} cannot be read as safetensors ({error}); copy the file again") from error


def _check(path: Path, name: str, tensor: torch.Tensor, expected: tuple[int, ...]) -> None:
    if tuple(tensor.shape) != expected:
        raise WeightsError(f"{path}: tensor {name} has shape {tuple(tensor.shape)}, config.json says {expected}")
    if tensor.dtype not in _FLOATS:
        raise WeightsError(f"{path}: tensor {name} is {tensor.dtype}; expected bfloat16, float16 or float32")


def weight_bytes(weights: Mapping[str, torch.Tensor]) -> int:
    """Bytes of all tensors, shared ones counted once."""
    unique = {tensor.data_ptr(): tensor.numel() * tensor.element_size() for tensor in weights.values()}
    return sum(unique.values())
