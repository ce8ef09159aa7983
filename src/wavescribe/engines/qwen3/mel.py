"""Log-mel features of a growing clip.

As transformers' Qwen3ASRFeatureExtractor: periodic Hann window of 400, hop 160, mirrored edges, the last frame
dropped, 128 Slaney filters from 0 to 8000 Hz, log10 of at least 1e-10. The floor (the clip's maximum less 8) and the
scaling are applied later, because the maximum of a growing clip moves.

Frames are computed in blocks of whole seconds at fixed places, so a block's numbers do not depend on how the audio
arrived: the features of a stream are those of the one-shot clip to the bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch

from wavescribe.engines.base import Samples
from wavescribe.engines.qwen3.configuration import FRAMES_PER_SECOND
from wavescribe.engines.qwen3.geometry import HOP, LEAST_SAMPLES, SAMPLE_RATE, TRANSFORM, final_seconds, frame_count

LEAST_POWER = 1e-10
DYNAMIC_RANGE = 8.0
"""The floor lies this far below the maximum, in powers of ten."""

_SPAN = TRANSFORM + HOP * (FRAMES_PER_SECOND - 1)
"""Samples under the frames of one second."""


@dataclass(frozen=True, slots=True)
class RawSecond:
    """The features of up to one second, before floor and scaling.

    Attributes:
        values: log10 of the mel power, shape (128, frames), float32 on the CPU.
        lowest: its minimum.
        highest: its maximum.
        is_final: whether later samples cannot change it.
    """

    values: torch.Tensor
    lowest: float
    highest: float
    is_final: bool

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return int(self.values.shape[1])

    def normalised(self, floor: float) -> torch.Tensor:
        """The model's input: raised to the floor, scaled, zeros after the end; shape (128, 100)."""
        scaled = (torch.clamp(self.values, min=floor) + 4.0) / 4.0
        return torch.nn.functional.pad(scaled, (0, FRAMES_PER_SECOND - self.frames))

    def effective_floor(self, floor: float) -> float | None:
        """The floor where it changes anything, else None."""
        return floor if self.lowest < floor else None


def raw_seconds(samples: Samples, known: Sequence[RawSecond] = ()) -> list[RawSecond]:
    """The clip's features, second by second; the last one may be shorter.

    Args:
        samples: shape (samples,), the whole clip.
        known: leading final seconds of the same clip from an earlier call; they are not computed again.
    """
    clip = samples
    if len(clip) < LEAST_SAMPLES:
        clip = np.pad(clip, (0, LEAST_SAMPLES - len(clip)))
    frames, final = frame_count(len(samples)), final_seconds(len(samples))
    count = -(-frames // FRAMES_PER_SECOND)
    fresh = [
        _second(clip, index, min(FRAMES_PER_SECOND, frames - FRAMES_PER_SECOND * index), index < final)
        for index in range(len(known), count)
    ]
    return [*known, *fresh]


def _second(clip: Samples, index: int, frames: int, is_final: bool) -> RawSecond:
    spectrum = torch.fft.rfft(_framed(clip, index) * _window()).abs() ** 2
    values = torch.clamp(_filters() @ spectrum.T, min=LEAST_POWER).log10()[:, :frames].contiguous()
    return RawSecond(values, float(values.min()), float(values.max()), is_final)


def _framed(clip: Samples, index: int) -> torch.Tensor:
    """The 100 stretches of 400 samples under a second's frames, with the clip's edges mirrored."""
    first = index * SAMPLE_RATE - TRANSFORM // 2
    if first >= 0 and first + _SPAN <= len(clip):
        stretch = np.ascontiguousarray(clip[first : first + _SPAN], dtype=np.float32)
    else:
        stretch = clip[_mirrored(np.arange(first, first + _SPAN), len(clip))].astype(np.float32)
    return torch.from_numpy(stretch).unfold(0, TRANSFORM, HOP)


def _mirrored(positions: npt.NDArray[np.int64], length: int) -> npt.NDArray[np.int64]:
    """Positions outside the clip, mirrored at its edges; those beyond any used frame are held at the edge."""
    inside = np.abs(positions)
    inside = np.where(inside >= length, 2 * (length - 1) - inside, inside)
    return np.clip(inside, 0, length - 1)


@lru_cache(maxsize=1)
def _window() -> torch.Tensor:
    return torch.hann_window(TRANSFORM)


def _hertz_to_mel(hertz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    linear = 3.0 * hertz / 200.0
    logarithmic = 15.0 + np.log(np.maximum(hertz, 1e-9) / 1000.0) * (27.0 / math.log(6.4))
    return np.where(hertz >= 1000.0, logarithmic, linear)


def _mel_to_hertz(mels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(mels >= 15.0, 1000.0 * np.exp(math.log(6.4) / 27.0 * (mels - 15.0)), 200.0 * mels / 3.0)


@lru_cache(maxsize=1)
def _filters(bins: int = 128) -> torch.Tensor:
    """Slaney's triangular filters with his normalisation (Auditory Toolbox), shape (bins, 201)."""
    limits = _hertz_to_mel(np.array([0.0, SAMPLE_RATE / 2]))
    corners = _mel_to_hertz(np.linspace(limits[0], limits[1], bins + 2))
    frequencies = np.linspace(0, SAMPLE_RATE // 2, TRANSFORM // 2 + 1)
    slopes = corners[None, :] - frequencies[:, None]
    widths = np.diff(corners)
    triangles = np.maximum(0.0, np.minimum(-slopes[:, :-2] / widths[:-1], slopes[:, 2:] / widths[1:]))
    triangles *= 2.0 / (corners[2:] - corners[:-2])
    return torch.from_numpy(triangles.astype(np.float32)).T
