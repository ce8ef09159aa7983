from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

pytestmark = pytest.mark.model

FOX = "the quick brown fox jumps over the lazy dog"
FORMATS: dict[str, tuple[Any, ...]] = {
    "wav at 8 kHz": ("wav", "pcm_s16le", "s16", 8_000),
    "wav at 16 kHz": ("wav", "pcm_s16le", "s16", 16_000),
    "wav of 24 bits at 24 kHz": ("wav", "pcm_s24le", "s32", 24_000),
    "wav of floats at 48 kHz": ("wav", "pcm_f32le", "flt", 48_000),
    "flac": ("flac", "flac", "s16", 16_000),
    "mp3": ("mp3", "libmp3lame", "fltp", 44_100),
    "m4a": ("ipod", "aac", "fltp", 44_100),
    "ogg opus": ("ogg", "libopus", "flt", 48_000),
    "webm": ("webm", "libopus", "flt", 48_000),
}


def transcript(client: OpenAI, data: bytes, name: str = "upload") -> str:
    return client.audio.transcriptions.create(file=(name, data), model="whisper-1").text


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_transcript(
    english_client: OpenAI, fox: Path, encode: Callable[..., bytes], normalise: Callable[[str], str], name: str
) -> None:
    assert normalise(transcript(english_client, encode(fox, *FORMATS[name]))) == FOX


def test_stereo_is_mixed_to_one_channel(
    english_client: OpenAI, fox: Path, encode: Callable[..., bytes], normalise: Callable[[str], str]
) -> None:
    data = encode(fox, "wav", "pcm_s16le", "s16", 44_100, channels=2)
    assert normalise(transcript(english_client, data)) == FOX


def test_the_content_tells_the_format_and_the_name_does_not(
    english_client: OpenAI, fox: Path, encode: Callable[..., bytes], normalise: Callable[[str], str]
) -> None:
    data = encode(fox, "ogg", "libopus", "flt", 48_000)
    assert normalise(transcript(english_client, data, "fox.wav")) == FOX


def test_bytes_without_a_name_are_decoded_by_content(
    english_client: OpenAI, fox: Path, normalise: Callable[[str], str]
) -> None:
    # The stock client sends bare bytes as "upload" of type application/octet-stream.
    result = english_client.audio.transcriptions.create(file=fox.read_bytes(), model="whisper-1")
    assert normalise(result.text) == FOX
