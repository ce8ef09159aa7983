from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from wavescribe.audio.decoding import decode_audio, iterate_audio
from wavescribe.audio.pcm import decode_pcm16
from wavescribe.audio.resampling import StreamingResampler
from wavescribe.engines.base import Samples

Sweep = Callable[..., npt.NDArray[np.float64]]
Encode = Callable[..., bytes]
Decode = Callable[..., Samples]
Likeness = Callable[[Samples, npt.NDArray[np.float64]], float]

RATE = 16000
LOSSLESS = [
    *[("wav", "pcm_s16le", "s16", rate) for rate in (8000, 16000, 22050, 24000, 44100, 48000)],
    ("wav", "pcm_u8", "u8", 16000),
    ("wav", "pcm_s24le", "s32", 48000),
    ("wav", "pcm_s32le", "s32", 44100),
    ("wav", "pcm_f32le", "flt", 44100),
    ("wav", "pcm_f64le", "dbl", 16000),
    ("wav", "pcm_s64le", "s64", 16000),
    ("aiff", "pcm_s16be", "s16", 44100),
    ("flac", "flac", "s16", 44100),
    ("flac", "flac", "s32", 48000),
]
LOSSY = [
    ("wav", "pcm_mulaw", "s16", 8000),
    ("wav", "pcm_alaw", "s16", 8000),
    ("mp3", "libmp3lame", "fltp", 44100),
    ("mp3", "libmp3lame", "s16p", 16000),
    ("ipod", "aac", "fltp", 44100),
    ("adts", "aac", "fltp", 48000),
    ("ogg", "libopus", "flt", 48000),
    ("webm", "libopus", "flt", 48000),
]
VIDEO = [("mp4", "aac", "fltp", 48000), ("matroska", "aac", "fltp", 44100), ("mpeg", "mp2", "s16", 44100)]


def float_wav(samples: npt.NDArray[np.floating[Any]], encode: Encode, sample_format: str = "flt") -> bytes:
    codec = {"flt": "pcm_f32le", "dbl": "pcm_f64le"}[sample_format]
    return encode("wav", codec, sample_format, RATE, audio=np.asarray(samples, dtype=np.float64)[np.newaxis])


@pytest.mark.parametrize("recipe", LOSSLESS, ids=str)
def test_lossless_files_keep_every_sample(
    recipe: tuple[Any, ...], encode: Encode, sweep: Sweep, decode: Decode
) -> None:
    samples = decode(encode(*recipe))
    assert samples.dtype == np.float32
    assert len(samples) == 2 * RATE
    edge = 200  # the resampler's filter rings where the sound begins and ends at once
    step = 1 / 100 if recipe[2] == "u8" else 1 / 10_000
    np.testing.assert_allclose(samples[edge:-edge], sweep(RATE)[edge:-edge], atol=step)


@pytest.mark.parametrize("recipe", LOSSY, ids=str)
def test_lossy_files_keep_the_sound_and_its_length(
    recipe: tuple[Any, ...], encode: Encode, sweep: Sweep, decode: Decode, likeness: Likeness
) -> None:
    samples = decode(encode(*recipe))
    assert abs(len(samples) / RATE - 2) < 0.06
    assert likeness(samples, sweep(RATE)) > 0.95


@pytest.mark.parametrize("recipe", VIDEO, ids=str)
def test_the_sound_of_a_video_is_decoded(
    recipe: tuple[Any, ...], encode: Encode, sweep: Sweep, decode: Decode, likeness: Likeness
) -> None:
    samples = decode(encode(*recipe, with_video=True))
    assert abs(len(samples) / RATE - 2) < 0.06
    assert likeness(samples, sweep(RATE)) > 0.95


def test_24_bits_are_more_than_16(encode: Encode, decode: Decode) -> None:
    quiet = np.tile([2.0**-22, 0.0, -(2.0**-22), 0.0], 1000)
    samples = decode(encode("wav", "pcm_s24le", "s32", RATE, audio=quiet[np.newaxis]))
    np.testing.assert_array_equal(samples, quiet)


@pytest.mark.parametrize(("codec", "sample_format"), [("pcm_s16le", "s16"), ("pcm_f32le", "flt")])
def test_channels_are_averaged_whatever_the_sample_format(
    codec: str, sample_format: str, encode: Encode, decode: Decode
) -> None:
    left, right = np.full(RATE, 0.75), np.full(RATE, -0.25)
    samples = decode(encode("wav", codec, sample_format, RATE, channels=2, audio=np.stack([left, right])))
    np.testing.assert_allclose(samples, 0.25, atol=1e-4)


def test_full_scale_in_both_channels_stays_at_full_scale(encode: Encode, decode: Decode) -> None:
    samples = decode(encode("wav", "pcm_f32le", "flt", RATE, channels=2, audio=np.ones((2, RATE))))
    np.testing.assert_array_equal(samples, 1.0)


@pytest.mark.parametrize(
    "recipe",
    [
        ("wav", "pcm_s16le", "s16", 48000, 6),
        ("flac", "flac", "s16", 48000, 8),
        ("matroska", "aac", "fltp", 48000, 6),
        ("matroska", "aac", "fltp", 48000, 8),
    ],
    ids=str,
)
def test_surround_sound_is_decoded(
    recipe: tuple[Any, ...], encode: Encode, sweep: Sweep, decode: Decode, likeness: Likeness
) -> None:
    samples = decode(encode(*recipe[:4], channels=recipe[4]))
    assert likeness(samples, sweep(RATE)) > 0.95


@pytest.mark.parametrize("name", ["speech.wav", "speech.txt", "speech.m3u8", "speech.flac", "speech"])
def test_the_name_of_a_file_does_not_matter(
    name: str, tmp_path: Path, encode: Encode, sweep: Sweep, likeness: Likeness
) -> None:
    path = tmp_path / name
    path.write_bytes(encode("mp3", "libmp3lame", "fltp", 44100))
    assert likeness(decode_audio(path, max_seconds=60), sweep(RATE)) > 0.95


def test_the_name_does_not_decide_where_the_content_is_weak_evidence(tmp_path: Path, encode: Encode) -> None:
    path = tmp_path / "speech.g722"
    path.write_bytes(encode("mp3", "libmp3lame", "fltp", 44100)[:1200])
    assert len(decode_audio(path, max_seconds=60)) > 0


def test_texts_in_no_known_encoding_do_no_harm(encode: Encode, decode: Decode) -> None:
    data = encode("flac", "flac", "s16", RATE)
    assert b"encoder=Lavf" in data
    assert len(decode(data.replace(b"encoder=Lavf", b"encoder=\xff\xfe\xff\xfe"))) == 2 * RATE


def test_an_open_file_is_read_from_its_start_and_left_open(encode: Encode) -> None:
    file = io.BytesIO(encode("flac", "flac", "s16", RATE))
    file.seek(100)
    assert len(decode_audio(file, max_seconds=60)) == 2 * RATE
    assert not file.closed


def test_any_target_rate_is_reached(encode: Encode) -> None:
    assert (
        len(decode_audio(io.BytesIO(encode("wav", "pcm_s16le", "s16", 44100)), sample_rate=24000, max_seconds=9))
        == 48000
    )


def test_a_file_gives_the_same_samples_as_its_packets_on_a_socket(encode: Encode, decode: Decode) -> None:
    data = encode("wav", "pcm_s16le", "s16", 24000)
    pcm = decode_pcm16(data[-96000:])
    resampler = StreamingResampler(24000, RATE)
    packets = [resampler.push(pcm[start : start + 500]) for start in range(0, 48000, 500)]
    np.testing.assert_array_equal(decode(data), np.concatenate([*packets, resampler.flush()]))


def test_blocks_come_while_the_file_is_being_read(encode: Encode, wav: Encode) -> None:
    file = io.BytesIO(wav(bytes(600 * RATE * 2)))
    blocks = iterate_audio(file, max_seconds=3600)
    assert len(next(blocks)) < RATE
    assert file.tell() < 2**20


def test_the_rate_and_the_channels_may_change_on_the_way(
    encode: Encode, sweep: Sweep, decode: Decode, likeness: Likeness
) -> None:
    first = encode("mp3", "libmp3lame", "fltp", 44100)
    second = encode("mp3", "libmp3lame", "fltp", 16000, channels=2)
    samples = decode(first + second)
    assert 4.06 < len(samples) / RATE < 4.12  # the second encoder's own delay is heard
    assert likeness(samples[: 2 * RATE], sweep(RATE)) > 0.95
    assert likeness(samples[-2 * RATE :], sweep(RATE)) > 0.95


def test_floats_that_are_no_number_become_silence(encode: Encode, decode: Decode) -> None:
    samples = np.full(RATE, 0.5)
    samples[[10, 20, 30]] = [np.nan, np.inf, -np.inf]
    heard = decode(float_wav(samples, encode))
    assert heard[[10, 20, 30]].tolist() == [0, 0, 0]
    assert (np.delete(heard, [10, 20, 30]) == 0.5).all()


@pytest.mark.parametrize("sample_format", ["flt", "dbl"])
def test_floats_beyond_full_scale_are_clipped(sample_format: str, encode: Encode, decode: Decode) -> None:
    heard = decode(float_wav(np.array([1e30, -1e30, 1.5, 0.25] * 1000), encode, sample_format))
    assert heard.tolist() == [1.0, -1.0, 1.0, 0.25] * 1000


def test_resampling_at_full_scale_does_not_overshoot(encode: Encode, decode: Decode) -> None:
    square = np.sign(np.sin(np.arange(48000) / 20))[np.newaxis]
    assert np.abs(decode(encode("wav", "pcm_s16le", "s16", 48000, audio=square))).max() == 1.0
