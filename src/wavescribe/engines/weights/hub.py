"""Weights from the Hugging Face hub."""

from __future__ import annotations

import logging
import re
from pathlib import Path

from wavescribe.engines.weights.directory import require_files
from wavescribe.engines.weights.verifying import verify_file
from wavescribe.errors import WeightsError

_REPOSITORY_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}")

logger = logging.getLogger(__name__)


def hub_sizes() -> tuple[str, ...]:
    """The short names of models that faster-whisper knows on the hub, such as `small`."""
    from faster_whisper.utils import available_models  # loads the whole engine

    return tuple(available_models())


def is_hub_name(name: str) -> bool:
    """Whether the name is a repository id (`owner/name`) or one of `hub_sizes`."""
    return _REPOSITORY_ID.fullmatch(name) is not None or name in hub_sizes()


def hub_directory(name: str) -> Path:
    """Download a model, or find it in the hub's own cache, and return its directory.

    The weights are checked against the SHA-256 that the hub gave with them, where its cache keeps it.

    Args:
        name: a name for which `is_hub_name` holds.

    Raises:
        WeightsError: the model cannot be had, is not a CTranslate2 Whisper model, or is damaged.
    """
    directory = _download(name)
    require_files(directory, remedy=f"{name} must be a Whisper model in CTranslate2's format")
    verify_blob(directory / "model.bin")
    return directory


def _download(name: str) -> Path:
    from faster_whisper.utils import download_model  # loads the whole engine

    logger.info("looking for the weights of %s on the Hugging Face hub", name)
    try:
        # It knows the repository of each size, and fetches only the files that the engine loads.
        return Path(download_model(name))
    except Exception as error:  # each of the hub's transports raises its own family of errors
        raise WeightsError(
            f"weights of {name} could not be fetched from the Hugging Face hub ({type(error).__name__}: {error}); "
            "check the name and the network, or give the path of a directory that holds the model"
        ) from error


def verify_blob(path: Path) -> None:
    """Check a large file of the hub's cache: a link to a file whose name is its SHA-256.

    Raises:
        WeightsError: its content has another one.
    """
    blob = path.resolve()
    if blob.parent.name == "blobs" and _SHA256.fullmatch(blob.name):
        verify_file(blob, sha256=blob.name, remedy=f"delete {blob} and start again")
