"""From audio to the decoder's audio tokens, for several streams at once, with what is known kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from wavescribe.engines.base import Samples
from wavescribe.engines.qwen3.audio_encoder import AudioEncoder
from wavescribe.engines.qwen3.configuration import AudioShape
from wavescribe.engines.qwen3.floor import window_floors
from wavescribe.engines.qwen3.geometry import chunk_tokens
from wavescribe.engines.qwen3.mel import RawSecond
from wavescribe.engines.qwen3.options import FloorPolicy
from wavescribe.engines.qwen3.stream_cache import Embedded, StreamCache
from wavescribe.engines.qwen3.work import Work


@dataclass(frozen=True, slots=True)
class Heard:
    """One clip as the decoder hears it.

    Attributes:
        finished: tokens of each finished window, shape (tokens, width).
        floors: the floor under which each was made (None: it changed nothing).
        rest: tokens of the open window, shape (tokens, width); may be empty.
    """

    finished: tuple[torch.Tensor, ...]
    floors: tuple[float | None, ...]
    rest: torch.Tensor


@dataclass(slots=True)
class _Clip:
    """A clip under way: its features, the floor of each window, and the finished windows' number."""

    cache: StreamCache
    seconds: list[RawSecond]
    floors: list[float]
    finished: int
    fresh: dict[int, torch.Tensor]
    """Convolved seconds that are not kept: the last, unfinished one."""

    def floor_of(self, window: int, width: int) -> float | None:
        """The window's floor where it changes anything."""
        seconds = self.seconds[window * width : (window + 1) * width]
        floor = self.floors[window]
        return floor if any(second.effective_floor(floor) is not None for second in seconds) else None


class Hearing:
    """The encoder with its caches.

    Args:
        encoder: the network.
        shape: its sizes.
        policy: how the floor of the features is chosen.
    """

    def __init__(self, encoder: AudioEncoder, shape: AudioShape, policy: FloorPolicy) -> None:
        self._encoder = encoder
        self._width = shape.window_seconds
        self._output = shape.output_width
        self._policy = policy

    def hear(self, clips: Sequence[tuple[StreamCache, Samples]], work: Work) -> list[Heard]:
        """Encode clips, all in one packed pass.

        Args:
            clips: each stream's cache and its whole audio.
            work: where the work is counted.
        """
        opened = [self._open(cache, samples) for cache, samples in clips]
        self._convolve(opened, work)
        rests = self._encode(opened, work)
        return [self._heard(clip, rest) for clip, rest in zip(opened, rests, strict=True)]

    def _open(self, cache: StreamCache, samples: Samples) -> _Clip:
        seconds = cache.listen(samples)
        floors = window_floors(seconds, self._width, self._policy)
        clip = _Clip(cache, seconds, floors, len(cache.final) // self._width, {})
        for index in [each for each in cache.windows if each >= clip.finished]:
            del cache.windows[index]
        for index in range(clip.finished):
            known = cache.windows.get(index)
            if known is not None and known.floor != clip.floor_of(index, self._width):
                del cache.windows[index]
        return clip

    def _windows_to_encode(self, clip: _Clip) -> list[int]:
        count = len(clip.floors)
        return [index for index in range(count) if index not in clip.cache.windows]

    def _convolve(self, clips: Sequence[_Clip], work: Work) -> None:
        """Convolve the seconds that are not known under today's floor."""
        wanted: list[tuple[_Clip, int]] = []
        for clip in clips:
            for window in self._windows_to_encode(clip):
                wanted += [(clip, index) for index in self._seconds_of(clip, window) if not self._is_known(clip, index)]
        if not wanted:
            return
        floors = [clip.floors[index // self._width] for clip, index in wanted]
        features = [clip.seconds[index].normalised(floor) for (clip, index), floor in zip(wanted, floors, strict=True)]
        embedded = self._encoder.convolve(features)
        work.seconds_convolved += len(wanted)
        for (clip, index), floor, values in zip(wanted, floors, embedded, strict=True):
            second = clip.seconds[index]
            if second.is_final:
                # A copy: a part of the packed tensor would keep all of it, other streams' parts too.
                clip.cache.seconds[index] = Embedded(second.effective_floor(floor), values.clone())
            else:
                clip.fresh[index] = values[: chunk_tokens(second.frames)]

    def _seconds_of(self, clip: _Clip, window: int) -> range:
        return range(window * self._width, min(len(clip.seconds), (window + 1) * self._width))

    def _is_known(self, clip: _Clip, index: int) -> bool:
        known = clip.cache.seconds.get(index)
        floor = clip.floors[index // self._width]
        return known is not None and known.floor == clip.seconds[index].effective_floor(floor)

    def _encode(self, clips: Sequence[_Clip], work: Work) -> list[torch.Tensor | None]:
        """Encode the windows that are not known; returns each clip's open window."""
        wanted = [(clip, window) for clip in clips for window in self._windows_to_encode(clip)]
        inputs = [torch.cat([self._second(clip, i) for i in self._seconds_of(clip, w)]) for clip, w in wanted]
        outputs = self._encoder.encode(inputs) if inputs else []
        work.audio_tokens += sum(len(each) for each in inputs)
        work.audio_pairs += sum(len(each) ** 2 for each in inputs)
        rests: dict[int, torch.Tensor] = {}
        for (clip, window), values in zip(wanted, outputs, strict=True):
            if window < clip.finished:
                clip.cache.windows[window] = Embedded(clip.floor_of(window, self._width), values.clone())
            else:
                rests[id(clip)] = values
        return [rests.get(id(clip)) for clip in clips]

    @staticmethod
    def _second(clip: _Clip, index: int) -> torch.Tensor:
        return clip.fresh[index] if index in clip.fresh else clip.cache.seconds[index].values

    def _heard(self, clip: _Clip, rest: torch.Tensor | None) -> Heard:
        kept = clip.cache.seconds
        for index in [each for each in kept if each < clip.finished * self._width]:
            del kept[index]
        windows = [clip.cache.windows[index] for index in range(clip.finished)]
        if rest is None:
            rest = torch.zeros(0, self._output)
        return Heard(tuple(each.values for each in windows), tuple(each.floor for each in windows), rest)
