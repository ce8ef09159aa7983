"""Settings as TOML, as `--config` reads it back; keys are not printed."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

from wavescribe.settings import Settings

SECRET = ("api_key",)


def as_toml(settings: Settings) -> str:
    """All settings with their values, each under its description.

    Values that stand for nothing (no file, no key) and secrets are commented out.
    """
    return "\n\n".join(_entry(settings, name) for name in Settings.model_fields) + "\n"


def _entry(settings: Settings, name: str) -> str:
    described = Settings.model_fields[name].description or ""
    comment = textwrap.fill(described, 110, initial_indent="# ", subsequent_indent="# ")
    value = getattr(settings, name)
    if name in SECRET:
        state = f"{len(value)} given, not printed" if value else "none"
        return f"{comment}\n# {name} = []  # {state}"
    if value is None:
        return f'{comment}\n# {name} = ""'
    return f"{comment}\n{name} = {_literal(value)}"


def _literal(value: object) -> str:
    """A TOML value; its strings, numbers, truth values and arrays are written as JSON's are."""
    match value:
        case Path():
            return json.dumps(str(value))
        case tuple():
            return json.dumps(list(value))
        case _:
            return json.dumps(value)
