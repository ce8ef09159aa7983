"""The reference of settings, from the settings object and the command that takes them as flags."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from described import PLAIN, sentence
from markdown import code, table
from pydantic.fields import FieldInfo
from sources import PACKAGE
from typer.models import OptionInfo

from wavescribe.cli.serve import serve_command
from wavescribe.settings import Settings

INTRODUCTION = """# Settings

Made from the settings object by `make reference`; a test fails when this page is out of date.

Each setting is a flag of `wavescribe serve`, an environment variable and a key of the TOML file that `--config` names.
Flags win over the environment, and the environment over the file. A name that is not known, or a value out of range, is
an error at the start; of the environment only known names are read. The headings are the names in the file.

```console
$ WAVESCRIBE_MAX_SESSIONS=8 wavescribe serve --print-config > wavescribe.toml    # all with their values, but no keys
$ wavescribe serve --config wavescribe.toml
```
"""

OTHERS = {
    "WAVESCRIBE_CACHE_DIR": (
        "whatever loads a model",
        "where the default model is put together from its packages; the user's cache directory when it is not set",
    ),
    "HF_HOME": ("the same", "where models of the Hugging Face hub are kept; the hub's own library reads it"),
    "WAVESCRIBE_CLIENT_KEY": ("`wavescribe listen --url`", "the key that the server wants"),
    "WAVESCRIBE_BENCH_API_KEY": ("`wavescribe bench`", "the key that a measured server wants"),
    "SSL_CERT_FILE": (
        "`wavescribe listen --url`, `wavescribe.stream`",
        "certificates to trust in place of the system's, for a server whose own signs itself; OpenSSL reads it",
    ),
}
"""Variables that are no settings: who reads each, and what it is for."""

ALSO = """
`wavescribe transcribe`, `wavescribe listen` and the Python functions read the settings that concern them, such as
`WAVESCRIBE_MODEL` and `WAVESCRIBE_MAX_AUDIO_SECONDS`, from the environment, too.
"""

BOUNDS = {"ge": "at least {}", "gt": "more than {}", "le": "at most {}"}


def settings_page() -> str:
    """The page."""
    panels: dict[str, list[str]] = {}
    for name, option in _options():
        panels.setdefault(str(option.rich_help_panel), []).append(_entry(name, option))
    return "\n".join(
        [INTRODUCTION, *(f"## {panel}\n\n" + "\n".join(entries) for panel, entries in panels.items()), _others()]
    )


def _others() -> str:
    """The variables that are no settings; that none of the source's own is missing is seen to."""
    named = {name for path in PACKAGE.rglob("*.py") for name in re.findall(r'"(WAVESCRIBE_[A-Z_]+)"', path.read_text())}
    settings = {f"WAVESCRIBE_{name.upper()}" for name in Settings.model_fields}
    described = {name for name in OTHERS if name.startswith("WAVESCRIBE_")}
    if wrong := (named - settings - {Settings.model_config["env_prefix"]}) ^ described:
        raise SystemExit(f"variables read and not described, or the reverse: {', '.join(sorted(wrong))}")
    lines = ((code(name), reader, meaning) for name, (reader, meaning) in OTHERS.items())
    return "## Environment that is no setting\n\n" + table(("variable", "read by", "meaning"), lines) + "\n" + ALSO


def _options() -> Iterator[tuple[str, OptionInfo]]:
    """The settings in the order of the command's help; that none is missing is seen to."""
    hints = get_type_hints(serve_command, include_extras=True)
    found = {
        name: next(part for part in get_args(hint) if isinstance(part, OptionInfo))
        for name, hint in hints.items()
        if name in Settings.model_fields
    }
    if missing := Settings.model_fields.keys() - found.keys():
        raise SystemExit(f"settings without a flag: {', '.join(sorted(missing))}")
    yield from found.items()


def _entry(name: str, option: OptionInfo) -> str:
    field = Settings.model_fields[name]
    # typer takes the first of the flags that are written out for the default.
    written = [flag for flag in (option.default, *(option.param_decls or ())) if str(flag).startswith("--")]
    first = f"--{name.replace('_', '-')}"
    others = [str(flag) for flag in written if flag != first]
    facts = [f"Flag {code(first)}", f"environment {code(f'WAVESCRIBE_{name.upper()}')}", _kind(field), _default(field)]
    facts += [f"also {code(other)}" for other in others]
    return f"### `{name}`\n\n{sentence(field.description or '')}.\n\n{'; '.join(facts)}.\n"


def _kind(field: FieldInfo) -> str:
    hint: Any = _without_none(field.annotation)
    if choices := _choices(hint):
        return "one of " + ", ".join(code(choice) for choice in choices)
    if get_origin(hint) is tuple:
        return "repeatable"
    if hint is Path:
        return "a file"
    return ", ".join([f"a {PLAIN[hint]}", *_bounds(field)])


def _without_none(hint: Any) -> Any:
    """X of `X | None`; anything else as it is."""
    given = [part for part in get_args(hint) if part is not NoneType]
    return given[0] if NoneType in get_args(hint) and len(given) == 1 else hint


def _choices(hint: Any) -> tuple[str, ...]:
    return get_args(hint) if get_origin(hint) is Literal else ()


def _bounds(field: FieldInfo) -> list[str]:
    texts = []
    for bound in field.metadata:
        for name, text in BOUNDS.items():
            if (value := getattr(bound, name, None)) is not None:
                texts.append(text.format(value))
    return texts


def _default(field: FieldInfo) -> str:
    if field.default in (None, ()):
        return "default none"
    value = str(field.default).lower() if isinstance(field.default, bool) else field.default
    return f"default {code(value)}"
