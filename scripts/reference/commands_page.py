"""The reference of the commands, from the functions that typer makes them of."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from described import PLAIN, sentence
from markdown import code, table
from typer.models import ArgumentInfo, OptionInfo

from wavescribe.cli.main import FAILURE, USAGE, app
from wavescribe.cli.serve import START_FAILED

INTRODUCTION = f"""# Commands

Made from the program by `make reference`; a test fails when this page is out of date. `wavescribe COMMAND --help` says
the same in a terminal.

An error is one line on standard error. The exit code is {FAILURE} when something failed, and {USAGE} when the command
or a setting was wrong. `serve` logs what happens, and ends with {START_FAILED} where it cannot listen on its port.
"""

ELSEWHERE = {
    "serve": "its options are the [settings](settings.md)",
    "bench": "its measurements are in [benchmarks](benchmarks.md), their options in `wavescribe bench NAME --help`",
}
"""Commands whose options are told on other pages."""

LOCAL = """Without `--url` the model runs in this process, with the [settings](settings.md#model) of the environment
(`WAVESCRIBE_MODEL`, `WAVESCRIBE_DEVICE`, ...).
"""

FILES = """The model runs in this process, with the [settings](settings.md#model) of the environment
(`WAVESCRIBE_MODEL`, `WAVESCRIBE_DEVICE`, ...). A file may have 4 hours (`WAVESCRIBE_MAX_AUDIO_SECONDS`).
"""

NOTES = {"listen": LOCAL, "transcribe": FILES}
"""What the options do not say."""

Parameter = ArgumentInfo | OptionInfo


def commands_page() -> str:
    """The page."""
    commands = dict(_commands())
    lines = ((code(f"wavescribe {name}"), _first_line(function, name)) for name, function in commands.items())
    detailed = [_section(name, function) for name, function in commands.items() if list(_parameters(function, name))]
    return "\n".join([INTRODUCTION, table(("command", "what it does"), lines), "", *detailed])


def _commands() -> Iterator[tuple[str, Callable[..., Any]]]:
    for command in app.registered_commands:
        if command.name is None or command.callback is None:
            raise SystemExit("a command without a name or a function")
        yield command.name, command.callback


def _first_line(function: Callable[..., Any], name: str) -> str:
    line = inspect.getdoc(function).partition("\n")[0].partition(";")[0].rstrip(".")  # type: ignore[union-attr]
    return f"{line}; {ELSEWHERE[name]}" if name in ELSEWHERE else line


def _section(name: str, function: Callable[..., Any]) -> str:
    _, _, rest = inspect.getdoc(function).partition("\n")  # type: ignore[union-attr]  # all have one
    text = rest.partition("Example")[0].strip()
    lines = [_row(*parameter) for parameter in _parameters(function, name)]
    parts = [f"## {name}\n", text, f"\n{NOTES.get(name, '')}", table(("option", "value", "default", "meaning"), lines)]
    return "\n".join(parts) + "\n"


def _parameters(function: Callable[..., Any], command: str) -> Iterator[tuple[str, Any, Parameter, Any]]:
    """Name, type, typer's description and default of each parameter, but of commands that are told elsewhere."""
    if command in ELSEWHERE:
        return
    hints = get_type_hints(function, include_extras=True)
    for name, parameter in inspect.signature(function).parameters.items():
        hint, *described = get_args(hints[name])
        option = next(part for part in described if isinstance(part, Parameter))
        yield name, hint, option, parameter.default


def _row(name: str, hint: Any, option: Parameter, default: Any) -> tuple[str, str, str, str]:
    variable = f" (or by environment, as {code(option.envvar)})" if option.envvar else ""
    meaning = f"{sentence(option.help or '').rstrip('.')}{variable}."
    return _name(name, option), _value(hint, option), _default(default), meaning


def _name(name: str, option: Parameter) -> str:
    if isinstance(option, ArgumentInfo):
        return code(option.metavar or name.upper())
    # typer takes the first of the flags that are written out for the default.
    written = [str(flag) for flag in (option.default, *(option.param_decls or ())) if str(flag).startswith("-")]
    return ", ".join(map(code, written or [f"--{name.replace('_', '-')}"]))


def _value(hint: Any, option: Parameter) -> str:
    given = [part for part in get_args(hint) if part is not NoneType]
    if NoneType in get_args(hint):
        hint = given[0]
    if get_origin(hint) is list:
        return f"{_value(get_args(hint)[0], option)}; repeatable"
    if isinstance(hint, type) and issubclass(hint, Enum):
        return ", ".join(code(choice.value) for choice in hint)
    if hint is bool:
        return "none"
    kind = "path" if hint is Path else PLAIN[hint]
    bounds = [f"at least {option.min}"] if option.min is not None else []
    bounds += [f"at most {option.max}"] if option.max is not None else []
    return ", ".join([kind, *bounds])


def _default(default: Any) -> str:
    if default in (None, "", False, inspect.Parameter.empty):
        return "–"
    return code(default.value if isinstance(default, Enum) else default)
