"""Weights in a directory that somebody made: the files it must hold, and its SHA256SUMS."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from wavescribe.engines.weights.verifying import verify_file
from wavescribe.errors import WeightsError

REQUIRED_FILES = ("model.bin", "config.json")
CHECKSUM_LIST = "SHA256SUMS"
_CHECKSUM_LINE = re.compile(r"([0-9a-fA-F]{64}) [ *](?:\./)?(.+)")


def require_files(directory: Path, *, remedy: str) -> None:
    """Check that a directory holds a CTranslate2 Whisper model.

    Raises:
        WeightsError: files are missing; the message names them.
    """
    missing = [name for name in REQUIRED_FILES if not (directory / name).is_file()]
    if missing:
        raise WeightsError(f"weights directory {directory} has no {' and no '.join(missing)}; {remedy}")


def verify_checksum_list(directory: Path, *, required: Sequence[str] = REQUIRED_FILES) -> bool:
    """Check the directory's files against the SHA256SUMS file in it (sha256sum's format).

    Args:
        directory: the model's directory.
        required: files that every model of its kind has.

    Returns:
        True when the files were checked, False when there is no SHA256SUMS.

    Raises:
        WeightsError: a listed file is missing or different, the list is malformed, or a file that every
            model has is not listed.
    """
    path = directory / CHECKSUM_LIST
    if not path.is_file():
        return False
    sums = _read_checksum_list(path, required)
    for name, sha256 in sums.items():
        verify_file(directory / name, sha256=sha256, remedy=f"copy the file again, or correct {path}")
    return True


def _read_checksum_list(path: Path, required: Sequence[str]) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise WeightsError(f"{path} cannot be read as text ({error}); write it with sha256sum") from error
    sums = dict(_parse_line(path, number, line) for number, line in enumerate(lines, 1) if line.strip())
    unlisted = [name for name in required if name not in sums]
    if unlisted:
        raise WeightsError(f"{path} does not list {' and '.join(unlisted)}; add them with sha256sum, or delete it")
    return sums


def _parse_line(path: Path, number: int, line: str) -> tuple[str, str]:
    match = _CHECKSUM_LINE.fullmatch(line)
    if match is None:
        raise WeightsError(f"{path} line {number} is not '<64 hexadecimal digits>  <file>': {line[:100]!r}")
    return match[2], match[1].lower()
