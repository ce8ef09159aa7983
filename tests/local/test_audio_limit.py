"""Files that are too long for this process."""

from __future__ import annotations

from pathlib import Path

import pytest

import wavescribe
from wavescribe.errors import AudioTooLongError

TINY = "whisper-tiny.en"
SET = r"longer than 1 seconds which is the maximum; set WAVESCRIBE_MAX_AUDIO_SECONDS for another one$"

pytestmark = pytest.mark.model


@pytest.fixture(autouse=True)
def limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAVESCRIBE_MAX_AUDIO_SECONDS", "1")


def test_a_file_over_the_limit_names_the_setting(fox: Path) -> None:
    with pytest.raises(AudioTooLongError, match=SET) as caught:
        wavescribe.transcribe(fox, model=TINY)
    assert (caught.value.code, caught.value.param) == ("invalid_value", "file")


async def test_a_streamed_file_over_the_limit_names_the_setting(fox: Path) -> None:
    async def read() -> None:
        async for _ in wavescribe.stream(fox, model=TINY):
            pass

    with pytest.raises(AudioTooLongError, match=SET):
        await read()
