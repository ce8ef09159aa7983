"""The page's files in memory: what is not there cannot be asked for, whatever a path looks like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from importlib.resources import files
from importlib.resources.abc import Traversable

CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""Content types by the end of a file's name; files that end otherwise are not served."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of the page.

    Attributes:
        body: its bytes.
        content_type: as HTTP writes it.
        etag: changes when the bytes do, in quotes.
    """

    body: bytes
    content_type: str
    etag: str


def load_assets() -> dict[str, Asset]:
    """Every file of the page by its path in this package, with slashes: "scripts/main.js"."""
    return {path: _asset(path, file) for path, file in _walk(files("wavescribe.web"), "")}


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        path = f"{prefix}{entry.name}"
        if entry.is_dir():
            yield from _walk(entry, f"{path}/")
        elif _suffix(path) in CONTENT_TYPES:
            yield path, entry


def _asset(path: str, file: Traversable) -> Asset:
    body = file.read_bytes()
    return Asset(body, CONTENT_TYPES[_suffix(path)], f'"{blake2b(body, digest_size=12).hexdigest()}"')


def _suffix(path: str) -> str:
    name = path.rpartition("/")[2]
    return name[name.rfind(".") :] if "." in name else ""
