"""Where a Qwen3-ASR checkpoint is: a directory, or one that is fetched from the Hugging Face hub."""

from __future__ import annotations

import logging
import re
from pathlib import Path

from wavescribe.engines.qwen3.configuration import is_qwen3_asr, read_configuration
from wavescribe.engines.weights.directory import verify_checksum_list
from wavescribe.engines.weights.hub import verify_blob
from wavescribe.errors import ModelNotFoundError, WeightsError

WANTED = ("*.json", "*.safetensors", "merges.txt")
"""Files of a repository that are loaded."""

_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]*qwen3-(asr|forcedaligner)[\w.-]*", re.ASCII | re.IGNORECASE)

logger = logging.getLogger(__name__)


def is_qwen3_name(name: str) -> bool:
    """Whether the name is a directory with a model of this kind, or looks like one on the hub."""
    directory = Path(name).expanduser()
    if not directory.is_dir():
        return _HUB_NAME.fullmatch(name) is not None
    return (directory / "config.json").is_file() and is_qwen3_asr(read_configuration(directory))


def checkpoint_directory(name: str) -> Path:
    """The directory of a checkpoint, its files checked against their SHA-256 where those are known.

    Raises:
        ModelNotFoundError: neither a directory nor a name on the hub.
        WeightsError: it cannot be fetched, or a file is damaged.
    """
    directory = Path(name).expanduser()
    if directory.is_dir():
        verify_checksum_list(directory, required=("config.json",))
        return directory.absolute()
    if _HUB_NAME.fullmatch(name) is None:
        raise ModelNotFoundError(
            f"model {name!r} is neither a directory nor a Qwen3-ASR model on the hub, such as Qwen/Qwen3-ASR-0.6B",
            code="model_not_found",
            param="model",
        )
    fetched = _fetch(name)
    for path in sorted(fetched.glob("*.safetensors")):
        verify_blob(path)
    return fetched


def _fetch(name: str) -> Path:
    from huggingface_hub import snapshot_download  # slow to import, and needed only here

    logger.info("looking for the weights of %s on the Hugging Face hub", name)
    try:
        return Path(snapshot_download(name, allow_patterns=list(WANTED)))
    except Exception as error:  # each of the hub's transports raises its own family of errors
        raise WeightsError(
            f"weights of {name} could not be fetched from the Hugging Face hub ({type(error).__name__}: {error}); "
            "check the name and the network, or give the path of a directory that holds the model"
        ) from error
