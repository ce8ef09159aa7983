"""The subcommands of `wavescribe bench`."""

from __future__ import annotations

import typer

from wavescribe.bench.compare import compare
from wavescribe.bench.cost import cost
from wavescribe.bench.environment import source_commit
from wavescribe.bench.everything import everything
from wavescribe.bench.gate import gate
from wavescribe.bench.hour import hour
from wavescribe.bench.latency import latency
from wavescribe.bench.load import load
from wavescribe.bench.quality import quality
from wavescribe.bench.repetition import repetition

app = typer.Typer(
    name="wavescribe bench",
    help="Measure quality, latency, cost and load of streaming transcription, here or at any realtime server.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def begin() -> None:
    """Read what may change while a measurement runs."""
    source_commit()


app.command("quality")(quality)
app.command("latency")(latency)
app.command("cost")(cost)
app.command("load")(load)
app.command("compare")(compare)
app.command("gate")(gate)
app.command("all")(everything)
app.command("hour")(hour)
app.command("repetition")(repetition)
