"""Decode recordings: the bytes of any usual container to float samples, judged by content and never by name."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.layout import AudioLayout
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet

from wavescribe.audio.resampling import StreamingResampler
from wavescribe.engines.base import Samples
from wavescribe.errors import AudioFormatError, AudioTooLongError, AudioTooShortError, InvalidRequestError

SUPPORTED_FORMATS: Final = ("flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm")
"""The names told to callers, which are those of the OpenAI API."""

# Containers that hold nothing but media. Left out on purpose: playlists, which name other files and addresses
# (hls, concat, dash, sdp), and raw formats, which any bytes at all would pass for.
CONTAINERS: Final = (
    "aac,aiff,amr,asf,au,avi,caf,flac,flv,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mp3,mpeg,mpegts,ogg,w64,wav,wv"
)
_MAX_DAMAGED_PACKETS: Final = 1000
_SOURCE_RATES: Final = range(2_000, 768_001)


@dataclass(frozen=True, slots=True)
class DecodingLimits:
    """How much a file may decode to.

    Attributes:
        max_seconds: longest audio, in seconds.
    """

    max_seconds: float

    def check(self, seconds: float) -> None:
        """Refuse audio that is longer than the maximum.

        Args:
            seconds: audio decoded so far.

        Raises:
            AudioTooLongError: it is more than `max_seconds`.
        """
        if seconds > self.max_seconds:
            raise AudioTooLongError(
                f"audio duration of at least {seconds:.2f} seconds is longer than {self.max_seconds:g} seconds "
                "which is the maximum",
                code="invalid_value",
                param="file",
            )


def decode_audio(
    source: BinaryIO | Path, *, sample_rate: int = 16000, max_seconds: float, min_seconds: float = 0.0
) -> Samples:
    """Decode a whole file.

    Args:
        source: see `iterate_audio`.
        sample_rate: samples per second of the result.
        max_seconds: longest audio accepted.
        min_seconds: shortest audio accepted.

    Returns:
        Samples of shape (samples,), float32 in [-1, 1], at `sample_rate`; the mean of the channels.

    Raises:
        AudioTooShortError: there is less audio than `min_seconds`.
        InvalidRequestError: see `iterate_audio`.
    """
    blocks = list(iterate_audio(source, sample_rate=sample_rate, max_seconds=max_seconds))
    samples = np.concatenate(blocks) if blocks else np.zeros(0, dtype=np.float32)
    if len(samples) < min_seconds * sample_rate:
        raise too_short(min_seconds)
    return samples


def too_short(min_seconds: float) -> AudioTooShortError:
    """What is said of a file with less audio than that."""
    return AudioTooShortError(
        f"Audio file is too short. Minimum audio length is {min_seconds:g} seconds.",
        code="audio_too_short",
        param="file",
    )


def iterate_audio(source: BinaryIO | Path, *, sample_rate: int = 16000, max_seconds: float) -> Iterator[Samples]:
    """Decode a file block by block; memory does not grow with its length.

    Nothing is read before the first block is asked for. Damaged packets are skipped, and a file that was cut off
    gives what is whole. Samples that are not finite become 0, and those beyond [-1, 1] are clipped.

    Args:
        source: the file's bytes (seekable; read from the start and left open), or the path of a file. Nothing but
            these bytes is read, whatever the content says.
        sample_rate: samples per second of the blocks.
        max_seconds: longest audio accepted, measured while decoding, whatever the header claims.

    Yields:
        Blocks of shape (samples,), float32 in [-1, 1], at `sample_rate`; the mean of the channels. None at all for
        a sound file without samples.

    Raises:
        AudioFormatError: this is no audio that can be decoded.
        AudioTooLongError: there is more audio than `max_seconds`; the blocks up to there have been yielded.
        InvalidRequestError: the path cannot be opened, or the source is a pipe.
    """
    with _open_source(source) as file, _open_container(file) as container:
        yield from _convert(_FrameReader(container), sample_rate, DecodingLimits(max_seconds))


def iterate_container(container: InputContainer, *, sample_rate: int = 16000) -> Iterator[Samples]:
    """Decode an open container block by block, as it comes; see `iterate_audio` for the blocks.

    Raises:
        AudioFormatError: it has no audio, or none that can be decoded.
        FFmpegError: the source broke off; the blocks up to there have been yielded.
    """
    frames = _FrameReader(container)
    yield from _convert(frames, sample_rate, DecodingLimits(math.inf))
    if frames.broke_off is not None:
        raise frames.broke_off


class _GuardedSource:
    """What FFmpeg sees of a file: its bytes without its name, which would take part in the judgement of the format.

    The lists of texts in RIFF files (title, artist) are masked: FFmpeg allocates whatever size their header claims,
    gigabytes from a file of fifty bytes.
    """

    _TEXT_LIST: Final = re.compile(rb"(?<=LIST....)INFO", re.DOTALL)
    _REACH: Final = 11  # the pattern spans 12 bytes, so this many beyond either edge of a read belong to it

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.is_empty = True
        self.seek = file.seek
        self.tell = file.tell

    def read(self, size: int) -> bytes:
        position = self._file.tell()
        before = min(position, self._REACH)
        self._file.seek(position - before)
        view = self._file.read(before + size + self._REACH)
        data = self._TEXT_LIST.sub(b"JUNK", view)[before : before + size]
        self._file.seek(position + len(data))
        self.is_empty = self.is_empty and not data
        return data


class _FrameReader:
    """Decodes the first audio stream of a container and skips what is damaged."""

    def __init__(self, container: InputContainer) -> None:
        self._container = container
        self._stream = _audio_stream(container)
        self.claims_audio = bool(container.duration)
        self.damaged = 0
        self.broke_off: FFmpegError | None = None

    def __iter__(self) -> Iterator[AudioFrame]:
        for packet in self._packets():
            yield from self._decode(packet)

    def _packets(self) -> Iterator[Packet[AudioStream]]:
        try:
            yield from self._container.demux(self._stream)
        except FFmpegError as error:
            self.damaged += 1  # the file is cut off or broken here: what came before is whole
            self.broke_off = error

    def _decode(self, packet: Packet[AudioStream]) -> list[AudioFrame]:
        try:
            return self._stream.decode(packet)
        except FFmpegError as error:
            self.damaged += 1
            if self.damaged > _MAX_DAMAGED_PACKETS:
                raise _format_error(f"more than {_MAX_DAMAGED_PACKETS} packets are damaged") from error
            return []


@contextmanager
def _open_source(source: BinaryIO | Path) -> Iterator[_GuardedSource]:
    with _open_path(source) if isinstance(source, Path) else nullcontext(source) as file:
        if not file.seekable():
            raise InvalidRequestError(f"Cannot read {source}: it is a pipe, not a file", param="file")
        file.seek(0)
        yield _GuardedSource(file)


def _open_path(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise InvalidRequestError(f"Cannot read {path}: {error.strerror}", param="file") from error


def _open_container(source: _GuardedSource) -> InputContainer:
    """Recognise the container.

    Pictures and video are never decoded: a cover of a few kilobytes can unpack to gigabytes.
    """
    options = {"format_whitelist": CONTAINERS, "codec_whitelist": AUDIO_DECODERS, "protocol_whitelist": "none"}
    try:
        return av.open(source, "r", container_options=options, metadata_errors="replace")
    except FFmpegError as error:
        reason = "the file is empty" if source.is_empty else "the content is not recognised, or it is damaged"
        raise _format_error(reason) from error


def _audio_decoders() -> str:
    """The names of all audio decoders, joined as FFmpeg's option wants them."""
    return ",".join(name for name in av.codecs_available if _is_audio_decoder(name))


def _is_audio_decoder(name: str) -> bool:
    try:
        return av.Codec(name, "r").type == "audio"
    except av.codec.codec.UnknownCodecError:
        return False  # it only encodes


AUDIO_DECODERS: Final = _audio_decoders()


def _audio_stream(container: InputContainer) -> AudioStream:
    if not container.streams.audio:
        raise _format_error("the file has no audio stream")
    stream = container.streams.audio[0]
    if stream.codec_context is None:
        raise _format_error("the codec of the audio stream is unknown")
    return stream


def _convert(frames: _FrameReader, sample_rate: int, limits: DecodingLimits) -> Iterator[Samples]:
    """Bring frames, whose rate and layout may change on the way, to mono blocks at one rate."""
    downmixer = _Downmixer()
    resampler: StreamingResampler | None = None
    seconds = 0.0
    for frame in frames:
        rate = _source_rate(frame)
        seconds += frame.samples / rate
        limits.check(seconds - 1 / rate)
        if resampler is None or resampler.source_rate != rate:
            yield from _flush(resampler)
            resampler = StreamingResampler(rate, sample_rate)
        yield from _block(resampler.push(downmixer.mix(frame)))
    yield from _flush(resampler)
    if not seconds and (frames.damaged or frames.claims_audio):
        raise _format_error("the file is damaged and no part of it could be decoded")


def _flush(resampler: StreamingResampler | None) -> Iterator[Samples]:
    if resampler is not None:
        yield from _block(resampler.flush())


def _block(samples: Samples) -> Iterator[Samples]:
    """One block, unless it is empty; the resampler's filter overshoots at full scale."""
    if len(samples):
        yield np.clip(samples, -1, 1)


def _source_rate(frame: AudioFrame) -> int:
    if frame.sample_rate not in _SOURCE_RATES:
        raise _format_error(
            f"the sample rate is {frame.sample_rate} Hz, not between {_SOURCE_RATES[0]} and {_SOURCE_RATES[-1]} Hz"
        )
    return frame.sample_rate


class _Downmixer:
    """Takes frames of any sample format and channel layout, which may change on the way, to mono."""

    def __init__(self) -> None:
        self._source: tuple[str, AudioLayout, int] | None = None
        self._converter = AudioResampler("flt")

    def mix(self, frame: AudioFrame) -> Samples:
        """The mean of a frame's channels, shape (frame.samples,), finite and in [-1, 1]."""
        source = (frame.format.name, frame.layout, frame.sample_rate)
        if source != self._source:
            self._source = source
            self._converter = AudioResampler("flt")
        blocks = [_mean_of_channels(converted) for converted in self._convert(frame)]
        return np.concatenate(blocks) if blocks else np.zeros(0, dtype=np.float32)

    def _convert(self, frame: AudioFrame) -> list[AudioFrame]:
        # Only interleaved samples may be handed to numpy: PyAV counts the planes of a planar frame up to a null
        # pointer, which is not there when a frame has eight channels or more.
        try:
            return self._converter.resample(frame)
        except (FFmpegError, ValueError) as error:
            raise _format_error(
                f"{frame.layout.nb_channels} channels of type {frame.format.name} cannot be read"
            ) from error


def _mean_of_channels(frame: AudioFrame) -> Samples:
    """Interleaved float samples to mono, shape (frame.samples,)."""
    channels = frame.to_ndarray().reshape(frame.samples, -1)
    mono: Samples = np.clip(np.where(np.isfinite(channels), channels, 0), -1, 1).mean(axis=1, dtype=np.float32)
    return mono


def _format_error(reason: str) -> AudioFormatError:
    return AudioFormatError(
        f"Invalid file format. Supported formats: {list(SUPPORTED_FORMATS)}; {reason}", param="file"
    )
