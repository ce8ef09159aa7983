"""The `wavescribe` command."""

from __future__ import annotations

import sys

import typer
from rich.console import Console

from wavescribe.cli.bench import PassingCommand, bench_command
from wavescribe.cli.listen import listen_command
from wavescribe.cli.models import models_command
from wavescribe.cli.serve import serve_command
from wavescribe.cli.transcribe import transcribe_command
from wavescribe.errors import ConfigurationError, WavescribeError

FAILURE, USAGE = 1, 2

app = typer.Typer(
    help="Real-time speech recognition: audio goes in as it is spoken, text comes out while it is spoken.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("serve")(serve_command)
app.command("transcribe")(transcribe_command)
app.command("listen")(listen_command)
app.command("models")(models_command)
app.command("bench", cls=PassingCommand)(bench_command)


def run() -> None:
    """Run the command line; errors are one line on standard error, with exit code 1, or 2 for wrong usage."""
    try:
        app()
    except ConfigurationError as error:
        _fail(error, USAGE)
    except WavescribeError as error:
        _fail(error, FAILURE)


def _fail(error: WavescribeError, code: int) -> None:
    Console(stderr=True, soft_wrap=True).print(f"wavescribe: {error}", markup=False, highlight=False)
    sys.exit(code)


if __name__ == "__main__":
    run()
