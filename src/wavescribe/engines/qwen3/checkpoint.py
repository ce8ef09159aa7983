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
from wavescribe.engines.qwen3.tensors import expected_tensors
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


HEAD, EMBEDDING = "lm_head.weight", "language_model.embed_tokens.weight"


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
                raise WeightsError(
                    f"{path}: unknown tensor {stored}; this is no Qwen3-ASR checkpoint of a known layout"
                )
            _check(path, stored, tensor, expected[name])
            weights[name] = tensor.to(device, dtype)
    if shape.classes is None:
        _tie(weights, may_tie=shape.may_tie)
    missing = sorted(expected.keys() - weights.keys())
    if missing:
        raise WeightsError(
            f"{directory}: {len(missing)} of {len(expected)} tensors are missing, the first is {missing[0]}; "
            "copy the checkpoint again, all of its files"
        )
    return weights


def _tie(weights: dict[str, torch.Tensor], *, may_tie: bool) -> None:
    """Make head and embedding one tensor where the head is not stored, or is stored twice."""
    head, embedding = weights.get(HEAD), weights.get(EMBEDDING)
    if embedding is not None and (may_tie if head is None else torch.equal(head, embedding)):
        weights[HEAD] = embedding


def renamed(stored: str, *, aligner: bool = False) -> str:
    """A stored tensor's name as it is used here: transformers' without `model.`."""
    for prefix, replacement in _RENAMED:
        if stored.startswith(prefix):
            stored = replacement + stored.removeprefix(prefix)
            break
    return stored.replace("lm_head.", "score.") if aligner else stored


def _files(directory: Path) -> list[Path]:
    """The safetensors files of a checkpoint."""
    index = directory / INDEX
    if not index.is_file():
        if not (directory / SINGLE).is_file():
            raise WeightsError(f"{directory} has neither {SINGLE} nor {INDEX}; give the directory of a checkpoint")
        return [directory / SINGLE]
    try:
        names = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        if not names or not all(isinstance(name, str) for name in names):
            raise ValueError("weight_map names no files")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsError(f"{index} is not an index of shards ({error!r}); copy it again") from error
    for name in sorted(names):
        if not (directory / name).is_file():
            raise WeightsError(f"{directory} has no {name}, which {INDEX} names; copy the missing shard")
    return [directory / name for name in sorted(names)]


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
