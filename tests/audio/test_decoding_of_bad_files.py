from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wavescribe.audio import decoding
from wavescribe.audio.decoding import DecodingLimits, decode_audio, iterate_audio
from wavescribe.engines.base import Samples
from wavescribe.errors import AudioFormatError, AudioTooLongError, AudioTooShortError, InvalidRequestError

Sweep = Callable[..., npt.NDArray[np.float64]]
Encode = Callable[..., bytes]
Decode = Callable[..., Samples]
Likeness = Callable[[Samples, npt.NDArray[np.float64]], float]

RATE = 16000
RECIPES = [
    ("wav", "pcm_s16le", "s16", RATE),
    ("mp3", "libmp3lame", "fltp", 44100),
    ("flac", "flac", "s16", RATE),
    ("ogg", "libopus", "flt", 48000),
    ("webm", "libopus", "flt", 48000),
    ("ipod", "aac", "fltp", 44100),
    ("adts", "aac", "fltp", 44100),
]


def test_audio_as_long_as_the_maximum_is_accepted(encode: Encode, decode: Decode) -> None:
    assert len(decode(encode("wav", "pcm_s16le", "s16", 44100), max_seconds=2)) == 2 * RATE


def test_longer_audio_is_refused(encode: Encode, decode: Decode) -> None:
    message = r"audio duration of at least 1\.\d+ seconds is longer than 1.5 seconds which is the maximum"
    with pytest.raises(AudioTooLongError, match=message) as caught:
        decode(encode("mp3", "libmp3lame", "fltp", 44100), max_seconds=1.5)
    assert (caught.value.code, caught.value.param) == ("invalid_value", "file")


def test_limits_allow_up_to_the_maximum() -> None:
    DecodingLimits(max_seconds=1.0).check(1.0)
    with pytest.raises(AudioTooLongError):
        DecodingLimits(max_seconds=1.0).check(1.001)


def test_hours_of_silence_in_a_small_file_are_decoded_no_further_than_the_maximum() -> None:
    file = io.BytesIO(flac_of_silence(hours=3))
    assert file.getbuffer().nbytes < 100_000
    received: list[int] = []
    with pytest.raises(AudioTooLongError):
        received.extend(len(block) for block in iterate_audio(file, max_seconds=30))
    assert 25 * RATE < sum(received) <= 30 * RATE


def flac_of_silence(hours: int) -> bytes:
    file = io.BytesIO()
    silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000 * 60), dtype=np.int16), "s16", "mono")
    silence.sample_rate = 8000
    with av.open(file, "w", format="flac") as output:
        stream: Any = output.add_stream("flac", rate=8000, options={"frame_size": "32768"})
        stream.codec_context.layout = "mono"
        for minute in range(60 * hours):
            silence.pts = minute * 8000 * 60
            output.mux(stream.encode(silence))
        output.mux(stream.encode(None))
    return file.getvalue()


def test_a_header_that_claims_six_hours_gives_the_second_that_is_there(decode: Decode, wav: Encode) -> None:
    assert len(decode(wav(bytes(RATE * 2), claimed=6 * 3600 * RATE * 2))) == RATE


def test_a_streamed_header_without_a_size_gives_what_is_there(decode: Decode, wav: Encode) -> None:
    assert len(decode(wav(bytes(RATE * 2), claimed=0xFFFFFFFF - 36))) == RATE


@pytest.mark.parametrize("offset", range(0, 40))
def test_a_list_of_texts_is_hidden_wherever_a_read_cuts_it(offset: int) -> None:
    texts = b"LIST\x10\x00\x00\x00INFOISFT\x04\x00\x00\x00abcd"
    source = decoding._GuardedSource(io.BytesIO(b"0123456789" + texts))
    seen = source.read(offset) + source.read(1) + source.read(100)
    assert seen == b"0123456789" + texts.replace(b"INFO", b"JUNK")


def test_two_lists_of_texts_cannot_hide_each_other() -> None:
    source = decoding._GuardedSource(io.BytesIO(b"LISTLISTINFOINFO"))
    assert source.read(100) == b"LISTLISTJUNKJUNK"


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's account of peak memory")
def test_a_header_that_claims_gigabytes_of_text_allocates_nothing(wav: Encode) -> None:
    claimed = 0x50000000
    texts = b"LIST" + struct.pack("<I", claimed + 20) + b"INFOISFT" + struct.pack("<I", claimed)
    with pytest.raises(AudioFormatError):
        assert_little_memory(wav(b"", before_data=texts))


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's account of peak memory")
def test_a_cover_picture_is_not_unpacked(encode: Encode, sweep: Sweep, likeness: Likeness) -> None:
    samples = assert_little_memory(cover(8000) + encode("mp3", "libmp3lame", "fltp", 44100))
    assert likeness(samples, sweep(RATE)) > 0.95


def assert_little_memory(data: bytes) -> Samples:
    """Decode, and fail when the process's peak memory rises by more than 100 MB."""
    Path("/proc/self/clear_refs").write_text("5")
    before = peak_bytes()
    try:
        return decode_audio(io.BytesIO(data), max_seconds=60)
    finally:
        assert peak_bytes() - before < 100_000_000


def peak_bytes() -> int:
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


def cover(side: int) -> bytes:
    """An ID3 tag with a black PNG of side x side pixels, which compresses a thousandfold."""
    file = io.BytesIO()
    with av.open(file, "w", format="image2pipe") as output:
        stream: Any = output.add_stream("png", rate=1)
        stream.width = stream.height = side
        stream.pix_fmt = "rgb24"
        output.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((side, side, 3), dtype=np.uint8), "rgb24")))
        output.mux(stream.encode(None))
    picture = b"\x00image/png\x00\x03\x00" + file.getvalue()
    frame = b"APIC" + struct.pack(">I", len(picture)) + b"\x00\x00" + picture
    size = bytes(len(frame) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\x00\x00" + size + frame


def test_audio_under_the_minimum_is_refused(decode: Decode, wav: Encode) -> None:
    with pytest.raises(AudioTooShortError) as caught:
        decode(wav(bytes(3198)), min_seconds=0.1)
    assert str(caught.value) == "Audio file is too short. Minimum audio length is 0.1 seconds."
    assert (caught.value.code, caught.value.param) == ("audio_too_short", "file")
    assert len(decode(wav(bytes(3200)), min_seconds=0.1)) == 1600


def test_a_sound_file_without_samples_is_empty_or_too_short(decode: Decode, wav: Encode) -> None:
    assert len(decode(wav(b""))) == 0
    with pytest.raises(AudioTooShortError):
        decode(wav(b""), min_seconds=0.1)


def assert_refused(data: bytes, reason: str) -> None:
    with pytest.raises(AudioFormatError) as caught:
        decode_audio(io.BytesIO(data), max_seconds=60)
    formats = "['flac', 'm4a', 'mp3', 'mp4', 'mpeg', 'mpga', 'oga', 'ogg', 'wav', 'webm']"
    assert str(caught.value) == f"Invalid file format. Supported formats: {formats}; {reason}"
    assert (caught.value.code, caught.value.param) == (None, "file")


def test_an_empty_file_is_refused() -> None:
    assert_refused(b"", "the file is empty")


@pytest.mark.parametrize(
    "data",
    [
        b"This is a letter and no sound at all.\n" * 100,
        b"1\n00:00:01,000 --> 00:00:02,000\nA subtitle.\n\n" * 20,
        b"WEBVTT\n\n00:01.000 --> 00:02.000\nA caption.\n",
        b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01",
        b"%PDF-1.7\n" + bytes(1000),
        b"<html><body>404</body></html>",
        bytes(10_000),
    ],
    ids=["letter", "subtitles", "captions", "picture", "pdf", "html", "zeros"],
)
def test_what_is_no_sound_is_refused(data: bytes) -> None:
    assert_refused(data, "the content is not recognised, or it is damaged")


def test_headerless_pcm_is_refused(encode: Encode) -> None:
    assert_refused(encode("s16le", "pcm_s16le", "s16", RATE), "the content is not recognised, or it is damaged")


def test_text_named_wav_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "speech.wav"
    path.write_text("not a sound " * 300)
    with pytest.raises(AudioFormatError, match="not recognised"):
        decode_audio(path, max_seconds=60)


@pytest.mark.parametrize(
    "playlist",
    [
        "ffconcat version 1.0\nfile '{path}'\n",
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:9\n#EXTINF:2,\n{path}\n#EXT-X-ENDLIST\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
    ],
    ids=["concat", "hls", "sdp"],
)
def test_a_playlist_cannot_name_other_files(playlist: str, tmp_path: Path, encode: Encode) -> None:
    secret = tmp_path / "secret.ts"
    secret.write_bytes(encode("mpegts", "mp2", "s16", 44100))
    path = tmp_path / "list.wav"
    path.write_text(playlist.format(path=secret.name))
    with pytest.raises(AudioFormatError, match="not recognised"):
        decode_audio(path, max_seconds=60)


def test_a_video_without_sound_is_refused() -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as output:
        video: Any = output.add_stream("mpeg4", rate=10)
        video.width = video.height = 64
        video.pix_fmt = "yuv420p"
        output.mux(video.encode(av.VideoFrame(64, 64, "yuv420p")))
        output.mux(video.encode(None))
    assert_refused(file.getvalue(), "the file has no audio stream")


def test_an_unknown_codec_is_refused(wav: Encode) -> None:
    data = bytearray(wav(bytes(1000)))
    data[20:22] = b"\x99\x99"
    assert_refused(bytes(data), "the codec of the audio stream is unknown")


def test_an_absurd_sample_rate_is_refused(wav: Encode) -> None:
    reason = "the sample rate is 1 Hz, not between 2000 and 768000 Hz"
    assert_refused(wav(bytes(100), rate=1), reason)


def test_a_path_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match="Cannot read .*absent.wav: No such file"):
        decode_audio(tmp_path / "absent.wav", max_seconds=60)


def test_a_pipe_is_refused() -> None:
    reading, writing = os.pipe()
    os.close(writing)
    with open(reading, "rb") as pipe, pytest.raises(InvalidRequestError, match="it is a pipe, not a file"):
        decode_audio(pipe, max_seconds=60)


@pytest.mark.parametrize("recipe", RECIPES[:5], ids=str)
def test_a_file_that_was_cut_off_gives_what_is_whole(
    recipe: tuple[Any, ...], encode: Encode, sweep: Sweep, decode: Decode, likeness: Likeness
) -> None:
    data = encode(*recipe)
    samples = decode(data[: len(data) * 7 // 10])
    assert 0.7 * RATE < len(samples) < 1.6 * RATE
    assert likeness(samples, sweep(RATE)[: len(samples)]) > 0.9


def test_an_m4a_that_lost_its_index_is_refused(encode: Encode) -> None:
    data = encode("ipod", "aac", "fltp", 44100)
    assert_refused(data[: len(data) // 2], "the content is not recognised, or it is damaged")


def test_an_m4a_that_lost_its_sound_is_refused(tmp_path: Path, encode: Encode) -> None:
    assert_refused(m4a_index_only(tmp_path), "the file is damaged and no part of it could be decoded")


def m4a_index_only(folder: Path) -> bytes:
    """An M4A with the index before the sound, cut off between the two."""
    path = folder / "whole.m4a"
    with av.open(str(path), "w", format="ipod", options={"movflags": "faststart"}) as output:
        stream: Any = output.add_stream("aac", rate=RATE)
        stream.codec_context.layout = "mono"
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 16384), dtype=np.float32), "fltp", "mono")
        frame.sample_rate = RATE
        frame.pts = 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    data = path.read_bytes()
    return data[: data.index(b"mdat") + 4]


def damaged_mp3(encode: Encode) -> bytes:
    data = bytearray(encode("mp3", "libmp3lame", "fltp", 44100))
    middle = len(data) // 2
    data[middle : middle + 300] = np.random.default_rng(1).bytes(300)
    return bytes(data)


def test_damage_in_the_middle_is_skipped(encode: Encode, sweep: Sweep, decode: Decode, likeness: Likeness) -> None:
    samples = decode(damaged_mp3(encode))
    assert len(samples) > 1.85 * RATE
    assert likeness(samples[-RATE // 2 :], sweep(RATE)[-RATE // 2 :]) > 0.9


def test_damage_everywhere_is_refused(encode: Encode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "_MAX_DAMAGED_PACKETS", 0)
    assert_refused(damaged_mp3(encode), "more than 0 packets are damaged")


@settings(deadline=None, max_examples=150)
@given(
    recipe=st.sampled_from(RECIPES),
    changes=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=8)), min_size=1, max_size=20),
    in_header=st.booleans(),
)
def test_no_damage_brings_any_other_error(
    recipe: tuple[Any, ...], changes: list[tuple[float, bytes]], in_header: bool, encode: Encode, decode: Decode
) -> None:
    data = bytearray(encode(*recipe))
    reach = min(len(data), 300) if in_header else len(data)
    for place, new in changes:
        start = int(place * (reach - 1))
        data[start : start + len(new)] = new
    try:
        samples = decode(bytes(data), max_seconds=10)
    except InvalidRequestError:
        return
    assert np.abs(samples).max(initial=0) <= 1
