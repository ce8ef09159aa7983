from __future__ import annotations

import pytest


def test_the_packages_of_the_extra_are_there() -> None:
    for name in ("torch", "transformers", "safetensors"):
        pytest.importorskip(name, reason=f"{name} is not installed: the other tests of this folder are left out")
