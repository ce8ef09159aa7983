"""Comparing a weights file with its pin."""

from __future__ import annotations

import hashlib
from pathlib import Path

from wavescribe.errors import WeightsError


def verify_file(path: Path, *, sha256: str, size: int | None = None, remedy: str) -> None:
    """Check a file's content against its pin.

    Args:
        path: the file.
        sha256: the SHA-256 it must have, lowercase hexadecimal.
        size: the bytes it must have, or None when only the hash is known.
        remedy: what the reader of the error can do about it.

    Raises:
        WeightsError: the file is missing, cannot be read, or is not the pinned one.
    """
    try:
        found_size = path.stat().st_size
        # A wrong size needs no hash, and tells a half-written file from an altered one.
        found = _hash_file(path) if size is None or found_size == size else None
    except FileNotFoundError as error:
        raise WeightsError(f"weights file {path} is missing; {remedy}") from error
    except OSError as error:
        raise WeightsError(f"weights file {path} cannot be read ({error}); {remedy}") from error
    if found is None:
        raise WeightsError(f"weights file {path} has {found_size} bytes, the pinned one has {size}; {remedy}")
    if found != sha256:
        raise WeightsError(f"weights file {path} has SHA-256 {found}, the pinned one has {sha256}; {remedy}")


def _hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
