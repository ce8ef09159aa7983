"""The subcommands of `wavescribe bench`."""

from __future__ import annotations

import typer

from wavescribe.bench.latency import latency
from wavescribe.bench.load import load

app = typer.Typer(
    name="wavescribe bench",
    help="Measure quality, latency, cost and load of streaming transcription, here or at any realtime server.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("latency")(latency)
app.command("load")(load)
