from __future__ import annotations

import pytest

from wavescribe.bench import installed_recordings as installed
from wavescribe.bench.material import long_reading
from wavescribe.errors import ConfigurationError


def test_a_long_reading_that_is_not_installed_is_told_with_the_package_that_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert [each.name for each in long_reading(None)] == ["en_two_cities"]
    package = installed._package
    monkeypatch.setattr(installed, "_package", lambda name: None if name == "moonshine_voice" else package(name))
    with pytest.raises(ConfigurationError, match=r"--corpus DIR, or pip install --no-deps moonshine-voice"):
        long_reading(None)
