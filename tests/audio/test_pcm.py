from __future__ import annotations

import io
from collections.abc import Callable

import av
import numpy as np
import pytest

from wavescribe.audio.pcm import decode_alaw, decode_mulaw, decode_pcm16, encode_pcm16
from wavescribe.engines.base import Samples
from wavescribe.errors import AudioFormatError


def test_pcm16_is_little_endian_and_full_scale_is_one() -> None:
    samples = decode_pcm16(b"\x00\x00\x00\x40\x00\x80\xff\x7f")
    assert samples.dtype == np.float32
    assert samples.tolist() == [0.0, 0.5, -1.0, 32767 / 32768]


def test_pcm16_with_half_a_sample_is_refused() -> None:
    with pytest.raises(AudioFormatError, match="even number of bytes, got 3") as caught:
        decode_pcm16(b"abc")
    assert caught.value.code == "invalid_audio_format"


def test_nothing_decodes_to_nothing() -> None:
    assert [len(decode(b"")) for decode in (decode_pcm16, decode_mulaw, decode_alaw)] == [0, 0, 0]


def test_decoded_pcm16_does_not_share_memory_with_the_packet() -> None:
    packet = bytearray(4)
    samples = decode_pcm16(memoryview(packet))
    packet[1] = 0x40
    assert samples.tolist() == [0.0, 0.0]


def test_every_16_bit_value_survives_decoding_and_encoding() -> None:
    data = np.arange(-32768, 32768).astype("<i2").tobytes()
    assert encode_pcm16(decode_pcm16(data)) == data


def test_encoding_clips_instead_of_wrapping_around() -> None:
    assert encode_pcm16(np.array([2.0, -2.0, 1.0], dtype=np.float32)) == b"\xff\x7f\x00\x80\xff\x7f"


@pytest.mark.parametrize(
    ("code", "value"),
    [(0xFF, 0), (0x7F, 0), (0x80, 32124), (0x00, -32124), (0xFE, 8), (0x7E, -8), (0xEF, 132), (0x8F, 16764)],
)
def test_mulaw_has_the_values_of_the_recommendation(code: int, value: int) -> None:
    assert decode_mulaw(bytes([code]))[0] * 32768 == value


@pytest.mark.parametrize(
    ("code", "value"),
    [(0xD5, 8), (0x55, -8), (0xAA, 32256), (0x2A, -32256), (0xD4, 24), (0xC5, 264), (0x80, 5504), (0x00, -5504)],
)
def test_alaw_has_the_values_of_the_recommendation(code: int, value: int) -> None:
    assert decode_alaw(bytes([code]))[0] * 32768 == value


@pytest.mark.parametrize(("decode", "container"), [(decode_mulaw, "mulaw"), (decode_alaw, "alaw")])
def test_every_g711_code_decodes_as_ffmpeg_decodes_it(decode: Callable[[bytes], Samples], container: str) -> None:
    codes = bytes(range(256))
    with av.open(io.BytesIO(codes), "r", format=container) as file:
        frames = [frame.to_ndarray().reshape(-1) for frame in file.decode(audio=0)]
    np.testing.assert_array_equal(decode(codes) * 32768, np.concatenate(frames))
