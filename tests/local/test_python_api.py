from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import pytest

import wavescribe
from wavescribe.audio.decoding import decode_audio
from wavescribe.audio.pcm import encode_pcm16
from wavescribe.engines.base import Samples
from wavescribe.errors import AudioFormatError, InvalidRequestError, ModelNotFoundError

FOX = "The quick brown fox jumps over the lazy dog."
TINY = "whisper-tiny.en"


def test_importing_the_package_loads_nothing_heavy() -> None:
    program = "import sys, wavescribe; dir(wavescribe); print(sorted({'numpy', 'av', 'websockets'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


def test_every_public_name_is_there_and_others_are_not() -> None:
    assert all(getattr(wavescribe, name) is not None for name in wavescribe.__all__)
    assert dir(wavescribe) == wavescribe.__all__
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        wavescribe.nothing  # noqa: B018  # asking is the test


@pytest.mark.model
def test_a_file_is_transcribed_with_words_and_times(fox: Path) -> None:
    result = wavescribe.transcribe(str(fox), model=TINY)
    assert result.text == FOX
    assert [word.text.strip() for word in result.words] == FOX.split()
    assert all(0 <= word.start <= word.end <= result.duration for word in result.words)
    with fox.open("rb") as file:
        assert wavescribe.transcribe(file, model=TINY, language="english") == wavescribe.transcribe(
            fox, model=TINY, language="en"
        )


@pytest.mark.model
def test_what_is_wrong_with_a_file_is_raised(tmp_path: Path) -> None:
    bad = tmp_path / "bad.wav"
    bad.write_text("This is no recording.")
    with pytest.raises(AudioFormatError):
        wavescribe.transcribe(bad, model=TINY)
    with pytest.raises(InvalidRequestError, match="Cannot read"):
        wavescribe.transcribe(tmp_path / "missing.wav", model=TINY)
    with pytest.raises(ModelNotFoundError):
        wavescribe.transcribe(bad, model="no-such-model")


@pytest.mark.model
@pytest.mark.parametrize("form", ["path", "iterator", "asynchronous bytes", "8 kHz"])
async def test_audio_in_any_form_is_streamed_to_the_same_text(fox: Path, form: str) -> None:
    samples = decode_audio(fox, max_seconds=10)

    def iterator() -> Iterator[Samples]:
        yield from np.array_split(samples, 7)

    async def asynchronous() -> AsyncIterator[bytes]:
        for block in np.array_split(samples, 5):
            yield encode_pcm16(block)

    forms = {
        "path": wavescribe.stream(fox, model=TINY),
        "iterator": wavescribe.stream(iterator(), model=TINY),
        "asynchronous bytes": wavescribe.stream(asynchronous(), model=TINY),
        "8 kHz": wavescribe.stream(
            [decode_audio(fox, max_seconds=10, sample_rate=8_000)], sample_rate=8_000, model=TINY
        ),
    }
    events = [event async for event in forms[form]]
    ended = [event for event in events if isinstance(event, wavescribe.TurnEnded) and event.transcript]
    settled = [event for event in events if isinstance(event, wavescribe.Settled)]
    assert "quick brown fox" in ended[0].transcript
    assert "".join(event.delta for event in settled) == "".join(event.transcript for event in ended)
    words = [word for event in settled for word in event.words]
    assert all(0 <= word.start <= word.end <= len(samples) / 16_000 + 0.01 for word in words)


@pytest.mark.model
async def test_a_stream_whose_audio_fails_gives_its_text_and_then_the_error(fox: Path) -> None:
    def failing() -> Iterator[Samples]:
        yield decode_audio(fox, max_seconds=10)
        raise OSError("the microphone was unplugged")

    settled: list[str] = []

    async def read() -> None:
        async for event in wavescribe.stream(failing(), model=TINY):
            if isinstance(event, wavescribe.Settled):
                settled.append(event.delta)

    with pytest.raises(OSError, match="unplugged"):
        await read()
    assert "quick brown" in "".join(settled)
