"""From a model's name to the directory of its weights."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from platformdirs import user_cache_dir

from wavescribe.engines.weights.catalogue import EMBEDDED_MODELS
from wavescribe.engines.weights.directory import require_files, verify_checksum_list
from wavescribe.engines.weights.embedding import embedded_directory
from wavescribe.engines.weights.hub import hub_directory, hub_sizes, is_hub_name
from wavescribe.engines.weights.locating import missing_packages
from wavescribe.errors import ModelNotFoundError


@dataclass(frozen=True, slots=True)
class ResolvedWeights:
    """A model's weights, ready to load.

    Attributes:
        name: the name that was asked for.
        directory: holds model.bin, config.json and the tokenizer's files.
        kind: "embedded" (installed with pip), "directory" (the user's own) or "hub" (Hugging Face).
        pinned: whether the files matched SHA-256 sums that were fixed beforehand: the catalogue's, or a
            SHA256SUMS file in the directory.
    """

    name: str
    directory: Path
    kind: Literal["embedded", "directory", "hub"]
    pinned: bool


def resolve_weights(name: str, *, cache_directory: Path | None = None) -> ResolvedWeights:
    """Find a model's weights and check them; call it before every load.

    It reads whole files and may download them: call it from a thread where an event loop runs.

    A name is, in this order: a known embedded model whose packages are installed, a local directory, a
    Hugging Face id (`owner/name`) or a size that faster-whisper knows.

    Args:
        name: the model's name, the path of a directory, or a Hugging Face id.
        cache_directory: where joined weights are kept; by default the environment variable
            WAVESCRIBE_CACHE_DIR, else the user's cache directory.

    Raises:
        WeightsError: the model is known and its weights are missing, damaged or not the pinned ones.
        ModelNotFoundError: nothing has that name.
    """
    embedded = EMBEDDED_MODELS.get(name)
    path = os.path.expanduser(name)
    if embedded is not None and not (missing_packages(embedded) and os.path.isdir(path)):
        cache = cache_directory or _default_cache_directory()
        return ResolvedWeights(name, embedded_directory(embedded, cache), "embedded", pinned=True)
    if os.path.isdir(path):
        return _resolve_directory(name, Path(path).absolute())
    if is_hub_name(name):
        return ResolvedWeights(name, hub_directory(name), "hub", pinned=False)
    raise _unknown(name)


def _resolve_directory(name: str, directory: Path) -> ResolvedWeights:
    require_files(directory, remedy="give a directory with a Whisper model in CTranslate2's format")
    return ResolvedWeights(name, directory, "directory", pinned=verify_checksum_list(directory))


def _default_cache_directory() -> Path:
    override = os.environ.get("WAVESCRIBE_CACHE_DIR")
    return Path(override).expanduser().absolute() if override else Path(user_cache_dir("wavescribe"))


def _unknown(name: str) -> ModelNotFoundError:
    return ModelNotFoundError(
        f"model {name!r} is neither a known model, a directory nor a Hugging Face id; known are "
        f"{', '.join(EMBEDDED_MODELS)}, and on the Hugging Face hub {', '.join(hub_sizes())}",
        code="model_not_found",
        param="model",
    )
