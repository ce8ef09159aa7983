"""What dataclasses say of themselves: names, types, defaults and the text of their docstrings."""

from __future__ import annotations

import dataclasses
import inspect
import re
import types
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from markdown import code

PLAIN = {str: "string", int: "whole number", float: "number", bool: "boolean"}


def attributes(cls: type) -> dict[str, str]:
    """The entries of the section "Attributes" of a class's docstring, by name."""
    _, _, section = inspect.getdoc(cls).partition("Attributes:\n")  # type: ignore[union-attr]  # all have one
    entries = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", section, re.MULTILINE)
    return {name: re.sub(r"\s+", " ", text) for name, text in entries}


def rows(cls: type, prefix: str = "") -> list[tuple[str, str, str, str]]:
    """For each field of a dataclass: its name, type, default and meaning."""
    hints, texts = get_type_hints(cls), attributes(cls)
    return [
        (code(prefix + field.name), kind(hints[field.name]), default(field), sentence(texts[field.name]))
        for field in dataclasses.fields(cls)
    ]


def kind(hint: Any) -> str:
    """A type as readers of JSON know it."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return ", ".join(code(value) for value in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(kind(argument) for argument in arguments if argument is not type(None))
    if origin is tuple:
        return "array of strings"
    return PLAIN.get(hint, "string")


def default(field: dataclasses.Field[Any]) -> str:
    """A field's default; a dash where there is none."""
    value = field.default
    return "–" if value is dataclasses.MISSING or value in (None, "") else code(value)


def sentence(text: str) -> str:
    """Text with a capital at its start, and JSON's word for nothing."""
    return text[:1].upper() + text[1:].replace("None", "null")
