"""`wavescribe bench`: the measurements, which need packages of the extra `bench`."""

from __future__ import annotations

import importlib.util
from typing import Any

import typer
from typer.core import TyperCommand

from wavescribe.errors import ConfigurationError

NEEDED = ("jiwer", "matplotlib", "rapidfuzz", "websockets", "whisper_normalizer")
"""Modules that only measurements import."""


class PassingCommand(TyperCommand):
    """A command that leaves everything after its name, also --help and --, to another command line."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep the arguments as they are."""
        ctx.args = args
        return args


def bench_command(context: typer.Context) -> None:
    """Measure quality, latency, cost and load; see `wavescribe bench --help`.

    Raises:
        ConfigurationError: the extra is not installed.
    """
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            f"bench needs packages that are not installed ({', '.join(missing)}); "
            "install them with: pip install 'wavescribe[bench]'"
        )
    from wavescribe.bench.program import app

    app(args=context.args, prog_name="wavescribe bench")
