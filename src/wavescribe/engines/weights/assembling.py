"""Joining the parts of embedded weights into whole files in the cache."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from wavescribe.engines.weights.catalogue import EmbeddedModel, PinnedFile
from wavescribe.engines.weights.locating import locate, reinstall_remedy
from wavescribe.engines.weights.verifying import verify_file
from wavescribe.errors import WeightsError

PARTIAL_SUFFIX = ".partial"
STALE_SECONDS = 3600
_CHUNK_BYTES = 1024 * 1024


def assemble(model: EmbeddedModel, directory: Path) -> None:
    """Bring every file of the model into a directory, and check those that are there already.

    A file appears under its name only whole and checked, so any number of processes may do this at once:
    each writes its own temporary file, and the renames replace equal files by equal files.

    Args:
        model: a model whose packages are installed.
        directory: where the files belong; made when it does not exist.

    Raises:
        WeightsError: a file in the directory or in a package is missing or is not the pinned one, or the
            directory cannot be written.
    """
    _prepare(directory)
    for file in model.files:
        path = directory / file.name
        if path.exists():
            verify_file(path, sha256=file.sha256, size=file.size, remedy=f"delete {path} and start again")
        else:
            _join(file, path)


def _prepare(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _remove_stale_partials(directory)
    except OSError as error:
        raise _unwritable(directory, error) from error


def _remove_stale_partials(directory: Path) -> None:
    """Delete what killed processes left; a younger file may belong to a process that is still writing."""
    oldest = time.time() - STALE_SECONDS
    for partial in directory.glob(f".*{PARTIAL_SUFFIX}"):
        try:
            if partial.stat().st_mtime < oldest:
                partial.unlink()
        except FileNotFoundError:
            continue  # its process renamed or deleted it in between


def _join(file: PinnedFile, target: Path) -> None:
    parts = [locate(part) for part in file.parts]
    partial = target.with_name(f".{target.name}.{secrets.token_hex(8)}{PARTIAL_SUFFIX}")
    try:
        size, sha256 = _write(parts, partial)
        _check_joined(file, parts, size, sha256)
        os.replace(partial, target)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        partial.unlink(missing_ok=True)


def _write(parts: Sequence[Path], target: Path) -> tuple[int, str]:
    """Write the parts one after the other; returns the bytes written and their SHA-256."""
    digest = hashlib.sha256()
    with target.open("xb") as output:
        for part in parts:
            with part.open("rb") as source:
                while chunk := source.read(_CHUNK_BYTES):
                    digest.update(chunk)
                    output.write(chunk)
        _flush_to_disk(output)
        return output.tell(), digest.hexdigest()


def _flush_to_disk(output: BinaryIO) -> None:
    """Without this, a power cut after the rename could leave an empty file under the final name."""
    output.flush()
    os.fsync(output.fileno())


def _check_joined(file: PinnedFile, parts: Sequence[Path], size: int, sha256: str) -> None:
    if (size, sha256) == (file.size, file.sha256):
        return
    sources = " and ".join(str(part) for part in parts)
    packages = dict.fromkeys(part.package for part in file.parts)
    raise WeightsError(
        f"{file.name} made from {sources} has {size} bytes and SHA-256 {sha256}, "
        f"the pinned one has {file.size} bytes and SHA-256 {file.sha256}; {reinstall_remedy(*packages)}"
    )


def _unwritable(path: Path, error: OSError) -> WeightsError:
    return WeightsError(
        f"weights cache {path} could not be written ({error}); "
        "make room and allow writing there, or set WAVESCRIBE_CACHE_DIR to another directory"
    )
