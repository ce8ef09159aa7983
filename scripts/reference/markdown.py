"""Pieces of Markdown pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

JSON_TYPES: dict[type, str] = {
    str: "string",
    bool: "boolean",
    int: "number",
    float: "number",
    list: "array",
    dict: "object",
    type(None): "null",
}


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; the cells are Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def code(text: object) -> str:
    """Text set as code; nothing for nothing."""
    return f"`{text}`" if text != "" else ""


def example(value: Any) -> str:
    """A fenced block of JSON, arrays of numbers on one line."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    text = re.sub(
        r"\[[\d,\s]+\]", lambda found: re.sub(r"\s+", " ", found[0]).replace("[ ", "[").replace(" ]", "]"), text
    )
    return f"```json\n{text}\n```"


def members(values: Iterable[dict[str, Any]]) -> str:
    """The members of objects of one kind with the JSON types that they have, those of inner objects dotted."""
    kinds: dict[str, dict[str, None]] = {}
    for value in values:
        for path, kind in _flat(value, ""):
            kinds.setdefault(path, {})[kind] = None
    return table(("member", "type"), ((code(path), " or ".join(found)) for path, found in kinds.items()))


def _flat(value: dict[str, Any], prefix: str) -> Iterable[tuple[str, str]]:
    for name, member in value.items():
        yield prefix + name, JSON_TYPES[type(member)]
        if isinstance(member, dict):
            yield from _flat(member, f"{prefix}{name}.")
        elif isinstance(member, list) and member and isinstance(member[0], dict):
            yield from _flat(member[0], f"{prefix}{name}[].")
